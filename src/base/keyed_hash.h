// SPDX-License-Identifier: Apache-2.0
//
// A hash for hash tables whose keys an adversary chooses: SipHash-1-3 under a key that each process draws at
// its start, so that nobody can prepare keys that collide. Not for anything that is stored or sent.
// Threads: may be called from any.
#pragma once

#include <cstdint>
#include <string_view>

namespace glovebox {

[[nodiscard]] std::uint64_t KeyedHash(std::string_view text);

}  // namespace glovebox
