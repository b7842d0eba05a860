// SPDX-License-Identifier: Apache-2.0
//
// The journal's records and the entries, statements and commitments in them: whatever is accepted is written back byte
// for byte.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "ledger/bytes.h"
#include "ledger/commitment.h"
#include "ledger/crc32c.h"
#include "ledger/entry.h"
#include "ledger/genesis.h"
#include "ledger/journal.h"
#include "ledger/tiles.h"

namespace {

using namespace glovebox::ledger;  // NOLINT(google-build-using-namespace)

void TryEntry(std::string_view input) {
  const auto entry = ParseEntry(input);
  if (!entry.ok()) {
    return;
  }
  const auto again = EncodeEntry(*entry);
  GB_ASSERT(again.ok() && *again == input);
  static_cast<void>(ParseGenesis(*entry));
  if (entry->statement.has_value()) {
    if (const auto body = ParseStatementBody(entry->statement->body); body.ok()) {
      GB_ASSERT(body->Format() == entry->statement->body);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  JournalRecord record;
  if (const std::size_t bytes = ParseRecord(input, record); bytes != 0) {
    GB_ASSERT(EncodeRecord(record) == input.substr(0, bytes));
  }
  // The same payload with a checksum that fits.
  std::string framed;
  AppendU32(static_cast<std::uint32_t>(size), framed);
  AppendU32(Crc32c(input, Crc32c(framed)), framed);
  framed += input;
  if (const std::size_t bytes = ParseRecord(framed, record); bytes != 0) {
    GB_ASSERT(EncodeRecord(record) == framed);
    TryEntry(record.entry);
  }
  TryEntry(input);
  static_cast<void>(ParseStatementBody(input));
  static_cast<void>(OpenCommitment(input, CommitmentOf(input)));
  for (std::string_view tile = input; !tile.empty();) {
    if (!TakeFromEntryTile(tile).ok()) {
      break;
    }
  }
  return 0;
}
