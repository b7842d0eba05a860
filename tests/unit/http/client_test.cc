// SPDX-License-Identifier: Apache-2.0
//
// The helpers of client.h; named so that it is built with the tests.
#include "tests/unit/http/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cstdlib>

#include "base/strings.h"

namespace glovebox::http::testing {

Client::Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval limit = {10, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connected_ = connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool Client::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool Client::Fill() {
  std::array<char, 65536> buffer{};
  const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (count <= 0) {
    return false;
  }
  input_.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

ClientResponse Client::Receive(std::string_view method) {
  ClientResponse response;
  std::size_t end = 0;
  while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) {
      return response;
    }
  }
  response.head = input_.substr(0, end + 2);
  input_.erase(0, end + 4);
  response.status = std::atoi(response.head.c_str() + 9);
  for (const std::string& line : Split(response.head, '\n')) {
    if (const std::size_t colon = line.find(':'); colon != std::string::npos) {
      response.headers[AsciiLower(line.substr(0, colon))] = std::string(TrimAscii(line.substr(colon + 1)));
    }
  }
  if (method == "HEAD" || response.status < 200 || response.status == 204 || response.status == 304) {
    response.complete = true;
    return response;
  }
  if (response.headers.contains("content-length")) {
    const auto length = static_cast<std::size_t>(std::atoll(response.headers["content-length"].c_str()));
    while (input_.size() < length && Fill()) {
    }
    response.complete = input_.size() >= length;
    response.body = input_.substr(0, length);
    input_.erase(0, length);
    return response;
  }
  if (!response.headers.contains("transfer-encoding")) {
    while (Fill()) {
    }
    response.complete = true;
    response.body.swap(input_);
    return response;
  }
  while (true) {
    while ((end = input_.find("\r\n")) == std::string::npos) {
      if (!Fill()) {
        return response;
      }
    }
    const std::size_t size = std::strtoull(input_.c_str(), nullptr, 16);
    while (input_.size() < end + 2 + size + 2) {
      if (!Fill()) {
        return response;
      }
    }
    response.body += input_.substr(end + 2, size);
    input_.erase(0, end + 2 + size + 2);
    if (size == 0) {
      response.complete = true;
      return response;
    }
  }
}

bool Client::AtEnd() {
  char byte = 0;
  return input_.empty() && recv(fd_.get(), &byte, 1, MSG_PEEK) == 0;
}

void Client::CloseSending() { shutdown(fd_.get(), SHUT_WR); }

void Client::Reset() {
  const linger now = {1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd_.reset();
}

std::string Get(std::string_view path, std::string_view extra) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(extra) + "\r\n";
}

ClientResponse Fetch(std::uint16_t port, std::string_view request, std::string_view method) {
  Client client(port);
  client.Send(request);
  return client.Receive(method);
}

std::unique_ptr<Server> StartServer(Router router, ServerOptions options) {
  Result<std::unique_ptr<Server>> server = Server::Start(std::move(options), std::move(router), kClock, kRandom);
  if (!server.ok()) {
    ADD_FAILURE() << server.status().message();
    std::abort();
  }
  return std::move(*server);
}

Router HelloRouter() {
  Router router;
  router.Add(Method::kGet, "/hello",
             [](Request&) -> Result<Response> { return Response::Text("hello", "text/plain"); });
  const auto echo = [](Request& request) -> Result<Response> {
    GB_ASSIGN_OR_RETURN(std::string body, request.body->ReadAll(1U << 20U));
    return Response::Text(std::move(body), "text/plain");
  };
  router.Add(Method::kPost, "/echo", echo,
             {.sender = [](const Request&) -> Result<std::string> { return std::string("anybody"); }});
  router.Add(Method::kPost, "/small", echo);  // asks nobody who sends
  return router;
}

}  // namespace glovebox::http::testing
