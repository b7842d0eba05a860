// SPDX-License-Identifier: Apache-2.0
//
// Bodies on the wire, both ways.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>

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

Router UploadRouter(int fd, std::uint64_t bytes_max = limits::kHttpUploadBytesMax) {
  Router router = HelloRouter();
  router.Add(Method::kPut, "/file", [fd, bytes_max](Request& request) -> Result<Response> {
    GB_ASSIGN_OR_RETURN(const std::uint64_t bytes, request.body->ReadToFd(fd, bytes_max));
    return Response::Text(std::to_string(bytes), "text/plain");
  });
  router.Add(Method::kPut, "/denied",
             [](Request&) -> Result<Response> { return Status(ErrorCode::kUnauthenticated, "Who are you?"); });
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
  const auto server = StartServer(UploadRouter(file.fd(), 10));
  Client client(server->port());
  client.Send(Put("/file", 11) + std::string(11, 'x') + Get("/hello"));
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
  router.Add(Method::kPut, "/file", [&](Request& request) -> Result<Response> {
    reading.Open();
    seen = request.body->ReadAll(kMebibyte).status();
    returned.Open();
    return Response::Empty();
  });
  auto server = StartServer(std::move(router));
  Client client(server->port());
  client.Send(Put("/file", 100'000) + std::string(99'999, 'x'));
  reading.Wait();
  server.reset();
  returned.Wait();
  EXPECT_FALSE(seen.ok());
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
