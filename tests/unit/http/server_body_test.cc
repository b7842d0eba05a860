// SPDX-License-Identifier: Apache-2.0
//
// Bodies on the wire, both ways.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "tests/unit/http/client.h"

namespace glovebox::http::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kMebibyte = 1U << 20U;

class TemporaryFile {
 public:
  TemporaryFile() : fd_(mkstemp(path_.data())) {}
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  std::string path_ = "/tmp/glovebox_http_XXXXXX";
  UniqueFd fd_;
};

// `size` bytes that differ from place to place.
std::string Pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& c : text) {
    state = state * 1'664'525U + 1'013'904'223U;
    c = static_cast<char>(state >> 24U);
  }
  return text;
}

std::string Put(std::string_view path, std::uint64_t length, std::string_view extra = "") {
  return "PUT " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n" +
         std::string(extra) + "\r\n";
}

// The sender is who the client says it is.
Result<std::string> SenderHeader(const Request& request) {
  const std::string* sender = request.headers.Find("X-Sender");
  return sender != nullptr ? *sender : std::string("somebody");
}

RouteOptions Streamed() { return {.body = BodyMode::kStreamed, .sender = SenderHeader}; }

Router UploadRouter(int fd) {
  Router router = HelloRouter();
  const auto count = [](Request& request) -> Result<Response> {
    GB_ASSIGN_OR_RETURN(const std::string body, request.body->ReadAll(limits::kJsonBodyBytesMax));
    return Response::Text(std::to_string(body.size()), "text/plain");
  };
  const auto little = [](Request& request) -> Result<Response> {
    GB_ASSIGN_OR_RETURN(const std::string body, request.body->ReadAll(10));
    return Response::Text(body, "text/plain");
  };
  router.Add(Method::kPut, "/little", little, Streamed());
  router.Add(Method::kPost, "/json", count, {.body = BodyMode::kCollected, .sender = SenderHeader});
  const auto store = [fd](Request& request) -> Result<Response> {
    std::uint64_t bytes = 0;
    std::vector<char> buffer(limits::kHttpChunkBytes);
    while (true) {
      GB_ASSIGN_OR_RETURN(const std::size_t read, request.body->Read(buffer));
      if (read == 0) {
        break;
      }
      GB_RETURN_IF_ERROR(WriteAll(fd, std::string_view(buffer.data(), read)));
      bytes += read;
    }
    return Response::Text(std::to_string(bytes), "text/plain");
  };
  router.Add(Method::kPut, "/file", store, Streamed());
  const Status denied(ErrorCode::kUnauthenticated, "Who are you?");
  router.Add(
      Method::kPut, "/denied", [denied](Request&) -> Result<Response> { return denied; },
      {.body = BodyMode::kStreamed, .sender = [denied](const Request&) -> Result<std::string> { return denied; }});
  return router;
}

// The most memory that this process has had since the last call.
std::int64_t PeakKibibytes() {
  std::int64_t peak = 0;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) {
      peak = std::atoll(line.c_str() + 6);
    }
  }
  std::ofstream("/proc/self/clear_refs") << "5";
  return peak;
}

TEST(Upload, StreamsWithBoundedMemory) {
  const TemporaryFile file;
  const auto server = StartServer(UploadRouter(file.fd()));
  const std::string block = Pattern(kMebibyte);
  constexpr std::size_t kBlocks = 128;
  PeakKibibytes();
  const std::int64_t before = PeakKibibytes();
  Client client(server->port());
  client.Send(Put("/file", kBlocks * kMebibyte));
  for (std::size_t i = 0; i < kBlocks; ++i) {
    ASSERT_TRUE(client.Send(block));
  }
  EXPECT_EQ(client.Receive().body, std::to_string(kBlocks * kMebibyte));
  const std::int64_t grown = PeakKibibytes() - before;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(grown, 16 * 1'024);
#else
  EXPECT_GE(grown, 0);
#endif
  std::string read(kMebibyte, '\0');
  for (const std::size_t i : {std::size_t{0}, std::size_t{77}, kBlocks - 1}) {
    ASSERT_EQ(pread(file.fd(), read.data(), read.size(), static_cast<off_t>(i * kMebibyte)),
              static_cast<ssize_t>(kMebibyte));
    EXPECT_TRUE(read == block);
  }
  client.Send(Get("/hello"));
  EXPECT_EQ(client.Receive().body, "hello");
}

TEST(Upload, ChunkedIsDecoded) {
  const TemporaryFile file;
  const auto server = StartServer(UploadRouter(file.fd()));
  const std::string content = Pattern(3 * kMebibyte + 17);
  Client client(server->port());
  client.Send("PUT /file HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (std::size_t at = 0, size = 1; at < content.size(); at += size, size = size * 3 + 1) {
    const std::string piece = content.substr(at, size);
    char head[32];
    std::snprintf(head, sizeof head, "%zX\r\n", piece.size());
    client.Send(head + piece + "\r\n");
  }
  client.Send("0\r\nX-Trailer: ignored\r\n\r\n" + Get("/hello"));
  EXPECT_EQ(client.Receive().body, std::to_string(content.size()));
  EXPECT_EQ(client.Receive().body, "hello");
  EXPECT_TRUE(*ReadFile(file.path(), 4 * kMebibyte) == content);
}

TEST(Upload, OverTheServersLimitIsRefusedByItsLength) {
  const TemporaryFile file;
  ServerOptions options;
  options.body_bytes_max = 1'000;
  const auto server = StartServer(UploadRouter(file.fd()), options);
  EXPECT_EQ(Fetch(server->port(), Put("/file", 1'000) + std::string(1'000, 'x')).body, "1000");
  const ClientResponse response = Fetch(server->port(), Put("/file", 1'001));
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(json::Parse(response.body)->GetString("message"), HasSubstr("1000 bytes"));
}

TEST(Upload, OverTheServersLimitInChunks) {
  const TemporaryFile file;
  ServerOptions options;
  options.body_bytes_max = kMebibyte;
  const auto server = StartServer(UploadRouter(file.fd()), options);
  Client client(server->port());
  client.Send("PUT /file HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3 && client.Send("80000\r\n" + std::string(0x80000, 'x') + "\r\n"); ++i) {
  }
  EXPECT_EQ(client.Receive().status, 413);
}

TEST(Upload, OverTheHandlersLimit) {
  const TemporaryFile file;
  const auto server = StartServer(UploadRouter(file.fd()));
  Client client(server->port());
  client.Send(Put("/little", 11) + std::string(11, 'x') + Get("/hello"));
  EXPECT_EQ(client.Receive().status, 413);
  EXPECT_EQ(client.Receive().body, "hello");  // the small rest was there already
}

TEST(Upload, EarlyAnswerReachesAClientThatIsStillSending) {
  const TemporaryFile file;
  const auto server = StartServer(UploadRouter(file.fd()));
  Client client(server->port());
  client.Send(Put("/denied", 32 * kMebibyte));
  EXPECT_TRUE(client.Send(std::string(32 * kMebibyte, 'x')));
  const ClientResponse response = client.Receive();
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.headers.at("connection"), "close");
}

TEST(Upload, ContinueIsSentOnceTheHandlerReads) {
  const TemporaryFile file;
  const auto server = StartServer(UploadRouter(file.fd()));
  Client client(server->port());
  client.Send(Put("/file", 5, "Expect: 100-continue\r\n"));
  EXPECT_EQ(client.Receive().status, 100);
  client.Send("hello");
  const ClientResponse response = client.Receive();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "5");
  client.Send(Get("/hello"));
  EXPECT_EQ(client.Receive().body, "hello");
}

TEST(Upload, ContinueIsNotSentForABodyThatNobodyWants) {
  const TemporaryFile file;
  const auto server = StartServer(UploadRouter(file.fd()));
  for (const std::string_view path : {"/denied", "/nowhere"}) {
    Client client(server->port());
    client.Send(Put(path, 5, "Expect: 100-continue\r\n"));
    const ClientResponse response = client.Receive();
    EXPECT_EQ(response.status, path == "/denied" ? 401 : 404);
    EXPECT_EQ(response.headers.at("connection"), "close");
    EXPECT_TRUE(client.AtEnd());
  }
}

TEST(Upload, ClientThatDoesNotWaitForContinue) {
  const TemporaryFile file;
  const auto server = StartServer(UploadRouter(file.fd()));
  Client client(server->port());
  client.Send(Put("/file", 5, "Expect: 100-continue\r\n") + "hello");
  EXPECT_EQ(client.Receive().body, "5");
}

TEST(Upload, BodyThatEndsEarlyIsAnError) {
  const TemporaryFile file;
  const auto server = StartServer(UploadRouter(file.fd()));
  for (const std::size_t sent : {std::size_t{3}, kMebibyte}) {  // before and after the handler has started
    Client client(server->port());
    client.Send(Put("/file", 2 * kMebibyte) + std::string(sent, 'x'));
    client.CloseSending();
    EXPECT_EQ(client.Receive().status, 400);
  }
}

TEST(Upload, SlowBodyIsTimedOut) {
  const TemporaryFile file;
  ServerOptions options;
  options.body_idle_timeout_ms = 30;
  const auto server = StartServer(UploadRouter(file.fd()), options);
  for (const std::size_t sent : {std::size_t{3}, kMebibyte}) {
    Client client(server->port());
    client.Send(Put("/file", 2 * kMebibyte) + std::string(sent, 'x'));
    EXPECT_EQ(client.Receive().status, 408);
  }
}

TEST(Upload, ServerThatGoesAwayWakesAHandlerThatReads) {
  const TemporaryFile file;
  Gate reading;
  Gate returned;
  Router router;
  Status seen;
  const auto read = [&](Request& request) -> Result<Response> {
    reading.Open();
    seen = request.body->ReadAll(kMebibyte).status();
    returned.Open();
    return Response::Empty();
  };
  router.Add(Method::kPut, "/file", read, Streamed());
  auto server = StartServer(std::move(router));
  Client client(server->port());
  client.Send(Put("/file", 100'000) + std::string(99'999, 'x'));
  reading.Wait();
  server.reset();
  returned.Wait();
  EXPECT_FALSE(seen.ok());
}

// Sends the beginning of a body, as `sender`, and says no more.
std::unique_ptr<Client> StartBody(const Server& server, std::string_view request_line, std::string_view sender,
                                  std::size_t length = 8 * kMebibyte) {
  auto client = std::make_unique<Client>(server.port());
  client->Send(std::string(request_line) + " HTTP/1.1\r\nHost: a\r\nX-Sender: " + std::string(sender) +
               "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n");
  client->Send(std::string(limits::kHttpBodyStartBytes, 'x'));
  return client;
}

TEST(Upload, SlowCollectedBodiesHoldNoThread) {
  const TemporaryFile file;
  ServerOptions options;
  options.threads = 1;
  const auto server = StartServer(UploadRouter(file.fd()), options);
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 8; ++i) {
    slow.push_back(StartBody(*server, "POST /json", i % 2 == 0 ? "a" : "b"));
  }
  EXPECT_EQ(Fetch(server->port(), Get("/hello")).body, "hello");
  slow.front()->Send(std::string(8 * kMebibyte - limits::kHttpBodyStartBytes, 'x'));
  EXPECT_EQ(slow.front()->Receive().body, std::to_string(8 * kMebibyte));
}

TEST(Upload, SlowStreamedBodiesHoldAShareOfTheThreads) {
  const TemporaryFile file;
  ServerOptions options;
  options.threads = limits::kHttpStreamedBodiesMax + 1;
  const auto server = StartServer(UploadRouter(file.fd()), options);
  std::vector<std::unique_ptr<Client>> slow;
  for (const std::string_view sender : {"a", "a", "a", "a", "b", "b", "b", "c"}) {
    slow.push_back(StartBody(*server, "PUT /file", sender));
  }
  // Those that are refused hear of it; the others go on being received.
  for (std::size_t refused = 0; refused < 4; ++refused) {
    std::vector<pollfd> readable;
    for (const std::unique_ptr<Client>& client : slow) {
      readable.push_back({client->fd(), POLLIN, 0});
    }
    ASSERT_GT(poll(readable.data(), readable.size(), 10'000), 0);
    const auto first =
        std::find_if(readable.begin(), readable.end(), [](const pollfd& ready) { return ready.revents != 0; });
    const auto answered = slow.begin() + (first - readable.begin());
    EXPECT_EQ((*answered)->Receive().status, 429);
    slow.erase(answered);
  }
  EXPECT_EQ(slow.size(), limits::kHttpStreamedBodiesMax);
  EXPECT_EQ(Fetch(server->port(), Get("/hello")).body, "hello");
}

TEST(Upload, WhoSendsIsAskedBeforeALargeBodyIsTaken) {
  const TemporaryFile file;
  const auto server = StartServer(UploadRouter(file.fd()));
  EXPECT_EQ(StartBody(*server, "PUT /denied", "a")->Receive().status, 401);
  EXPECT_EQ(StartBody(*server, "POST /small", "a")->Receive().status, 413);
  EXPECT_EQ(StartBody(*server, "POST /json", "a", limits::kJsonBodyBytesMax + 1)->Receive().status, 413);
}

TEST(Upload, CollectedBodyOverTheLimitInChunks) {
  const TemporaryFile file;
  const auto server = StartServer(UploadRouter(file.fd()));
  Client client(server->port());
  client.Send("POST /json HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 17 && client.Send("100000\r\n" + std::string(kMebibyte, 'x') + "\r\n"); ++i) {
  }
  EXPECT_EQ(client.Receive().status, 413);
}

TEST(Upload, CollectedBodyAfterContinue) {
  const TemporaryFile file;
  const auto server = StartServer(UploadRouter(file.fd()));
  for (const std::string_view path : {"/json", "/small"}) {
    Client client(server->port());
    client.Send("POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n" +
                "Expect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.Receive().status, 100);
    client.Send("1");
    EXPECT_EQ(client.Receive().body, "1");
  }
}

Router DownloadRouter(const std::string& path, std::size_t pieces) {
  Router router = HelloRouter();
  router.Add(Method::kGet, "/file",
             [path](Request&) -> Result<Response> { return Response::File(path, "application/octet-stream"); });
  router.Add(Method::kGet, "/stream", [pieces](Request&) -> Result<Response> {
    return Response::Stream(
        [i = std::size_t{0}, pieces]() mutable -> Result<std::string> {
          return i == pieces ? std::string() : std::string(10'000, static_cast<char>('a' + i++ % 26));
        },
        "text/plain");
  });
  router.Add(Method::kGet, "/broken", [](Request&) -> Result<Response> {
    return Response::Stream(
        [first = true]() mutable -> Result<std::string> {
          if (!std::exchange(first, false)) {
            return Status(ErrorCode::kInternal, "no more");
          }
          return std::string("part");
        },
        "text/plain");
  });
  return router;
}

TEST(Download, FileIsSentWhole) {
  const TemporaryFile file;
  const std::string content = Pattern(3 * kMebibyte + 5);
  ASSERT_TRUE(WriteAll(file.fd(), content).ok());
  const auto server = StartServer(DownloadRouter(file.path(), 0));
  Client client(server->port());
  client.Send("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n" + Get("/file") + Get("/hello"));
  EXPECT_EQ(client.Receive("HEAD").headers.at("content-length"), std::to_string(content.size()));
  const ClientResponse response = client.Receive();
  EXPECT_EQ(response.headers.at("content-type"), "application/octet-stream");
  EXPECT_TRUE(response.body == content);
  EXPECT_EQ(client.Receive().body, "hello");
}

TEST(Download, EmptyFile) {
  const TemporaryFile file;
  const auto server = StartServer(DownloadRouter(file.path(), 0));
  const ClientResponse response = Fetch(server->port(), Get("/file"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.at("content-length"), "0");
}

TEST(Download, AbsentFileIsNotFound) {
  const auto server = StartServer(DownloadRouter("/nonexistent/file", 0));
  EXPECT_EQ(Fetch(server->port(), Get("/file")).status, 404);
}

TEST(Download, FileThatShrinksCutsTheConnection) {
  const TemporaryFile file;
  ASSERT_TRUE(WriteAll(file.fd(), std::string(kMebibyte, 'x')).ok());
  Router router;
  router.Add(Method::kGet, "/file", [&](Request&) -> Result<Response> {
    Result<Response> response = Response::File(file.path(), "text/plain");
    EXPECT_EQ(ftruncate(file.fd(), 1'000), 0);
    return response;
  });
  const auto server = StartServer(std::move(router));
  EXPECT_FALSE(Fetch(server->port(), Get("/file")).complete);
}

TEST(Download, StreamIsChunked) {
  const auto server = StartServer(DownloadRouter("", 300));
  Client client(server->port());
  client.Send(Get("/stream") + "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" + Get("/hello"));
  const ClientResponse response = client.Receive();
  EXPECT_EQ(response.headers.at("transfer-encoding"), "chunked");
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(response.body.size(), 3'000'000U);
  EXPECT_EQ(response.body[10'000], 'b');
  EXPECT_EQ(client.Receive("HEAD").status, 200);
  EXPECT_EQ(client.Receive().body, "hello");
}

TEST(Download, StreamToHttp10EndsWithTheConnection) {
  const auto server = StartServer(DownloadRouter("", 3));
  const ClientResponse response =
      Fetch(server->port(), "GET /stream HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_FALSE(response.headers.contains("transfer-encoding"));
  EXPECT_EQ(response.headers.at("connection"), "close");
  EXPECT_EQ(response.body.size(), 30'000U);
}

TEST(Download, BrokenStreamCanBeToldFromAWholeOne) {
  const auto server = StartServer(DownloadRouter("", 0));
  const ClientResponse response = Fetch(server->port(), Get("/broken"));
  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(response.complete);
  EXPECT_EQ(Fetch(server->port(), Get("/hello")).status, 200);
}

TEST(Download, SlowReaderHoldsNoThread) {
  ServerOptions options;
  options.threads = 1;
  const auto server = StartServer(DownloadRouter("", 10'000), options);
  Client slow(server->port());
  slow.Send(Get("/stream"));  // 100 MB that it does not take
  EXPECT_EQ(Fetch(server->port(), Get("/hello")).body, "hello");
  slow.Reset();
  EXPECT_EQ(Fetch(server->port(), Get("/hello")).body, "hello");
}

}  // namespace
}  // namespace glovebox::http::testing
