// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <vector>

#include "base/limits.h"
#include "base/strings.h"

namespace glovebox::http {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::array<std::pair<Method, std::string_view>, 7> kMethods = {{{Method::kGet, "GET"},
                                                                          {Method::kHead, "HEAD"},
                                                                          {Method::kPost, "POST"},
                                                                          {Method::kPut, "PUT"},
                                                                          {Method::kPatch, "PATCH"},
                                                                          {Method::kDelete, "DELETE"},
                                                                          {Method::kOptions, "OPTIONS"}}};

Status TooLarge(std::uint64_t bytes_max) {
  return {ErrorCode::kPayloadTooLarge, "The body is over the limit of " + std::to_string(bytes_max) + " bytes."};
}

Status WrongParameter(std::string_view name, std::string_view wanted) {
  return {ErrorCode::kInvalidParameterValue,
          "The query parameter '" + std::string(name) + "' must be " + std::string(wanted) + "."};
}

}  // namespace

std::string_view MethodName(Method method) {
  for (const auto& [known, name] : kMethods) {
    if (known == method) {
      return name;
    }
  }
  GB_ASSERT(false);
}

std::optional<Method> MethodFromName(std::string_view name) {
  for (const auto& [method, known] : kMethods) {
    if (known == name) {
      return method;
    }
  }
  return std::nullopt;
}

bool IsValidHeaderValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7F) || byte == '\t';
  });
}

bool IsValidHeaderName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter_or_digit || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
  });
}

void Headers::Add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }

void Headers::Set(std::string name, std::string value) {
  std::erase_if(fields_, [&](const auto& field) { return EqualsIgnoreCase(field.first, name); });
  Add(std::move(name), std::move(value));
}

const std::string* Headers::Find(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const auto& field) { return EqualsIgnoreCase(field.first, name); });
  return found == fields_.end() ? nullptr : &found->second;
}

std::size_t Headers::Count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      fields_.begin(), fields_.end(), [&](const auto& field) { return EqualsIgnoreCase(field.first, name); }));
}

void QueryParameters::Add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

const std::string* QueryParameters::Find(std::string_view name) const {
  const auto found =
      std::find_if(fields_.begin(), fields_.end(), [&](const auto& field) { return field.first == name; });
  return found == fields_.end() ? nullptr : &found->second;
}

std::vector<std::string> QueryParameters::All(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [field_name, value] : fields_) {
    if (field_name == name) {
      values.push_back(value);
    }
  }
  return values;
}

std::string QueryParameters::GetString(std::string_view name, std::string_view fallback) const {
  const std::string* value = Find(name);
  return value != nullptr ? *value : std::string(fallback);
}

Result<std::int64_t> QueryParameters::GetInt(std::string_view name, std::int64_t fallback) const {
  const std::string* text = Find(name);
  if (text == nullptr) {
    return fallback;
  }
  std::int64_t value = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end) {
    return WrongParameter(name, "an integer");
  }
  return value;
}

Result<bool> QueryParameters::GetBool(std::string_view name, bool fallback) const {
  const std::string* text = Find(name);
  if (text == nullptr) {
    return fallback;
  }
  if (*text != "true" && *text != "false") {
    return WrongParameter(name, "true or false");
  }
  return *text == "true";
}

Result<std::string> BodyReader::ReadAll(std::size_t bytes_max) {
  if (length().value_or(0) > bytes_max) {
    return TooLarge(bytes_max);
  }
  std::string text;
  std::vector<char> buffer(limits::kHttpReadBufferBytes);
  while (true) {
    GB_ASSIGN_OR_RETURN(const std::size_t count, Read(buffer));
    if (count == 0) {
      return text;
    }
    if (count > bytes_max - text.size()) {
      return TooLarge(bytes_max);
    }
    text.append(buffer.data(), count);
  }
}

Result<std::size_t> StringBody::Read(std::span<char> buffer) {
  const std::size_t count = std::min(buffer.size(), text_.size() - read_);
  text_.copy(buffer.data(), count, read_);
  read_ += count;
  return count;
}

const std::string& Request::PathParameter(std::string_view name) const {
  const auto found = std::find_if(path_parameters.begin(), path_parameters.end(),
                                  [&](const auto& parameter) { return parameter.first == name; });
  GB_ASSERT(found != path_parameters.end());
  return found->second;
}

Result<json::Value> Request::ReadJson() {
  GB_ASSIGN_OR_RETURN(const std::string text, body->ReadAll(limits::kJsonBodyBytesMax));
  if (text.empty()) {
    return json::Value(json::Object{});
  }
  return json::Parse(text);
}

Response Response::Json(const json::Value& value, int status) {
  return Text(json::Write(value), "application/json", status);
}

Response Response::Text(std::string text, std::string_view content_type, int status) {
  Response response;
  response.status = status;
  response.headers.Set("Content-Type", std::string(content_type));
  response.body = std::move(text);
  return response;
}

Response Response::Empty(int status) {
  Response response;
  response.status = status;
  return response;
}

Result<Response> Response::File(const std::string& path, std::string_view content_type) {
  auto fd = std::make_shared<UniqueFd>(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info = {};
  if (!fd->valid() || fstat(fd->get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return Status(ErrorCode::kNotFound, "There is no such file.");
  }
  Response response;
  response.headers.Set("Content-Type", std::string(content_type));
  response.body = FileBody{std::move(fd), 0, static_cast<std::uint64_t>(info.st_size)};
  return response;
}

Response Response::Stream(Producer producer, std::string_view content_type) {
  Response response;
  response.headers.Set("Content-Type", std::string(content_type));
  response.body = std::move(producer);
  return response;
}

}  // namespace glovebox::http
