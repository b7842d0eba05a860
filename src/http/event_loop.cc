// SPDX-License-Identifier: Apache-2.0
// The library's own functions, inlined here, make g++ see null pointers where there are none.
#pragma GCC diagnostic ignored "-Wnull-dereference"

#include "http/event_loop.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <type_traits>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/server.h"

namespace glovebox::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;
using TlsSocket = asio::ssl::stream<tcp::socket>;
using LiveCount = std::shared_ptr<std::atomic<std::size_t>>;

constexpr std::int64_t kAcceptRetryMs = 100;

// Calls a function once unless it is stopped or started anew before; a late call of an earlier start
// is not taken for the present one's.
class Deadline {
 public:
  explicit Deadline(const asio::any_io_executor& executor) : timer_(executor) {}
  void Start(std::int64_t ms, std::function<void()> expired) {
    timer_.expires_after(std::chrono::milliseconds(ms));
    timer_.async_wait([this, generation = ++generation_, expired = std::move(expired)](Error error) {
      if (!error && generation == generation_) {
        expired();
      }
    });
  }
  void Stop() {
    ++generation_;
    timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  std::uint64_t generation_ = 0;
};

IoOutcome OutcomeOf(Error error) {
  if (!error) {
    return IoOutcome::kDone;
  }
  return error == asio::error::eof ? IoOutcome::kEnd : IoOutcome::kFailed;
}

std::string AddressOf(const tcp::socket& socket) {
  Error error;
  const tcp::endpoint endpoint = socket.remote_endpoint(error);
  if (error) {
    return "unknown";
  }
  const asio::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

template <typename Socket>
class AsioStream final : public Stream, public std::enable_shared_from_this<AsioStream<Socket>> {
 public:
  template <typename... Arguments>
  AsioStream(LiveCount live, tcp::socket socket, Arguments&... arguments)
      : live_(std::move(live)),
        address_(AddressOf(socket)),
        socket_(std::move(socket), arguments...),
        read_deadline_(socket_.get_executor()),
        write_deadline_(socket_.get_executor()) {
    ++*live_;
  }
  ~AsioStream() override { --*live_; }
  AsioStream(const AsioStream&) = delete;
  AsioStream& operator=(const AsioStream&) = delete;

  void Handshake(std::int64_t timeout_ms, std::function<void()> done) {
    if constexpr (std::is_same_v<Socket, TlsSocket>) {
      read_deadline_.Start(timeout_ms, [self = this->shared_from_this()] { self->CloseNow(); });
      socket_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this(), done = std::move(done)](Error error) {
                                self->read_deadline_.Stop();
                                if (error) {
                                  self->CloseNow();
                                } else {
                                  done();
                                }
                              });
    } else {
      asio::post(socket_.get_executor(), std::move(done));
    }
  }

  void Read(std::span<char> buffer, std::int64_t timeout_ms,
            std::function<void(IoOutcome, std::size_t)> done) override {
    read_timed_out_ = false;
    StartReadDeadline(timeout_ms);
    socket_.async_read_some(asio::buffer(buffer.data(), buffer.size()),
                            [self = this->shared_from_this(), done = std::move(done)](Error error, std::size_t count) {
                              self->read_deadline_.Stop();
                              const bool timed_out = error && self->read_timed_out_;
                              done(timed_out ? IoOutcome::kTimeout : OutcomeOf(error), count);
                            });
  }

  void Write(std::vector<std::string_view> pieces, std::int64_t idle_timeout_ms,
             std::function<void(IoOutcome)> done) override {
    GB_ASSERT(!writing_);
    writing_ = true;
    pieces_.clear();
    for (const std::string_view piece : pieces) {
      pieces_.emplace_back(piece.data(), piece.size());
    }
    WriteSome(idle_timeout_ms, std::move(done));
  }

  void CloseGracefully(std::int64_t linger_ms) override {
    Error ignored;
    read_deadline_.Stop();
    write_deadline_.Stop();
    tcp_socket().cancel(ignored);  // a read that nobody waits for any more
    read_deadline_.Start(linger_ms, [self = this->shared_from_this()] { self->CloseNow(); });
    if constexpr (std::is_same_v<Socket, TlsSocket>) {
      socket_.async_shutdown([self = this->shared_from_this()](Error) { self->Linger(); });
    } else {
      Linger();
    }
  }

  void CloseNow() override {
    Error ignored;
    read_deadline_.Stop();
    write_deadline_.Stop();
    tcp_socket().close(ignored);
  }

  [[nodiscard]] const std::string& remote_address() const override { return address_; }

 private:
  tcp::socket& tcp_socket() {
    if constexpr (std::is_same_v<Socket, TlsSocket>) {
      return socket_.next_layer();
    } else {
      return socket_;
    }
  }

  void StartReadDeadline(std::int64_t timeout_ms) {
    read_deadline_.Start(timeout_ms, [self = this->shared_from_this(), timeout_ms] {
      if (self->writing_) {  // cancelling would hit the write, too, which has a deadline of its own
        self->StartReadDeadline(timeout_ms);
        return;
      }
      Error ignored;
      self->read_timed_out_ = true;
      self->tcp_socket().cancel(ignored);
    });
  }

  void WriteSome(std::int64_t idle_timeout_ms, std::function<void(IoOutcome)> done) {
    write_deadline_.Start(idle_timeout_ms, [self = this->shared_from_this()] { self->CloseNow(); });
    // `done` owns what owns this stream: it lives in the operation, or it would keep itself alive.
    socket_.async_write_some(pieces_, [self = this->shared_from_this(), idle_timeout_ms, done = std::move(done)](
                                          Error error, std::size_t count) mutable {
      self->write_deadline_.Stop();
      self->Advance(count);
      if (!error && !self->pieces_.empty()) {
        self->WriteSome(idle_timeout_ms, std::move(done));
        return;
      }
      self->writing_ = false;
      done(OutcomeOf(error));
    });
  }

  // Drops what was written from the front of pieces_, and empty pieces.
  void Advance(std::size_t count) {
    std::size_t index = 0;
    while (index < pieces_.size() && count >= pieces_[index].size()) {
      count -= pieces_[index].size();
      ++index;
    }
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(index));
    if (!pieces_.empty()) {
      pieces_.front() += count;
    }
  }

  void Linger() {
    Error ignored;
    tcp_socket().shutdown(tcp::socket::shutdown_send, ignored);
    Discard();
  }
  void Discard() {
    discarded_.resize(limits::kHttpReadBufferBytes);
    tcp_socket().async_read_some(asio::buffer(discarded_), [self = this->shared_from_this()](Error error, std::size_t) {
      if (error) {
        self->CloseNow();
      } else {
        self->Discard();
      }
    });
  }

  const LiveCount live_;
  const std::string address_;
  Socket socket_;
  Deadline read_deadline_;
  Deadline write_deadline_;
  bool read_timed_out_ = false;
  bool writing_ = false;
  std::vector<asio::const_buffer> pieces_;
  std::vector<char> discarded_;
};

Result<std::unique_ptr<asio::ssl::context>> MakeTlsContext(const TlsOptions& options) {
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION);
  Error error;
  if (context->use_certificate_chain_file(options.certificate_chain_file, error)) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "Cannot use the TLS certificate '" + options.certificate_chain_file + "': " + error.message() + ".");
  }
  if (context->use_private_key_file(options.private_key_file, asio::ssl::context::pem, error) ||
      SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return Status(ErrorCode::kInvalidParameterValue, "Cannot use the TLS key '" + options.private_key_file +
                                                         "': it is unreadable, no PEM or not the certificate's.");
  }
  return context;
}

}  // namespace

class EventLoop::Impl {
 public:
  asio::io_context io;
  tcp::acceptor acceptor{io};
  Deadline accept_retry{io.get_executor()};
  std::unique_ptr<asio::ssl::context> tls;
  ListenOptions options;
  std::function<void(std::shared_ptr<Stream>)> on_stream;
  LiveCount live = std::make_shared<std::atomic<std::size_t>>(0);

  Status Open() {
    Error error;
    tcp::resolver resolver(io);
    const auto found = resolver.resolve(options.host, std::to_string(options.port),
                                        tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error || found.empty()) {
      return {ErrorCode::kInvalidParameterValue,
              "'" + options.host + "' is no address to listen on: " + error.message() + "."};
    }
    // "localhost" has two addresses; the one that every client tries is the old one.
    const auto ipv4 =
        std::find_if(found.begin(), found.end(), [](const auto& entry) { return entry.endpoint().address().is_v4(); });
    const tcp::endpoint endpoint = (ipv4 == found.end() ? found.begin() : ipv4)->endpoint();
    (void)acceptor.open(endpoint.protocol(), error);
    if (!error) {
      (void)acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    }
    if (!error) {
      (void)acceptor.bind(endpoint, error);
    }
    if (!error) {
      (void)acceptor.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
      const std::string place = options.host + ":" + std::to_string(options.port);
      return {ErrorCode::kUnavailable, error == asio::error::address_in_use
                                           ? "Cannot listen on " + place + ": another program uses this port."
                                           : "Cannot listen on " + place + ": " + error.message() + "."};
    }
    return {};
  }

  void Accept() {
    acceptor.async_accept([this](Error error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || !acceptor.is_open()) {
        return;
      }
      if (error) {  // out of descriptors, most likely: they come back when connections end
        log::Warning("cannot accept a connection", {{"error", error.message()}});
        accept_retry.Start(kAcceptRetryMs, [this] { Accept(); });
        return;
      }
      Take(std::move(socket));
      Accept();
    });
  }

  void Take(tcp::socket socket) {
    Error ignored;
    (void)socket.set_option(tcp::no_delay(true), ignored);
    if (live->load() >= options.streams_max && !options.make_room()) {
      if (tls == nullptr) {
        (void)socket.non_blocking(true, ignored);
        socket.write_some(asio::buffer(options.refusal()), ignored);
        (void)socket.shutdown(tcp::socket::shutdown_send, ignored);
      }
      return;
    }
    if (tls != nullptr) {
      Begin(std::make_shared<AsioStream<TlsSocket>>(live, std::move(socket), *tls));
    } else {
      Begin(std::make_shared<AsioStream<tcp::socket>>(live, std::move(socket)));
    }
  }

  template <typename AnyStream>
  void Begin(std::shared_ptr<AnyStream> stream) {
    AnyStream* const raw = stream.get();
    raw->Handshake(options.handshake_timeout_ms, [this, stream = std::move(stream)] { on_stream(stream); });
  }
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::Post(std::function<void()> task) { asio::post(impl_->io, std::move(task)); }

Result<std::uint16_t> EventLoop::Listen(ListenOptions options, std::function<void(std::shared_ptr<Stream>)> on_stream) {
  if (options.tls != nullptr) {
    GB_ASSIGN_OR_RETURN(impl_->tls, MakeTlsContext(*options.tls));
  }
  impl_->options = std::move(options);
  impl_->on_stream = std::move(on_stream);
  GB_RETURN_IF_ERROR(impl_->Open());
  impl_->Accept();
  Error error;
  const std::uint16_t port = impl_->acceptor.local_endpoint(error).port();
  GB_ASSERT(!error);
  return port;
}

void EventLoop::StopListening() {
  Error ignored;
  impl_->accept_retry.Stop();
  (void)impl_->acceptor.close(ignored);
}

void EventLoop::Run() {
  const auto work = asio::make_work_guard(impl_->io);
  impl_->io.run();
}

void EventLoop::Stop() { impl_->io.stop(); }

}  // namespace glovebox::http
