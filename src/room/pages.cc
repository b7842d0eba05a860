// SPDX-License-Identifier: Apache-2.0
#include "room/pages.h"

#include <charconv>

namespace glovebox::room {

Result<NumberPage> NumberPageOf(const catalog::PageRequest& request) {
  NumberPage page;
  GB_ASSIGN_OR_RETURN(page.size, catalog::PageSize(request));
  GB_ASSIGN_OR_RETURN(const std::string start, catalog::PageStart(request));
  if (!start.empty()) {
    const char* end = start.data() + start.size();
    const auto [stop, error] = std::from_chars(start.data(), end, page.before);
    if (error != std::errc() || stop != end) {
      return Status(ErrorCode::kInvalidParameterValue, "The page token is not one that this list gave.");
    }
  }
  return page;
}

}  // namespace glovebox::room
