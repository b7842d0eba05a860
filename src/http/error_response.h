// SPDX-License-Identifier: Apache-2.0
//
// The one place where a Status becomes what a client sees:
//   {"error_code": ..., "message": ..., "details": [ErrorInfo{reason, metadata}, RequestInfo{request_id}]}
// `reason` is the planner's rule if one refused, else the code; metadata carries the position in the
// author's text. 429 and 503 carry Retry-After in seconds. The message of an internal error stays in
// the log. Threads: any.
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace glovebox::http {

// REQUIRES: status is an error.
Response ErrorResponse(const Status& status, std::string_view request_id);

}  // namespace glovebox::http
