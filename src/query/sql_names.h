// SPDX-License-Identifier: Apache-2.0
//
// The names that an author's text could mean tables by, without its being parsed: all chains of names joined by dots,
// what IDENTIFIER(...) is given, and strings. More than the text's tables, never less: what is not here cannot be found
// when the text is planned.
//
// Threads: no state.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace glovebox::query {

// In ASCII lower case, parts joined by dots. A text that cannot be cut into tokens names nothing. REQUIRES: nothing of
// `text`; it is hostile.
std::set<std::string> DottedNames(std::string_view text);

}  // namespace glovebox::query
