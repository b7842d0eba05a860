// SPDX-License-Identifier: Apache-2.0
#include "ledger/note.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "crypto/signature.h"
#include "ledger/bytes.h"
#include "ledger/merkle.h"
#include "ledger/signer.h"

namespace glovebox::ledger {
namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // U+2014 and a space
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kTimeBytes = 8;

Status Bad(std::string message) { return {ErrorCode::kInvalidParameterValue, std::move(message)}; }

Result<NoteSignature> ParseSignatureLine(std::string_view line) {
  if (!line.starts_with(kDash)) {
    return Bad("a signature line of the note does not start with an em dash and a space");
  }
  line.remove_prefix(kDash.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) {
    return Bad("a signature line of the note has no key name");
  }
  NoteSignature signature;
  signature.key_name = line.substr(0, space);
  GB_RETURN_IF_ERROR(CheckKeyName(signature.key_name));
  GB_ASSIGN_OR_RETURN(const std::string bytes, Base64Decode(line.substr(space + 1)));
  if (bytes.size() <= kKeyIdBytes) {
    return Bad("a signature of the note is too short");
  }
  signature.key_id = ReadU32(bytes);
  signature.bytes = bytes.substr(kKeyIdBytes);
  return signature;
}

Status CheckNoteCharacters(std::string_view bytes) {
  if (bytes.size() > limits::kLedgerNoteBytesMax) {
    return Bad("the note is larger than its limit");
  }
  for (const char c : bytes) {
    if (static_cast<unsigned char>(c) < 0x20U && c != '\n') {
      return Bad("the note has a control character");
    }
  }
  if (!IsValidUtf8(bytes)) {
    return Bad("the note is not UTF-8");
  }
  return {};
}

// The signature of `key` on the text, as the key's algorithm has it.
Result<VerifiedSignature> VerifyOne(const Note& note, const NoteSignature& signature, const VerifierKey& key) {
  VerifiedSignature verified;
  std::string_view bytes = signature.bytes;
  std::string message = note.text;
  if (key.algorithm == KeyAlgorithm::kEd25519Cosignature) {
    if (bytes.size() != kTimeBytes + crypto::kEd25519SignatureBytes) {
      return Bad("a cosignature of the note has a wrong length");
    }
    const std::uint64_t time_s = ReadU64(bytes);
    if (time_s == 0 || time_s > limits::kLedgerSizeMax) {
      return Bad("a cosignature of the note has a time out of range");
    }
    verified.cosigned_at = time_s;
    message = CosignatureMessage(time_s, note.text);
    bytes.remove_prefix(kTimeBytes);
  }
  if (!key.public_key.Verify(message, bytes)) {
    return Bad("the signature of " + key.NameAndId() + " on the note does not verify");
  }
  return verified;
}

}  // namespace

std::string Note::Format() const {
  std::string out = text;
  out += "\n";
  for (const NoteSignature& signature : signatures) {
    out += kDash;
    out += signature.key_name;
    out += " ";
    std::string bytes;
    AppendU32(signature.key_id, bytes);
    bytes += signature.bytes;
    out += Base64Encode(bytes);
    out += "\n";
  }
  return out;
}

Result<Note> ParseNote(std::string_view bytes) {
  GB_RETURN_IF_ERROR(CheckNoteCharacters(bytes));
  const std::size_t gap = bytes.rfind("\n\n");
  if (gap == std::string_view::npos || !bytes.ends_with('\n')) {
    return Bad("the note has no signatures");
  }
  Note note;
  note.text = bytes.substr(0, gap + 1);
  std::string_view lines = bytes.substr(gap + 2);
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    if (note.signatures.size() == limits::kLedgerNoteSignaturesMax) {
      return Bad("the note has too many signatures");
    }
    GB_ASSIGN_OR_RETURN(NoteSignature signature, ParseSignatureLine(lines.substr(0, end)));
    note.signatures.push_back(std::move(signature));
    lines.remove_prefix(end + 1);
  }
  if (note.signatures.empty()) {
    return Bad("the note has no signatures");
  }
  return note;
}

Result<std::vector<VerifiedSignature>> VerifyNote(const Note& note, const std::vector<VerifierKey>& keys) {
  std::vector<VerifiedSignature> verified;
  for (const NoteSignature& signature : note.signatures) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (keys[i].name != signature.key_name || keys[i].Id() != signature.key_id) {
        continue;
      }
      GB_ASSIGN_OR_RETURN(VerifiedSignature one, VerifyOne(note, signature, keys[i]));
      one.key = i;
      verified.push_back(one);
    }
  }
  if (verified.empty()) {
    return Bad("no known key has signed the note");
  }
  return verified;
}

Status SignNote(const std::string& name, const Signer& signer, Note& note) {
  const VerifierKey key{name, KeyAlgorithm::kEd25519Note, signer.public_key()};
  GB_ASSIGN_OR_RETURN(std::string signature, signer.Sign(note.text));
  note.signatures.push_back({name, key.Id(), std::move(signature)});
  return {};
}

Status CosignNote(const std::string& name, const Signer& signer, TimeMs time, Note& note) {
  constexpr std::int64_t kMsPerSecond = 1'000;
  if (ToInt(time) < kMsPerSecond) {
    return Bad("a cosignature needs a time after 1970");
  }
  const auto time_s = static_cast<std::uint64_t>(ToInt(time) / kMsPerSecond);
  const VerifierKey key{name, KeyAlgorithm::kEd25519Cosignature, signer.public_key()};
  GB_ASSIGN_OR_RETURN(const std::string signature, signer.Sign(CosignatureMessage(time_s, note.text)));
  std::string bytes;
  AppendU64(time_s, bytes);
  bytes += signature;
  note.signatures.push_back({name, key.Id(), std::move(bytes)});
  return {};
}

std::string CosignatureMessage(std::uint64_t time_s, std::string_view text) {
  std::string message = "cosignature/v1\ntime " + std::to_string(time_s) + "\n";
  message += text;
  return message;
}

std::string Checkpoint::Format() const {
  return origin + "\n" + std::to_string(size) + "\n" + Base64Encode(HashBytes(root)) + "\n";
}

Result<Checkpoint> ParseCheckpoint(std::string_view text) {
  const std::vector<std::string> lines = Split(text, '\n');
  constexpr std::size_t kLines = 4;  // origin, size, root, and nothing after the last newline
  if (lines.size() != kLines || !lines[3].empty()) {
    return Bad("a checkpoint has exactly three lines");
  }
  Checkpoint checkpoint;
  checkpoint.origin = lines[0];
  if (checkpoint.origin.empty()) {
    return Bad("the checkpoint has no origin");
  }
  const std::string& digits = lines[1];
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), checkpoint.size);
  if (error != std::errc() || end != digits.data() + digits.size() || checkpoint.size > limits::kLedgerSizeMax ||
      digits != std::to_string(checkpoint.size)) {
    return Bad("the checkpoint's size is not a number below 2^63 without leading zeros");
  }
  GB_ASSIGN_OR_RETURN(const std::string root, Base64Decode(lines[2]));
  const std::optional<Hash> hash = HashFromBytes(root);
  if (!hash.has_value()) {
    return Bad("the checkpoint's root is not 32 bytes");
  }
  checkpoint.root = *hash;
  return checkpoint;
}

}  // namespace glovebox::ledger
