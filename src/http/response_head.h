// SPDX-License-Identifier: Apache-2.0
//
// The head of a response as bytes: status line, the handler's headers, framing, security headers.
// Pure; threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"

namespace glovebox::http {

enum class Framing {
  kNone,     // no body and none announced (204, 304, HEAD of a stream)
  kLength,   // Content-Length
  kChunked,  // pieces, each with its size
  kClose,    // up to the end of the connection (HTTP/1.0)
};

struct HeadContext {
  Framing framing = Framing::kNone;
  std::uint64_t length = 0;  // with kLength
  bool keep_alive = false;
  bool secure = false;  // the connection is TLS
  std::string_view request_id;
  TimeMs now{};
};

// Returns INTERNAL_ERROR if a header of the response is invalid or one that the server writes: bytes
// that could end a line never leave.
Result<std::string> FormatResponseHead(int status, const Headers& headers, const HeadContext& context);

// "Sun, 22 Nov 2026 23:45:00 GMT"
std::string FormatHttpDate(TimeMs time);

}  // namespace glovebox::http
