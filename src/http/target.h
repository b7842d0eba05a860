// SPDX-License-Identifier: Apache-2.0
//
// The request target, decoded once and strictly: what cannot be understood in exactly one way is
// refused. Only the origin form ("/path?query") is taken; characters that RFC 3986 wants escaped
// must be; a segment may not decode to '/', a control character, "." or ".."; text is UTF-8. In the
// query '+' is a space, as HTML forms and most clients write it. Errors: MALFORMED_REQUEST, without
// the text. Pure; threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace glovebox::http {

struct Target {
  std::string raw_path;
  std::vector<std::string> segments;  // "/" is {""}: one empty segment
  QueryParameters query;
};

Result<Target> ParseTarget(std::string_view target);

}  // namespace glovebox::http
