// SPDX-License-Identifier: Apache-2.0
//
// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78, as in iSCSI): tells a torn write from a whole one. It is no
// defence against an adversary; the signed root is.
#pragma once

#include <cstdint>
#include <string_view>

namespace glovebox::ledger {

// `crc` is 0, or the result over the bytes before.
[[nodiscard]] std::uint32_t Crc32c(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace glovebox::ledger
