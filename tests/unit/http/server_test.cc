// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "base/ids.h"
#include "base/json.h"
#include "tests/unit/http/client.h"

namespace glovebox::http::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A route that says when it runs and returns when it may.
struct Blocking {
  Gate running;
  Gate may_return;

  Router MakeRouter() {
    Router router = HelloRouter();
    router.Add(Method::kGet, "/wait", [this](Request&) -> Result<Response> {
      running.Open();
      may_return.Wait();
      return Response::Text("waited", "text/plain");
    });
    return router;
  }
};

TEST(Server, AnswersWithIdAndSecurityHeaders) {
  const auto server = StartServer(HelloRouter());
  const ClientResponse first = Fetch(server->port(), Get("/hello"));
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "hello");
  EXPECT_EQ(first.headers.at("content-type"), "text/plain");
  EXPECT_EQ(first.headers.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(first.headers.at("cache-control"), "no-store");
  EXPECT_TRUE(IsUuid(first.headers.at("x-request-id")));
  const ClientResponse second = Fetch(server->port(), Get("/hello", "X-Request-Id: mine\r\n"));
  EXPECT_TRUE(IsUuid(second.headers.at("x-request-id")));
  EXPECT_NE(second.headers.at("x-request-id"), first.headers.at("x-request-id"));
}

TEST(Server, HandlersSeeTheRequest) {
  Router router;
  std::string seen;
  router.Add(Method::kPost, "/rooms/{name}/x", [&](Request& request) -> Result<Response> {
    seen = std::string(MethodName(request.method)) + " " + request.PathParameter("name") + " " + request.raw_path +
           " " + request.query.GetString("q") + " " + *request.headers.Find("x-test") + " " + request.remote_address +
           " " + request.route + " " + std::to_string(request.body->length().value_or(0));
    return Response::Empty();
  });
  const auto server = StartServer(std::move(router));
  const ClientResponse response = Fetch(
      server->port(), "POST /rooms/a%20b/x?q=%C3%BC HTTP/1.1\r\nHost: a\r\nX-Test: t\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(response.status, 204);
  EXPECT_FALSE(response.headers.contains("content-length"));
  EXPECT_EQ(seen, "POST a b /rooms/a%20b/x ü t 127.0.0.1 /rooms/{name}/x 2");
}

TEST(Server, WrongPathAndWrongMethod) {
  const auto server = StartServer(HelloRouter());
  const ClientResponse absent = Fetch(server->port(), Get("/nowhere"));
  EXPECT_EQ(absent.status, 404);
  const json::Value body = *json::Parse(absent.body);
  EXPECT_EQ(body.GetString("error_code"), "ENDPOINT_NOT_FOUND");
  EXPECT_EQ(body.Get("details")->as_array()[1].GetString("request_id"), absent.headers.at("x-request-id"));
  const ClientResponse wrong = Fetch(server->port(), "DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("allow"), "GET, HEAD");
}

TEST(Server, HeadHasTheHeadersAndNoBody) {
  const auto server = StartServer(HelloRouter());
  Client client(server->port());
  client.Send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nHEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" + Get("/hello"));
  const ClientResponse head = client.Receive("HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "5");
  EXPECT_EQ(client.Receive("HEAD").status, 404);
  EXPECT_EQ(client.Receive().body, "hello");
}

TEST(Server, KeepsTheConnectionUntilToldOtherwise) {
  const auto server = StartServer(HelloRouter());
  Client client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.Send(Get("/hello"));
    EXPECT_EQ(client.Receive().headers.at("connection"), "keep-alive");
  }
  client.Send(Get("/nowhere"));
  EXPECT_EQ(client.Receive().headers.at("connection"), "keep-alive");
  client.Send(Get("/hello", "Connection: close\r\n"));
  EXPECT_EQ(client.Receive().headers.at("connection"), "close");
  EXPECT_TRUE(client.AtEnd());
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  const auto server = StartServer(HelloRouter());
  Client client(server->port());
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    const std::string body = "number " + std::to_string(i);
    requests += "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  client.Send(requests);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.Receive().body, "number " + std::to_string(i));
  }
}

TEST(Server, TakesARequestByteByByte) {
  const auto server = StartServer(HelloRouter());
  Client client(server->port());
  for (const char c : std::string("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")) {
    client.Send(std::string_view(&c, 1));
  }
  EXPECT_EQ(client.Receive().body, "abc");
}

TEST(Server, NoHeaderIsInjected) {
  Router router;
  router.Add(Method::kGet, "/inject", [](Request& request) -> Result<Response> {
    Response response = Response::Text("x", "text/plain");
    response.headers.Set("X-Name", request.query.GetString("name"));
    return response;
  });
  const auto server = StartServer(std::move(router));
  const ClientResponse response = Fetch(server->port(), Get("/inject?name=a%0D%0ASet-Cookie:%20b"));
  EXPECT_EQ(response.status, 500);
  EXPECT_FALSE(response.headers.contains("set-cookie"));
  EXPECT_FALSE(response.headers.contains("x-name"));
  EXPECT_EQ(Fetch(server->port(), Get("/inject?name=a")).headers.at("x-name"), "a");
}

TEST(Server, FailingHandlersAreErrorsAndNotTheEnd) {
  Router router = HelloRouter();
  router.Add(Method::kGet, "/throw",
             [](Request&) -> Result<Response> { throw std::runtime_error("secret of the exception"); });
  router.Add(Method::kGet, "/status",
             [](Request&) -> Result<Response> { return Status(ErrorCode::kPermissionDenied, "No."); });
  const auto server = StartServer(std::move(router));
  const ClientResponse thrown = Fetch(server->port(), Get("/throw"));
  EXPECT_EQ(thrown.status, 500);
  EXPECT_THAT(thrown.body, Not(HasSubstr("secret")));
  const ClientResponse denied = Fetch(server->port(), Get("/status"));
  EXPECT_EQ(denied.status, 403);
  EXPECT_EQ(json::Parse(denied.body)->GetString("error_code"), "PERMISSION_DENIED");
  EXPECT_EQ(Fetch(server->port(), Get("/hello")).status, 200);
}

TEST(Server, LogsTheRouteAndNeverThePath) {
  ::testing::internal::CaptureStderr();
  {
    Router router;
    router.Add(Method::kGet, "/rooms/{name}", [](Request&) -> Result<Response> { return Response::Empty(); });
    const auto server = StartServer(std::move(router));
    Client client(server->port());
    client.Send(Get("/rooms/private-name?token=private-token", "Authorization: Bearer private-bearer\r\n"));
    EXPECT_EQ(client.Receive().status, 204);
    client.Send(Get("/private-path"));
    EXPECT_EQ(client.Receive().status, 404);
    client.Close();
    EXPECT_TRUE(server->Drain().ok());
  }
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("/rooms/{name}"));
  EXPECT_THAT(log, HasSubstr("204"));
  EXPECT_THAT(log, HasSubstr("404"));
  EXPECT_THAT(log, HasSubstr("GET"));
  EXPECT_THAT(log, HasSubstr("request_id"));
  EXPECT_THAT(log, Not(HasSubstr("private")));
}

TEST(Server, SlowHeadIsTimedOut) {
  ServerOptions options;
  options.head_timeout_ms = 50;
  const auto server = StartServer(HelloRouter(), options);
  Client client(server->port());
  client.Send("GET /hello HTTP/1.1\r\nHo");
  EXPECT_EQ(client.Receive().status, 408);
  EXPECT_TRUE(client.AtEnd());
  Client silent(server->port());
  EXPECT_TRUE(silent.AtEnd());
}

TEST(Server, IdleConnectionIsClosedWithoutAnAnswer) {
  ServerOptions options;
  options.keep_alive_timeout_ms = 20;
  const auto server = StartServer(HelloRouter(), options);
  Client client(server->port());
  client.Send(Get("/hello"));
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_TRUE(client.AtEnd());
}

TEST(Server, FullQueueIsSaidAtOnce) {
  Blocking blocking;
  ServerOptions options;
  options.threads = 1;
  options.queue_max = 1;
  const auto server = StartServer(blocking.MakeRouter(), options);
  Client first(server->port());
  first.Send(Get("/wait"));
  blocking.running.Wait();
  // Of two more one waits and one is refused; which of them is the network's business.
  Client second(server->port());
  Client third(server->port());
  second.Send(Get("/hello"));
  third.Send(Get("/hello"));
  pollfd waiting[] = {{second.fd(), POLLIN, 0}, {third.fd(), POLLIN, 0}};
  ASSERT_EQ(poll(waiting, 2, 10'000), 1);
  Client& refused = waiting[0].revents != 0 ? second : third;
  Client& queued = waiting[0].revents != 0 ? third : second;
  const ClientResponse busy = refused.Receive();
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.headers.at("retry-after"), "1");
  EXPECT_EQ(json::Parse(busy.body)->GetString("error_code"), "TEMPORARILY_UNAVAILABLE");
  blocking.may_return.Open();
  EXPECT_EQ(first.Receive().body, "waited");
  EXPECT_EQ(queued.Receive().body, "hello");
}

TEST(Server, WhenItIsFullTheLongestIdleConnectionMakesWay) {
  ServerOptions options;
  options.connections_max = 2;
  const auto server = StartServer(HelloRouter(), options);
  Client first(server->port());
  Client second(server->port());
  for (Client* const client : {&first, &second, &first}) {
    client->Send(Get("/hello"));
    EXPECT_EQ(client->Receive().status, 200);
  }
  EXPECT_EQ(Fetch(server->port(), Get("/hello")).status, 200);
  EXPECT_TRUE(second.AtEnd());
  first.Send(Get("/hello"));
  EXPECT_EQ(first.Receive().status, 200);
}

TEST(Server, ConnectionsAreBounded) {
  ServerOptions options;
  options.connections_max = 1;
  Blocking blocking;
  const auto server = StartServer(blocking.MakeRouter(), options);
  Client first(server->port());
  first.Send(Get("/wait"));
  blocking.running.Wait();
  Client second(server->port());
  const ClientResponse refused = second.Receive();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  EXPECT_TRUE(second.AtEnd());
  blocking.may_return.Open();
  EXPECT_EQ(first.Receive().status, 200);
  first.Close();
  int status = 503;
  while (status == 503) {  // until the server has seen the end of the first
    status = Fetch(server->port(), Get("/hello")).status;
  }
  EXPECT_EQ(status, 200);
}

TEST(Server, TakenPortIsNamed) {
  const auto server = StartServer(HelloRouter());
  ServerOptions options;
  options.port = server->port();
  const auto second = Server::Start(options, HelloRouter(), kClock, kRandom);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.status().message(), HasSubstr("127.0.0.1:" + std::to_string(server->port())));
  EXPECT_EQ(second.status().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(Fetch(server->port(), Get("/hello")).status, 200);
}

TEST(Server, BadHostIsNamed) {
  ServerOptions options;
  options.host = "256.1.1.1";
  const auto server = Server::Start(options, HelloRouter(), kClock, kRandom);
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(server.status().message(), HasSubstr("256.1.1.1"));
}

TEST(Server, DrainLetsRunningRequestsFinish) {
  Blocking blocking;
  const auto server = StartServer(blocking.MakeRouter());
  Client idle(server->port());
  idle.Send(Get("/hello"));
  EXPECT_EQ(idle.Receive().status, 200);
  Client busy(server->port());
  busy.Send(Get("/wait"));
  blocking.running.Wait();
  EXPECT_EQ(server->Drain(0).code(), ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(idle.AtEnd());  // waits until the drain has begun
  EXPECT_FALSE(Client(server->port()).connected());
  blocking.may_return.Open();
  const ClientResponse response = busy.Receive();
  EXPECT_EQ(response.body, "waited");
  EXPECT_EQ(response.headers.at("connection"), "close");
  EXPECT_TRUE(server->Drain().ok());
}

TEST(Server, ClientThatGoesAwayDuringAHandlerIsTolerated) {
  Blocking blocking;
  const auto server = StartServer(blocking.MakeRouter());
  {
    Client client(server->port());
    client.Send(Get("/wait"));
    blocking.running.Wait();
    client.Reset();
  }
  blocking.may_return.Open();
  EXPECT_EQ(Fetch(server->port(), Get("/wait")).body, "waited");
  EXPECT_TRUE(server->Drain().ok());
}

TEST(Server, ClientThatOnlyStopsSendingGetsItsAnswer) {
  const auto server = StartServer(HelloRouter());
  Client client(server->port());
  client.Send(Get("/hello"));
  client.CloseSending();
  EXPECT_EQ(client.Receive().body, "hello");
}

TEST(Server, ManyClientsAtOnce) {
  const auto server = StartServer(HelloRouter());
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      Client client(server->port());
      for (int i = 0; i < 100; ++i) {
        client.Send(Get("/hello"));
        good += client.Receive().body == "hello" ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(good, 800);
}

TEST(Server, SeveralLiveInOneProcess) {
  const auto first = StartServer(HelloRouter());
  const auto second = StartServer(HelloRouter());
  EXPECT_NE(first->port(), second->port());
  EXPECT_EQ(Fetch(first->port(), Get("/hello")).status, 200);
  EXPECT_EQ(Fetch(second->port(), Get("/hello")).status, 200);
}

}  // namespace
}  // namespace glovebox::http::testing
