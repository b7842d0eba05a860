// SPDX-License-Identifier: Apache-2.0
//
// An HTTP/1.1 server: one thread does all input and output, handlers run blocking on a bounded pool.
//
// A request goes: head (limits, strict framing, Host) -> router -> its body -> pool -> response. A client
// that is slow in sending its head or its body, or in taking its response, holds a connection but no
// thread; of streamed bodies (BodyMode::kStreamed), which hold one, there are few at a time, and fewer of
// one sender. Who sends a body is asked before more than limits::kHttpBodyStartBytes of it is taken. Every response
// carries X-Request-Id and the security headers; every request is one line in the log with its route's pattern, never
// its path or query.
//
// Several servers may live in one process. Errors before a handler runs have the same shape as those
// after it (http/error_response.h). Threads: Start and the destructor from one thread; port() and
// Drain from any, but not from a handler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/result.h"
#include "http/router.h"

namespace glovebox::http {

// PEM files. TLS 1.2 and newer.
struct TlsOptions {
  std::string certificate_chain_file;
  std::string private_key_file;
};

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0 takes any free one
  std::optional<TlsOptions> tls;
  std::size_t threads = limits::kHttpWorkerThreads;
  std::size_t queue_max = limits::kHttpQueueMax;  // requests that wait for a thread
  // When it has as many, the one that has been idle for longest is closed for a new one.
  std::size_t connections_max = limits::kHttpConnectionsMax;
  std::size_t head_bytes_max = limits::kHttpHeadBytesMax;
  std::uint64_t body_bytes_max = limits::kHttpUploadBytesMax;
  std::int64_t head_timeout_ms = limits::kHttpHeadTimeoutMs;
  std::int64_t body_idle_timeout_ms = limits::kHttpBodyIdleTimeoutMs;
  std::int64_t keep_alive_timeout_ms = limits::kHttpKeepAliveTimeoutMs;
  std::int64_t write_idle_timeout_ms = limits::kHttpWriteIdleTimeoutMs;
};

class Server {
 public:
  // Listens and serves. `clock` and `random` outlive the server. Returns TEMPORARILY_UNAVAILABLE,
  // naming host and port, if it cannot listen there; INVALID_PARAMETER_VALUE for a bad host or bad
  // TLS files.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Router router, const Clock& clock,
                                               Random& random);
  // Cuts what still runs, after its handlers have returned.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  // Accepts nothing new, closes idle connections and lets running requests finish. Returns
  // DEADLINE_EXCEEDED if some still run after `timeout_ms`; they go on until the server is destroyed.
  Status Drain(std::int64_t timeout_ms = limits::kHttpDrainTimeoutMs);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace glovebox::http
