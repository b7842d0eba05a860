// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "http/connection.h"
#include "http/error_response.h"
#include "http/event_loop.h"
#include "http/response_head.h"
#include "http/worker_pool.h"

namespace glovebox::http {

class Server::Impl {
 public:
  Impl(ServerOptions options, Router router, const Clock& clock, Random& random)
      : options_(std::move(options)),
        router_(std::move(router)),
        pool_(options_.threads, options_.queue_max),
        context_{options_,
                 router_,
                 clock,
                 random,
                 loop_,
                 pool_,
                 collected_bodies_,
                 streamed_bodies_,
                 false,
                 [this](Connection* c) { OnClosed(c); }} {}

  // The order matters: cut the connections, so that no handler waits for a body; let the handlers
  // return; stop the loop, which until then takes their answers.
  ~Impl() {
    if (thread_.joinable()) {
      loop_.Post([this] {
        BeginDrain();
        for (const std::shared_ptr<Connection>& connection : Snapshot()) {
          connection->Close();
        }
      });
    }
    pool_.Stop();
    if (thread_.joinable()) {
      loop_.Post([this] { loop_.Stop(); });
      thread_.join();
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status Start() {
    ListenOptions listen;
    listen.host = options_.host;
    listen.port = options_.port;
    listen.tls = options_.tls.has_value() ? &*options_.tls : nullptr;
    listen.streams_max = options_.connections_max;
    listen.handshake_timeout_ms = options_.head_timeout_ms;
    listen.make_room = [this] { return CloseLongestIdle(); };
    listen.refusal = [this] { return Refusal(); };
    GB_ASSIGN_OR_RETURN(port_, loop_.Listen(std::move(listen),
                                            [this](std::shared_ptr<Stream> stream) { OnStream(std::move(stream)); }));
    thread_ = std::thread([this] { loop_.Run(); });
    return {};
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  Status Drain(std::int64_t timeout_ms) {
    loop_.Post([this] {
      BeginDrain();
      const std::lock_guard lock(mutex_);
      drain_begun_ = true;
      changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    const auto drained = [this] { return drain_begun_ && connection_count_ == 0; };
    if (!changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), drained)) {
      return {ErrorCode::kDeadlineExceeded, std::to_string(connection_count_) + " requests are still running."};
    }
    return {};
  }

 private:
  using Connections = std::vector<std::shared_ptr<Connection>>;

  Connections Snapshot() const {
    Connections all;
    for (const auto& [raw, connection] : connections_) {
      all.push_back(connection);
    }
    return all;
  }

  void BeginDrain() {
    context_.draining = true;
    loop_.StopListening();
    for (const std::shared_ptr<Connection>& connection : Snapshot()) {
      connection->OnDrain();
    }
  }

  void OnStream(std::shared_ptr<Stream> stream) {
    if (context_.draining) {
      stream->CloseNow();
      return;
    }
    auto connection = std::make_shared<Connection>(context_, std::move(stream));
    connections_.emplace(connection.get(), connection);
    SetCount();
    connection->Start();
  }

  void OnClosed(Connection* connection) {
    connections_.erase(connection);
    SetCount();
  }

  // Whoever holds connections and asks for nothing shuts nobody out.
  bool CloseLongestIdle() {
    std::shared_ptr<Connection> longest;
    for (const auto& [raw, connection] : connections_) {
      const auto since = connection->IdleSince();
      if (since.has_value() && (longest == nullptr || *since < *longest->IdleSince())) {
        longest = connection;
      }
    }
    if (longest != nullptr) {
      longest->Close();
    }
    return longest != nullptr;
  }

  void SetCount() {
    const std::lock_guard lock(mutex_);
    connection_count_ = connections_.size();
    changed_.notify_all();
  }

  std::string Refusal() const {
    const Status full(ErrorCode::kUnavailable, "The server has as many connections as it can take. Retry later.");
    const std::string request_id = NewUuid(context_.clock, context_.random);
    const Response response = ErrorResponse(full, request_id);
    const auto& text = std::get<std::string>(response.body);
    HeadContext context;
    context.framing = Framing::kLength;
    context.length = text.size();
    context.request_id = request_id;
    context.now = context_.clock.Now();
    const Result<std::string> head = FormatResponseHead(response.status, response.headers, context);
    return *head + text;
  }

  const ServerOptions options_;
  const Router router_;
  EventLoop loop_;
  WorkerPool pool_;
  FairGate collected_bodies_{limits::kHttpCollectedBodiesMax, limits::kHttpCollectedBodiesPerSenderMax};
  FairGate streamed_bodies_{limits::kHttpStreamedBodiesMax, limits::kHttpStreamedBodiesPerSenderMax};
  ConnectionContext context_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;  // the loop's thread only
  std::uint16_t port_ = 0;
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t connection_count_ = 0;
  bool drain_begun_ = false;
};

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Router router, const Clock& clock,
                                              Random& random) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(router), clock, random);
  GB_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;
std::uint16_t Server::port() const { return impl_->port(); }
Status Server::Drain(std::int64_t timeout_ms) { return impl_->Drain(timeout_ms); }

}  // namespace glovebox::http
