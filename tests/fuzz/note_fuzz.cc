// SPDX-License-Identifier: Apache-2.0
//
// Notes, checkpoints and verifier keys: whatever is accepted is written back byte for byte.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "ledger/note.h"
#include "ledger/signer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace glovebox::ledger;  // NOLINT(google-build-using-namespace)
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto note = ParseNote(input); note.ok()) {
    GB_ASSERT(note->Format() == input);
    if (const auto checkpoint = ParseCheckpoint(note->text); checkpoint.ok()) {
      GB_ASSERT(checkpoint->Format() == note->text);
    }
    for (const NoteSignature& signature : note->signatures) {
      GB_ASSERT(CheckKeyName(signature.key_name).ok());
    }
  }
  if (const auto checkpoint = ParseCheckpoint(input); checkpoint.ok()) {
    GB_ASSERT(checkpoint->Format() == input);
  }
  if (const auto key = ParseVerifierKey(input); key.ok()) {
    GB_ASSERT(key->Format() == input);
  }
  return 0;
}
