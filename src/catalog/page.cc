// SPDX-License-Identifier: Apache-2.0
#include "catalog/page.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "base/encoding.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/result.h"

namespace glovebox::catalog {
namespace {

constexpr std::string_view kTokenPrefix = "p1:";

}  // namespace

Result<std::size_t> PageSize(const PageRequest& request) {
  if (request.size < 0) {
    return Status(ErrorCode::kInvalidParameterValue, "The page size is negative.");
  }
  return static_cast<std::size_t>(request.size == 0 ? limits::kPageSizeDefault
                                                    : std::min(request.size, limits::kPageSizeMax));
}

Result<std::string> PageStart(const PageRequest& request) {
  if (request.token.empty()) {
    return std::string();
  }
  auto text = Base64UrlDecode(request.token);
  if (!text.ok() || !text->starts_with(kTokenPrefix)) {
    return Status(ErrorCode::kInvalidParameterValue, "The page token is not one that this server gave.");
  }
  return text->substr(kTokenPrefix.size());
}

std::string PageToken(const std::string& last_key) { return Base64UrlEncode(std::string(kTokenPrefix) + last_key); }

}  // namespace glovebox::catalog
