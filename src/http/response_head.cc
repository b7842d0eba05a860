// SPDX-License-Identifier: Apache-2.0
#include "http/response_head.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "base/strings.h"

namespace glovebox::http {
namespace {

struct Reason {
  int status;
  std::string_view text;
};
constexpr Reason kReasons[] = {{200, "OK"},
                               {201, "Created"},
                               {202, "Accepted"},
                               {204, "No Content"},
                               {206, "Partial Content"},
                               {301, "Moved Permanently"},
                               {302, "Found"},
                               {303, "See Other"},
                               {304, "Not Modified"},
                               {400, "Bad Request"},
                               {401, "Unauthorized"},
                               {403, "Forbidden"},
                               {404, "Not Found"},
                               {405, "Method Not Allowed"},
                               {408, "Request Timeout"},
                               {409, "Conflict"},
                               {412, "Precondition Failed"},
                               {413, "Content Too Large"},
                               {416, "Range Not Satisfiable"},
                               {429, "Too Many Requests"},
                               {431, "Request Header Fields Too Large"},
                               {500, "Internal Server Error"},
                               {501, "Not Implemented"},
                               {503, "Service Unavailable"},
                               {504, "Gateway Timeout"}};

std::string_view ReasonOf(int status) {
  const auto* const found =
      std::find_if(std::begin(kReasons), std::end(kReasons), [&](const Reason& r) { return r.status == status; });
  return found == std::end(kReasons) ? std::string_view("Status") : found->text;
}

constexpr std::string_view kServersOwn[] = {"Content-Length", "Transfer-Encoding",      "Connection",     "Date",
                                            "X-Request-Id",   "X-Content-Type-Options", "X-Frame-Options"};
// What a handler may replace (static assets have their own).
constexpr std::pair<std::string_view, std::string_view> kDefaults[] = {
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Referrer-Policy", "no-referrer"}};

void AppendHeader(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

bool IsServersOwn(std::string_view name) {
  return std::any_of(std::begin(kServersOwn), std::end(kServersOwn),
                     [&](std::string_view own) { return EqualsIgnoreCase(own, name); });
}

}  // namespace

std::string FormatHttpDate(TimeMs time) {
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(ToInt(time) / 1'000);
  std::tm utc = {};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                 kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                                 kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                                 utc.tm_min, utc.tm_sec);
  return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
}

Result<std::string> FormatResponseHead(int status, const Headers& headers, const HeadContext& context) {
  if (status < 200 || status > 599) {
    return Status(ErrorCode::kInternal, "A handler gave the status " + std::to_string(status) + ".");
  }
  std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  head.append(ReasonOf(status)).append("\r\n");
  for (const auto& [name, value] : headers) {
    if (!IsValidHeaderName(name) || IsServersOwn(name) || !IsValidHeaderValue(value)) {
      return Status(ErrorCode::kInternal, "A handler gave a response header that may not be sent.");
    }
    AppendHeader(head, name, value);
  }
  for (const auto& [name, value] : kDefaults) {
    if (headers.Find(name) == nullptr) {
      AppendHeader(head, name, value);
    }
  }
  AppendHeader(head, "X-Content-Type-Options", "nosniff");
  AppendHeader(head, "X-Frame-Options", "DENY");
  if (context.secure) {
    AppendHeader(head, "Strict-Transport-Security", "max-age=31536000");
  }
  AppendHeader(head, "X-Request-Id", context.request_id);
  AppendHeader(head, "Date", FormatHttpDate(context.now));
  AppendHeader(head, "Connection", context.keep_alive ? "keep-alive" : "close");
  if (context.framing == Framing::kLength) {
    AppendHeader(head, "Content-Length", std::to_string(context.length));
  } else if (context.framing == Framing::kChunked) {
    AppendHeader(head, "Transfer-Encoding", "chunked");
  }
  head.append("\r\n");
  return head;
}

}  // namespace glovebox::http
