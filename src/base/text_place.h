// SPDX-License-Identifier: Apache-2.0
//
// Where an offset into an author's text is, as people say it. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace glovebox {

// "line 2, column 5" of a byte offset; both count from 1, columns in code points. An offset beyond the end is the end.
std::string PlaceInText(std::string_view text, std::size_t offset);

}  // namespace glovebox
