// SPDX-License-Identifier: Apache-2.0
//
// Sockets, TLS and timers, with nothing of the library behind them in sight.
//
// One thread calls Run; every callback comes on it. A Stream takes at most one Read and one Write at
// a time; its buffers must live until the callback. A callback is always made, after the call that
// asked for it has returned, until the loop is destroyed.
// Threads: Post and Stop from any thread; everything else on the loop's, or while it does not run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace glovebox::http {

struct TlsOptions;

enum class IoOutcome { kDone, kEnd, kTimeout, kFailed };

// One accepted connection, in the clear or in TLS.
class Stream {
 public:
  virtual ~Stream() = default;
  // At least one byte, unless the outcome is another than kDone.
  virtual void Read(std::span<char> buffer, std::int64_t timeout_ms,
                    std::function<void(IoOutcome, std::size_t)> done) = 0;
  // All pieces. The timeout is for each step forward, not for the whole.
  virtual void Write(std::vector<std::string_view> pieces, std::int64_t idle_timeout_ms,
                     std::function<void(IoOutcome)> done) = 0;
  // Says that nothing follows, and for at most `linger_ms` throws away what the other side still
  // sends: closing on unread bytes would take back an answer that is under way. Keeps itself alive.
  virtual void CloseGracefully(std::int64_t linger_ms) = 0;
  virtual void CloseNow() = 0;
  [[nodiscard]] virtual const std::string& remote_address() const = 0;
};

struct ListenOptions {
  std::string host;
  std::uint16_t port = 0;
  const TlsOptions* tls = nullptr;
  std::size_t streams_max = 0;
  std::int64_t handshake_timeout_ms = 0;
  std::function<bool()> make_room;       // over streams_max: whether it has closed another stream
  std::function<std::string()> refusal;  // what whoever comes over streams_max is told, in the clear only
};

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void Post(std::function<void()> task);
  // Returns the port. Once per loop.
  Result<std::uint16_t> Listen(ListenOptions options, std::function<void(std::shared_ptr<Stream>)> on_stream);
  void StopListening();
  // Until Stop.
  void Run();
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glovebox::http
