// SPDX-License-Identifier: Apache-2.0
//
// Lists in pages. A token is opaque to clients: it holds the sort key of the last item of the page before it, so that
// changes in between neither repeat nor lose an item. Size 0 is the default; sizes over the maximum are cut to it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace glovebox::catalog {

struct PageRequest {
  std::int64_t size = 0;
  std::string token;
};

template <typename T>
struct Page {
  std::vector<T> items;
  std::string next_token;  // empty on the last page
};

// Returns INVALID_PARAMETER_VALUE for a negative size.
Result<std::size_t> PageSize(const PageRequest& request);
// The sort key after which the page starts; "" for the first one. Returns INVALID_PARAMETER_VALUE for foreign tokens.
Result<std::string> PageStart(const PageRequest& request);
std::string PageToken(const std::string& last_key);

}  // namespace glovebox::catalog
