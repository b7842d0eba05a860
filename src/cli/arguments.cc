// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <charconv>
#include <cstdlib>

namespace glovebox::cli {
namespace {

constexpr std::string_view kDefaultHost = "127.0.0.1";

}  // namespace

Result<Address> ParseAddress(const std::string& text) {
  const Status wrong(ErrorCode::kInvalidParameterValue,
                     "'" + text + "' is no address to listen on: write HOST:PORT, as in 127.0.0.1:8080 or [::1]:8080.");
  Address address;
  const std::size_t colon = text.rfind(':');
  std::string host = colon == std::string::npos ? std::string(kDefaultHost) : text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  const char* begin = text.data() + (colon == std::string::npos ? 0 : colon + 1);
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(begin, end, address.port);
  const bool ambiguous = !bracketed && host.find_first_of("[]:") != std::string::npos;
  if (error != std::errc() || rest != end || host.empty() || ambiguous) {
    return wrong;
  }
  address.host = std::move(host);
  return address;
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

Result<std::string> DefaultDataFolder() {
  const char* data_home = std::getenv("XDG_DATA_HOME");  // NOLINT(concurrency-mt-unsafe): one thread
  if (data_home != nullptr && *data_home == '/') {
    return std::string(data_home) + "/glovebox";
  }
  const char* home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe): one thread
  if (home != nullptr && *home == '/') {
    return std::string(home) + "/.local/share/glovebox";
  }
  return Status(ErrorCode::kInvalidParameterValue,
                "There is no HOME to keep data in; say where with --data DIRECTORY.");
}

}  // namespace glovebox::cli
