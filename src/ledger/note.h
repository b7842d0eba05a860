// SPDX-License-Identifier: Apache-2.0
//
// Signed notes, checkpoints and cosignatures: C2SP signed-note, tlog-checkpoint, tlog-cosignature.
//
//   note        = text "\n" signature-line+            text ends in "\n"
//   line        = "— " key-name " " base64(key-id || signature) "\n"
//   checkpoint  = origin "\n" size "\n" base64(root) "\n"
//   cosignature = 8 bytes time || Ed25519("cosignature/v1\n" "time " time "\n" text)
//
// Invariant: Parse accepts exactly what Format writes. Extension lines of checkpoints are refused: a
// cosigner has no way to check them.
// Errors: INVALID_PARAMETER_VALUE. Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ledger/merkle.h"
#include "ledger/signer.h"

namespace glovebox::ledger {

struct NoteSignature {
  std::string key_name;
  std::uint32_t key_id = 0;
  std::string bytes;  // without the key id; for a cosignature 8 bytes of time and the signature
};

struct Note {
  std::string text;  // ends in "\n"
  std::vector<NoteSignature> signatures;

  [[nodiscard]] std::string Format() const;
};

Result<Note> ParseNote(std::string_view bytes);

// One verified signature of a note.
struct VerifiedSignature {
  std::size_t key = 0;  // which of the keys given
  // Seconds since 1970, for a cosignature.
  std::optional<std::uint64_t> cosigned_at;
};

// The signatures of known keys (name and id both match), verified. Unknown ones are ignored. Returns an error if a
// known key's signature does not verify, or if no known key has signed.
Result<std::vector<VerifiedSignature>> VerifyNote(const Note& note, const std::vector<VerifierKey>& keys);

// Adds a signature line by `signer` under `name`: an Ed25519 note signature.
Status SignNote(const std::string& name, const Signer& signer, Note& note);
// Adds a cosignature/v1 line.
Status CosignNote(const std::string& name, const Signer& signer, TimeMs time, Note& note);
// What a cosigner signs.
std::string CosignatureMessage(std::uint64_t time_s, std::string_view text);

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};

  // The text of its note.
  [[nodiscard]] std::string Format() const;
  bool operator==(const Checkpoint&) const = default;
};

Result<Checkpoint> ParseCheckpoint(std::string_view text);

}  // namespace glovebox::ledger
