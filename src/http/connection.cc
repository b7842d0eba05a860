// SPDX-License-Identifier: Apache-2.0
#include "http/connection.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/guarded.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/error_response.h"
#include "http/target.h"

namespace glovebox::http {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kHeadReadBytes = 8U << 10U;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

std::int64_t MillisecondsSince(steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin).count();
}

// The handler's end of a BodyQueue.
class QueueReader final : public BodyReader {
 public:
  QueueReader(std::shared_ptr<BodyQueue> queue, std::optional<std::uint64_t> length)
      : queue_(std::move(queue)), length_(length) {}
  Result<std::size_t> Read(std::span<char> buffer) override { return queue_->Read(buffer); }
  [[nodiscard]] std::optional<std::uint64_t> length() const override { return length_; }

 private:
  const std::shared_ptr<BodyQueue> queue_;
  const std::optional<std::uint64_t> length_;
};

// A file ends where it was said to end: a shorter one is an error, of a longer one no more is sent.
Producer ProduceFile(FileBody file) {
  return [file = std::move(file)]() mutable -> Result<std::string> {
    std::string piece(static_cast<std::size_t>(std::min<std::uint64_t>(file.length, limits::kHttpChunkBytes)), '\0');
    std::size_t filled = 0;
    while (filled < piece.size()) {
      const ssize_t count =
          pread(file.fd->get(), piece.data() + filled, piece.size() - filled, static_cast<off_t>(file.offset + filled));
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        return Status(ErrorCode::kDataLoss, "A file that was being sent is unreadable or has become shorter.");
      }
      filled += static_cast<std::size_t>(count);
    }
    file.offset += filled;
    file.length -= filled;
    return piece;
  };
}

Status TooLarge(std::size_t bytes_max) {
  return {ErrorCode::kPayloadTooLarge, "The body is over the limit of " + std::to_string(bytes_max) + " bytes."};
}

Status Busy() { return {ErrorCode::kUnavailable, "The server has more requests than it can take. Retry later."}; }

std::string HexSize(std::size_t size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  do {
    text.insert(text.begin(), kDigits[size % 16]);
    size /= 16;
  } while (size != 0);
  return text;
}

}  // namespace

Connection::Connection(ConnectionContext& context, std::shared_ptr<Stream> stream)
    : context_(context), stream_(std::move(stream)) {}

void Connection::Start() { NextRequest(); }

void Connection::OnDrain() {
  if (state_ == State::kHead) {
    Close();
  }
}

void Connection::Close() {
  if (state_ == State::kClosed) {
    return;
  }
  state_ = State::kClosed;
  if (exchange_ != nullptr) {
    if (exchange_->body != nullptr) {
      exchange_->body->Fail(Status(ErrorCode::kMalformedRequest, "The connection ended before the body did."));
    }
    LogExchange(*exchange_, false);
    exchange_.reset();
  }
  stream_->CloseNow();
  context_.on_closed(this);
}

std::optional<steady_clock::time_point> Connection::IdleSince() const {
  return state_ == State::kHead && !head_begin_.has_value() ? std::optional(waiting_since_) : std::nullopt;
}

void Connection::CloseAfterResponse() {
  state_ = State::kClosed;
  stream_->CloseGracefully(limits::kHttpLingerTimeoutMs);
  context_.on_closed(this);
}

bool Connection::IsCurrent(const ExchangePtr& exchange) const {
  return state_ != State::kClosed && exchange_ == exchange;
}

// ---- head

void Connection::NextRequest() {
  if (context_.draining) {
    CloseAfterResponse();
    return;
  }
  state_ = State::kHead;
  parser_ = std::make_unique<RequestParser>(context_.options.head_bytes_max, context_.options.body_bytes_max);
  head_begin_.reset();
  waiting_since_ = steady_clock::now();
  if (input_.empty()) {
    ReadHead();
    return;
  }
  head_begin_ = steady_clock::now();
  ParseHead();
}

void Connection::ReadHead() {
  std::int64_t timeout_ms = served_ ? context_.options.keep_alive_timeout_ms : context_.options.head_timeout_ms;
  if (head_begin_.has_value()) {
    timeout_ms = std::max<std::int64_t>(0, context_.options.head_timeout_ms - MillisecondsSince(*head_begin_));
  }
  read_buffer_.resize(std::max(read_buffer_.size(), kHeadReadBytes));
  stream_->Read(read_buffer_, timeout_ms, [self = shared_from_this()](IoOutcome outcome, std::size_t count) {
    self->OnHeadBytes(outcome, count);
  });
}

void Connection::OnHeadBytes(IoOutcome outcome, std::size_t count) {
  if (state_ == State::kClosed) {
    return;
  }
  if (outcome == IoOutcome::kTimeout && head_begin_.has_value()) {
    Reject(Status(ErrorCode::kTimeout, "The request head did not arrive in time."));
    return;
  }
  if (outcome != IoOutcome::kDone) {
    Close();
    return;
  }
  if (!head_begin_.has_value()) {
    head_begin_ = steady_clock::now();
  }
  input_.append(read_buffer_.data(), count);
  ParseHead();
}

void Connection::ParseHead() {
  const Result<std::size_t> used = parser_->ParseHead(input_);
  if (!used.ok()) {
    Reject(used.status());
    return;
  }
  input_.erase(0, *used);
  if (parser_->head_done()) {
    OnHead();
  } else {
    ReadHead();
  }
}

Connection::ExchangePtr Connection::NewExchange() {
  auto exchange = std::make_shared<Exchange>();
  exchange->request.request_id = NewUuid(context_.clock, context_.random);
  exchange->request.remote_address = stream_->remote_address();
  exchange->begin = steady_clock::now();
  return exchange;
}

void Connection::Reject(const Status& status) {
  exchange_ = NewExchange();
  input_.clear();
  Respond(exchange_, ErrorResponse(status, exchange_->request.request_id));
}

void Connection::OnHead() {
  const RequestHead& head = parser_->head();
  const std::optional<Method> method = MethodFromName(head.method);
  if (!method.has_value()) {
    Reject(Status(ErrorCode::kNotImplemented, "The request method is not known."));
    return;
  }
  Result<Target> target = ParseTarget(head.target);
  if (!target.ok()) {
    Reject(target.status());
    return;
  }
  const ExchangePtr exchange = NewExchange();
  exchange_ = exchange;
  Request& request = exchange->request;
  request.method = *method;
  request.raw_path = std::move(target->raw_path);
  request.segments = std::move(target->segments);
  request.query = std::move(target->query);
  request.headers = head.headers;
  exchange->method_name = MethodName(*method);
  exchange->match = context_.router.Find(*method, request.segments);
  request.route = exchange->match.route;
  request.path_parameters = std::move(exchange->match.path_parameters);

  exchange->continue_pending = head.expects_continue && input_.empty() && !parser_->done();
  exchange->body = std::make_shared<BodyQueue>(
      exchange->continue_pending ? FlowState::kPaused : FlowState::kFlowing,
      [weak_self = weak_from_this(), weak_exchange = std::weak_ptr(exchange), &loop = context_.loop] {
        loop.Post([weak_self, weak_exchange] {
          const auto self = weak_self.lock();
          const auto wanted = weak_exchange.lock();
          if (self != nullptr && wanted != nullptr) {
            self->OnBodyWanted(wanted);
          }
        });
      });
  request.body = std::make_unique<QueueReader>(exchange->body, head.content_length);
  state_ = State::kBody;
  if (exchange->continue_pending) {
    Admit(exchange);
  } else {
    ContinueBody(exchange);
  }
}

// ---- body

void Connection::ContinueBody(const ExchangePtr& exchange) {
  FlowState flow = FlowState::kFlowing;
  while (!parser_->done() && !input_.empty() && flow == FlowState::kFlowing) {
    std::string bytes;
    const Result<std::size_t> used = parser_->ParseBody(input_, bytes);
    if (!used.ok()) {
      FailBody(exchange, used.status());
      return;
    }
    input_.erase(0, *used);
    exchange->body_bytes += bytes.size();
    if (!bytes.empty()) {
      const FlowState wanted = exchange->body->Append(bytes);
      flow = state_ == State::kHandling ? wanted : FlowState::kFlowing;  // nobody reads yet
    }
    if (*used == 0) {
      break;
    }
  }
  if (parser_->done()) {
    exchange->body->End();
    if (state_ != State::kHandling) {
      Dispatch(exchange);
    }
    return;
  }
  if (state_ == State::kBody && exchange->body->buffered() >= limits::kHttpBodyStartBytes) {
    Admit(exchange);
    return;
  }
  if (state_ == State::kCollecting && exchange->body_bytes > limits::kJsonBodyBytesMax) {
    RespondError(exchange, TooLarge(limits::kJsonBodyBytesMax));
    return;
  }
  if (flow == FlowState::kFlowing) {
    ReadBody(exchange);
  }
}

void Connection::Admit(const ExchangePtr& exchange) {
  if (exchange->match.handler == nullptr) {
    Dispatch(exchange);
    return;
  }
  state_ = State::kAdmitting;
  if (exchange->match.options->sender == nullptr) {
    if (exchange->continue_pending) {
      state_ = State::kBody;
      SendContinue(exchange);
    } else {
      RespondError(exchange, TooLarge(limits::kHttpBodyStartBytes));
    }
    return;
  }
  const bool asked = context_.pool.TryPost([self = shared_from_this(), exchange] {
    auto sender = std::make_shared<Result<std::string>>(
        RunGuarded("A handler", [&] { return exchange->match.options->sender(std::as_const(exchange->request)); }));
    self->context_.loop.Post([self, exchange, sender] { self->OnSender(exchange, *sender); });
  });
  if (!asked) {
    RespondError(exchange, Busy());
  }
}

void Connection::OnSender(const ExchangePtr& exchange, const Result<std::string>& sender) {
  if (!IsCurrent(exchange)) {
    return;
  }
  if (!sender.ok()) {
    RespondError(exchange, sender.status());
    return;
  }
  const bool streamed = exchange->match.options->body == BodyMode::kStreamed;
  if (!streamed && parser_->head().content_length.value_or(0) > limits::kJsonBodyBytesMax) {
    RespondError(exchange, TooLarge(limits::kJsonBodyBytesMax));
    return;
  }
  exchange->place = (streamed ? context_.streamed_bodies : context_.collected_bodies).TryEnter(*sender);
  if (exchange->place == nullptr) {
    RespondError(exchange, Status(ErrorCode::kResourceExhausted,
                                  "Too many large bodies are being received; wait until some of yours have ended."));
    return;
  }
  if (streamed) {
    Dispatch(exchange);
  } else {
    state_ = State::kCollecting;
  }
  if (state_ == State::kResponding) {
    return;  // it could not be dispatched
  }
  if (!exchange->continue_pending) {
    ContinueBody(exchange);
  } else if (!streamed) {
    SendContinue(exchange);  // of a streamed body it is sent once the handler reads
  }
}

std::int64_t Connection::BodyTimeoutMs(const Exchange& exchange) const {
  const std::int64_t idle_ms = context_.options.body_idle_timeout_ms;
  const std::uint64_t slow_bytes = std::min(exchange.body_bytes, limits::kHttpBodySlowBytesMax);
  const auto earned_ms =
      static_cast<std::int64_t>(slow_bytes / limits::kHttpBodySlowBytesPerSecondMin +
                                (exchange.body_bytes - slow_bytes) / limits::kHttpBodyBytesPerSecondMin) *
      1'000;
  return std::clamp<std::int64_t>(idle_ms + earned_ms - exchange.body_waited_ms, 0, idle_ms);
}

void Connection::ReadBody(const ExchangePtr& exchange) {
  exchange->reading = true;
  read_buffer_.resize(limits::kHttpReadBufferBytes);
  stream_->Read(
      read_buffer_, BodyTimeoutMs(*exchange),
      [self = shared_from_this(), exchange, begin = steady_clock::now()](IoOutcome outcome, std::size_t count) {
        exchange->reading = false;
        exchange->body_waited_ms += MillisecondsSince(begin);
        self->OnBodyBytes(exchange, outcome, count);
      });
}

void Connection::OnBodyBytes(const ExchangePtr& exchange, IoOutcome outcome, std::size_t count) {
  if (!IsCurrent(exchange) || state_ == State::kResponding) {
    return;  // the handler has answered without it, and the connection ends with the answer
  }
  switch (outcome) {
    case IoOutcome::kDone:
      input_.append(read_buffer_.data(), count);
      ContinueBody(exchange);
      return;
    case IoOutcome::kTimeout:
      FailBody(exchange, Status(ErrorCode::kTimeout, "The request body did not arrive in time."));
      return;
    case IoOutcome::kEnd:
      FailBody(exchange, Status(ErrorCode::kMalformedRequest, "The request ended before its body did."));
      return;
    case IoOutcome::kFailed:
      Close();
      return;
  }
}

void Connection::FailBody(const ExchangePtr& exchange, Status status) {
  if (state_ == State::kHandling) {
    exchange->body->Fail(std::move(status));
  } else {
    RespondError(exchange, status);
  }
}

void Connection::OnBodyWanted(const ExchangePtr& exchange) {
  if (!IsCurrent(exchange) || state_ != State::kHandling || exchange->reading) {
    return;
  }
  if (exchange->continue_pending) {
    SendContinue(exchange);
  } else {
    ContinueBody(exchange);
  }
}

void Connection::SendContinue(const ExchangePtr& exchange) {
  exchange->continue_pending = false;
  stream_->Write({kContinue}, context_.options.write_idle_timeout_ms,
                 [self = shared_from_this(), exchange](IoOutcome outcome) {
                   if (!self->IsCurrent(exchange)) {
                     return;
                   }
                   if (outcome == IoOutcome::kDone) {
                     self->ContinueBody(exchange);
                   } else {
                     self->Close();
                   }
                 });
}

// ---- handler and response

void Connection::Dispatch(const ExchangePtr& exchange) {
  state_ = State::kHandling;
  if (exchange->match.handler == nullptr) {
    Response response = ErrorResponse(exchange->match.status, exchange->request.request_id);
    if (!exchange->match.allow.empty()) {
      response.headers.Set("Allow", exchange->match.allow);
    }
    Respond(exchange, std::move(response));
    return;
  }
  const bool admitted = context_.pool.TryPost([self = shared_from_this(), exchange] {
    Result<Response> result = RunGuarded("A handler", [&] { return (*exchange->match.handler)(exchange->request); });
    auto response = std::make_shared<Response>(
        result.ok() ? std::move(*result) : ErrorResponse(result.status(), exchange->request.request_id));
    self->context_.loop.Post([self, exchange, response] { self->Respond(exchange, std::move(*response)); });
  });
  if (!admitted) {
    RespondError(exchange, Busy());
  }
}

void Connection::RespondError(const ExchangePtr& exchange, const Status& status) {
  Respond(exchange, ErrorResponse(status, exchange->request.request_id));
}

Status Connection::Prepare(Exchange& exchange, Response& response) const {
  const RequestHead* head = parser_->head_done() ? &parser_->head() : nullptr;
  exchange.status = response.status;
  exchange.keep_alive =
      head != nullptr && exchange.body != nullptr && head->keep_alive && parser_->done() && !context_.draining;
  HeadContext context;
  context.framing = Framing::kLength;
  if (auto* text = std::get_if<std::string>(&response.body)) {
    exchange.text = std::move(*text);
    context.length = exchange.text.size();
  } else if (auto* file = std::get_if<FileBody>(&response.body)) {
    context.length = file->length;
    exchange.producer = ProduceFile(std::move(*file));
  } else {
    exchange.producer = std::get<Producer>(std::move(response.body));
    const bool can_chunk = head != nullptr && !head->http_1_0;
    context.framing = can_chunk ? Framing::kChunked : Framing::kClose;
    exchange.keep_alive = exchange.keep_alive && can_chunk;
  }
  const bool bodiless = response.status == 204 || response.status == 304;
  if (bodiless || exchange.request.method == Method::kHead) {
    exchange.text.clear();
    exchange.producer = nullptr;
    context.framing = bodiless || context.framing != Framing::kLength ? Framing::kNone : Framing::kLength;
  }
  exchange.framing = context.framing;
  context.keep_alive = exchange.keep_alive;
  context.secure = context_.options.tls.has_value();
  context.request_id = exchange.request.request_id;
  context.now = context_.clock.Now();
  GB_ASSIGN_OR_RETURN(exchange.head, FormatResponseHead(response.status, response.headers, context));
  return {};
}

void Connection::Respond(const ExchangePtr& exchange, Response response) {
  if (!IsCurrent(exchange)) {
    return;
  }
  state_ = State::kResponding;
  if (const Status prepared = Prepare(*exchange, response); !prepared.ok()) {
    exchange->producer = nullptr;
    Response error = ErrorResponse(prepared, exchange->request.request_id);
    const Status again = Prepare(*exchange, error);
    GB_ASSERT(again.ok());
  }
  exchange->sent_bytes = exchange->text.size();
  stream_->Write({exchange->head, exchange->text}, context_.options.write_idle_timeout_ms,
                 [self = shared_from_this(), exchange](IoOutcome outcome) {
                   if (!self->IsCurrent(exchange)) {
                     return;
                   }
                   if (outcome != IoOutcome::kDone) {
                     self->Close();
                   } else if (exchange->producer != nullptr) {
                     self->Pump(exchange);
                   } else {
                     self->Finish(exchange);
                   }
                 });
}

// One step at a time: a client that takes its time holds no thread of the pool meanwhile.
void Connection::Pump(const ExchangePtr& exchange) {
  context_.pool.Post([self = shared_from_this(), exchange] {
    auto piece = std::make_shared<Result<std::string>>(RunGuarded("A producer", exchange->producer));
    self->context_.loop.Post([self, exchange, piece] { self->OnPiece(exchange, *piece); });
  });
}

void Connection::OnPiece(const ExchangePtr& exchange, const Result<std::string>& piece) {
  if (!IsCurrent(exchange)) {
    return;
  }
  if (!piece.ok()) {
    log::Error("a response was cut", {{"request_id", exchange->request.request_id},
                                      {"error_code", std::string(WireName(piece.status().code()))}});
    Close();
    return;
  }
  exchange->piece = *piece;
  const bool last = exchange->piece.empty();
  if (last && exchange->framing != Framing::kChunked) {
    Finish(exchange);
    return;
  }
  std::vector<std::string_view> pieces = {exchange->piece};
  if (exchange->framing == Framing::kChunked) {
    exchange->piece_size = HexSize(exchange->piece.size()) + "\r\n";
    pieces = last ? std::vector<std::string_view>{kLastChunk}
                  : std::vector<std::string_view>{exchange->piece_size, exchange->piece, "\r\n"};
  }
  exchange->sent_bytes += exchange->piece.size();
  stream_->Write(std::move(pieces), context_.options.write_idle_timeout_ms,
                 [self = shared_from_this(), exchange, last](IoOutcome outcome) {
                   if (!self->IsCurrent(exchange)) {
                     return;
                   }
                   if (outcome != IoOutcome::kDone) {
                     self->Close();
                   } else if (last) {
                     self->Finish(exchange);
                   } else {
                     self->Pump(exchange);
                   }
                 });
}

void Connection::Finish(const ExchangePtr& exchange) {
  LogExchange(*exchange, true);
  served_ = true;
  exchange_.reset();
  if (exchange->keep_alive) {
    NextRequest();
  } else {
    CloseAfterResponse();
  }
}

void Connection::LogExchange(const Exchange& exchange, bool complete) const {
  log::Info("request", {{"method", std::string(exchange.method_name)},
                        {"route", exchange.request.route.empty() ? std::string("-") : exchange.request.route},
                        {"status", std::int64_t{exchange.status}},
                        {"duration_ms", MillisecondsSince(exchange.begin)},
                        {"received_bytes", static_cast<std::int64_t>(exchange.body_bytes)},
                        {"sent_bytes", static_cast<std::int64_t>(exchange.sent_bytes)},
                        {"complete", complete},
                        {"request_id", exchange.request.request_id}});
}

}  // namespace glovebox::http
