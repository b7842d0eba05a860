// SPDX-License-Identifier: Apache-2.0
//
// One connection: reads a head, routes it, collects the body (or, where it is streamed, its start), hands
// the request to the pool, writes the response, and starts over.
//
// Threads: everything on the loop's thread. The handler's thread sees the Request and its BodyQueue
// only, and answers through EventLoop::Post.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fair_gate.h"
#include "http/body_queue.h"
#include "http/event_loop.h"
#include "http/message.h"
#include "http/request_parser.h"
#include "http/response_head.h"
#include "http/router.h"
#include "http/server.h"
#include "http/worker_pool.h"

namespace glovebox::http {

class Connection;

// What the connections of a server share. Outlives them.
struct ConnectionContext {
  const ServerOptions& options;
  const Router& router;
  const Clock& clock;
  Random& random;
  EventLoop& loop;
  WorkerPool& pool;
  FairGate& collected_bodies;
  FairGate& streamed_bodies;
  bool draining = false;
  std::function<void(Connection*)> on_closed;
};

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ConnectionContext& context, std::shared_ptr<Stream> stream);

  void Start();
  // The server drains: an idle connection closes, a busy one after its response.
  void OnDrain();
  // Cuts the connection and wakes a handler that waits for its body.
  void Close();
  // Since when it waits for the first byte of a request, if it does.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> IdleSince() const;

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  // Bodies: kBody for their beginning; kAdmitting while it is asked who sends a larger one; kCollecting for its rest.
  enum class State { kHead, kBody, kAdmitting, kCollecting, kHandling, kResponding, kClosed };

  // From the end of a head to the end of its response.
  struct Exchange {
    Request request;
    std::string_view method_name = "-";  // for the log; unknown of what was no request
    Router::Match match;
    std::shared_ptr<BodyQueue> body;
    FairGate::Place place;  // of a larger body
    SteadyTime begin;
    std::int64_t body_waited_ms = 0;
    std::uint64_t body_bytes = 0;
    bool continue_pending = false;  // the client waits for "100 Continue"
    bool reading = false;
    // The response.
    int status = 0;
    std::string head;
    std::string text;
    std::string piece;  // on its way; text and head are, too, until the write is done
    std::string piece_size;
    Producer producer;
    Framing framing = Framing::kNone;
    bool keep_alive = false;
    std::uint64_t sent_bytes = 0;
  };
  using ExchangePtr = std::shared_ptr<Exchange>;

  void NextRequest();
  void ReadHead();
  void OnHeadBytes(IoOutcome outcome, std::size_t count);
  void ParseHead();
  void OnHead();
  void Reject(const Status& status);  // before there is a request
  ExchangePtr NewExchange();

  void ReadBody(const ExchangePtr& exchange);
  void OnBodyBytes(const ExchangePtr& exchange, IoOutcome outcome, std::size_t count);
  // Parses what has arrived of the body and decides what comes next.
  void ContinueBody(const ExchangePtr& exchange);
  // Asks who sends the body, and then takes its rest or refuses it.
  void Admit(const ExchangePtr& exchange);
  void OnSender(const ExchangePtr& exchange, const Result<std::string>& sender);
  void SendContinue(const ExchangePtr& exchange);
  void FailBody(const ExchangePtr& exchange, Status status);
  void OnBodyWanted(const ExchangePtr& exchange);
  [[nodiscard]] std::int64_t BodyTimeoutMs(const Exchange& exchange) const;

  void Dispatch(const ExchangePtr& exchange);
  void RespondError(const ExchangePtr& exchange, const Status& status);
  void Respond(const ExchangePtr& exchange, Response response);
  // Chooses the framing and formats the head. Returns INTERNAL_ERROR if the response may not be sent.
  Status Prepare(Exchange& exchange, Response& response) const;
  void Pump(const ExchangePtr& exchange);
  void OnPiece(const ExchangePtr& exchange, const Result<std::string>& piece);
  void Finish(const ExchangePtr& exchange);
  void LogExchange(const Exchange& exchange, bool complete) const;
  void CloseAfterResponse();
  [[nodiscard]] bool IsCurrent(const ExchangePtr& exchange) const;

  ConnectionContext& context_;
  const std::shared_ptr<Stream> stream_;
  State state_ = State::kHead;
  std::string input_;  // received and not yet used
  std::vector<char> read_buffer_;
  std::unique_ptr<RequestParser> parser_;
  ExchangePtr exchange_;
  bool served_ = false;       // at least one request
  SteadyTime waiting_since_;  // for the head of a request
  std::optional<SteadyTime> head_begin_;
};

}  // namespace glovebox::http
