// SPDX-License-Identifier: Apache-2.0
//
// A client that sends exactly the bytes it is told to, and a server with a few routes to send them
// to. For the tests of http/.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "http/server.h"

namespace glovebox::http::testing {

struct ClientResponse {
  int status = 0;  // 0: the connection ended before a whole head
  std::string head;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  bool complete = false;  // the body ended as its framing said it would
};

// Waits at most ten seconds for anything; a test that would hang fails instead.
class Client {
 public:
  explicit Client(std::uint16_t port);
  [[nodiscard]] bool connected() const { return connected_; }
  // False if the other side closed meanwhile.
  bool Send(std::string_view bytes);
  // The next response. `method` HEAD has no body.
  ClientResponse Receive(std::string_view method = "GET");
  // Whether the server has closed its side and sent nothing before.
  bool AtEnd();
  void CloseSending();
  void Close() { fd_.reset(); }
  // Close with a reset instead of an orderly end.
  void Reset();

  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  bool Fill();

  UniqueFd fd_;
  bool connected_ = false;
  std::string input_;
};

// Opens once; whoever waits goes on then.
class Gate {
 public:
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

// GET /hello, with a Host and the given extra lines (each with its CRLF).
std::string Get(std::string_view path, std::string_view extra = "");
ClientResponse Fetch(std::uint16_t port, std::string_view request, std::string_view method = "GET");

inline const SystemClock kClock;
inline SystemRandom kRandom;

std::unique_ptr<Server> StartServer(Router router, ServerOptions options = {});
// "hello" at /hello and the body back at POST /echo.
Router HelloRouter();

}  // namespace glovebox::http::testing
