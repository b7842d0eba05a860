// SPDX-License-Identifier: Apache-2.0
//
// What a handler gets and gives: a Request whose head was checked and decoded, with its body still
// on the wire, and a Response whose framing the server writes.
//
// Protocol: a route names who may send a body (RouteOptions::sender), a handler authenticates first and
// reads the body after that. A body that nobody wants is never asked for (`Expect: 100-continue`) and
// costs the client its connection, not the server its threads. Framing headers (Content-Length, Transfer-Encoding,
// Connection, Date) belong to the server. Errors: see each function. Threads: a Request belongs to the thread that runs
// its handler; a Response is a plain value, its producer is called on other threads, one call at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/result.h"

namespace glovebox::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };
[[nodiscard]] std::string_view MethodName(Method method);
// Methods are case-sensitive; nothing if it is none of ours.
[[nodiscard]] std::optional<Method> MethodFromName(std::string_view name);

// Whether `value` may be sent as a header's value: printable ASCII, spaces, tabs and bytes over 127.
// Every header that leaves the server passes this, so nothing can end a line early.
[[nodiscard]] bool IsValidHeaderValue(std::string_view value);
// Whether `name` is a token (RFC 9110, 5.1).
[[nodiscard]] bool IsValidHeaderName(std::string_view name);

// Headers in order of arrival; names compare without case.
class Headers {
 public:
  void Add(std::string name, std::string value);
  // Replaces all of that name.
  void Set(std::string name, std::string value);
  // The first value, or nullptr.
  [[nodiscard]] const std::string* Find(std::string_view name) const;
  [[nodiscard]] std::size_t Count(std::string_view name) const;
  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// The parameters after '?', decoded, in order; a name may be there several times.
class QueryParameters {
 public:
  void Add(std::string name, std::string value);
  // The first value, or nullptr.
  [[nodiscard]] const std::string* Find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> All(std::string_view name) const;
  [[nodiscard]] std::string GetString(std::string_view name, std::string_view fallback = "") const;
  // Both return INVALID_PARAMETER_VALUE, naming the parameter, if it is there and no integer, or
  // neither "true" nor "false".
  [[nodiscard]] Result<std::int64_t> GetInt(std::string_view name, std::int64_t fallback) const;
  [[nodiscard]] Result<bool> GetBool(std::string_view name, bool fallback) const;
  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// The body of one request, read in order, once. Blocks until the client has sent something.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Fills up to buffer.size() bytes and returns how many; 0 is the end of the body.
  // Returns PAYLOAD_TOO_LARGE over the server's limit, REQUEST_TIMEOUT if the client is too slow,
  // MALFORMED_REQUEST if its framing is broken or it went away.
  virtual Result<std::size_t> Read(std::span<char> buffer) = 0;
  // Content-Length, if the client announced one.
  [[nodiscard]] virtual std::optional<std::uint64_t> length() const = 0;

  // The whole (rest of the) body; PAYLOAD_TOO_LARGE, without reading on, if it is over `bytes_max`.
  Result<std::string> ReadAll(std::size_t bytes_max);
};

// A body that is a string; for tests of handlers and for requests without a body.
class StringBody final : public BodyReader {
 public:
  explicit StringBody(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> Read(std::span<char> buffer) override;
  [[nodiscard]] std::optional<std::uint64_t> length() const override { return text_.size(); }

 private:
  std::string text_;
  std::size_t read_ = 0;
};

struct Request {
  Method method = Method::kGet;
  std::string raw_path;               // as it arrived, without the query; never logged
  std::vector<std::string> segments;  // "/a/b%20c" is {"a", "b c"}: UTF-8, without '/', NUL, "." or ".."
  QueryParameters query;
  Headers headers;
  std::string request_id;
  std::string remote_address;  // of the connection, without the port
  std::string route;           // the pattern that matched
  std::vector<std::pair<std::string, std::string>> path_parameters;
  std::unique_ptr<BodyReader> body = std::make_unique<StringBody>("");

  // REQUIRES: the route's pattern has a parameter of this name.
  [[nodiscard]] const std::string& PathParameter(std::string_view name) const;
  // The body as strict JSON, at most limits::kJsonBodyBytesMax; an empty body is an empty object.
  Result<json::Value> ReadJson();
};

// A piece of an open file.
struct FileBody {
  std::shared_ptr<UniqueFd> fd;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// Gives the next piece of a body of unknown length; an empty piece is the end. It is called only
// when the client has taken what came before. An error cuts the connection, so that the client can
// tell a part from the whole.
using Producer = std::function<Result<std::string>()>;

struct Response {
  int status = 200;
  Headers headers;
  std::variant<std::string, FileBody, Producer> body;

  static Response Json(const json::Value& value, int status = 200);
  static Response Text(std::string text, std::string_view content_type, int status = 200);
  static Response Empty(int status = 204);
  // Streams a regular file; it is opened now and may be unlinked meanwhile. `path` is ours, never a
  // client's text. Returns NOT_FOUND if there is none.
  static Result<Response> File(const std::string& path, std::string_view content_type);
  static Response Stream(Producer producer, std::string_view content_type);
};

using Handler = std::function<Result<Response>(Request&)>;

// When the handler of a route starts; a body up to limits::kHttpBodyStartBytes has arrived whole in any case.
enum class BodyMode {
  kCollected,  // with its whole body, at most limits::kJsonBodyBytesMax: its client's pace costs no thread
  kStreamed,   // with the beginning; it reads the rest as that arrives, and holds a thread so long
};

// Who sends a request, as the key by which shares of the server are counted, or the error that is the answer.
using SenderOf = std::function<Result<std::string>(const Request&)>;

struct RouteOptions {
  BodyMode body = BodyMode::kCollected;
  // Asked on a thread of the pool before a body over limits::kHttpBodyStartBytes is taken, and before a client that
  // waits for "100 Continue" gets it. A route without it takes no larger bodies.
  SenderOf sender;
};

}  // namespace glovebox::http
