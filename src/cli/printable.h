// SPDX-License-Identifier: Apache-2.0
//
// Text that others wrote, for a line of a terminal: it cannot end the line, move the cursor, or turn the order of what
// follows. Threads: pure.
#pragma once

#include <string>
#include <string_view>

namespace glovebox::cli {

// Bytes of control characters, and of what the block General Punctuation hides (separators, directions, widths), become
// \xNN; so does everything beyond ASCII in a text that is not UTF-8.
std::string Printable(std::string_view text);

}  // namespace glovebox::cli
