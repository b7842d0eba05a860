// SPDX-License-Identifier: Apache-2.0
//
// Bytes to requests: framing of one HTTP/1.x request, without any input or output of its own.
//
// Protocol: ParseHead with all unused bytes until head_done(), then ParseBody until done(). Each call
// returns how many bytes of the front it used; the caller keeps the rest and comes back with more. An
// error is final: nothing after it can be told apart from the body, so the connection has to close.
// Refused beyond what the grammar refuses: no Host or two, any transfer coding but one "chunked"
// (NOT_IMPLEMENTED), Content-Length that is not one plain number, chunked in HTTP/1.0, more headers
// than limits::kHttpHeadersMax. Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace glovebox::http {

struct RequestHead {
  std::string method;
  std::string target;
  Headers headers;
  std::optional<std::uint64_t> content_length;
  bool http_1_0 = false;
  bool keep_alive = false;
  bool expects_continue = false;
};

class RequestParser {
 public:
  RequestParser(std::size_t head_bytes_max, std::uint64_t body_bytes_max);
  ~RequestParser();

  // Returns MALFORMED_REQUEST, HEADERS_TOO_LARGE, PAYLOAD_TOO_LARGE or NOT_IMPLEMENTED.
  Result<std::size_t> ParseHead(std::string_view input);
  [[nodiscard]] bool head_done() const;
  // REQUIRES: head_done().
  [[nodiscard]] const RequestHead& head() const;
  // Appends what it decodes to `body`. Returns MALFORMED_REQUEST or PAYLOAD_TOO_LARGE.
  // REQUIRES: head_done() and not done().
  Result<std::size_t> ParseBody(std::string_view input, std::string& body);
  // The request is complete; further bytes are the next one's.
  [[nodiscard]] bool done() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glovebox::http
