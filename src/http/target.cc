// SPDX-License-Identifier: Apache-2.0
#include "http/target.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/encoding.h"
#include "base/limits.h"
#include "base/strings.h"

namespace glovebox::http {
namespace {

Status Malformed(std::string message) { return {ErrorCode::kMalformedRequest, std::move(message)}; }

bool IsTargetCharacter(char c) {
  if (c <= ' ' || c >= 0x7F) {  // char may be signed: bytes over 127 are refused by one side or the other
    return false;
  }
  constexpr std::string_view kMustBeEscaped = "\"#<>[\\]^`{|}";
  // Clients in use leave brackets alone in queries, where they have no second meaning.
  return kMustBeEscaped.find(c) == std::string_view::npos || c == '[' || c == ']';
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

Result<std::string> DecodeSegment(std::string_view raw) {
  Result<std::string> decoded = PercentDecode(raw);
  if (!decoded.ok()) {
    return Malformed("The path has a wrong percent escape.");
  }
  if (!IsValidUtf8(*decoded)) {
    return Malformed("The path is not UTF-8.");
  }
  if (HasControlCharacter(*decoded) || decoded->find('/') != std::string::npos || *decoded == "." || *decoded == "..") {
    return Malformed("A part of the path is '.', '..', or has an escaped '/' or control character.");
  }
  return decoded;
}

Result<std::string> DecodeQueryText(std::string_view raw) {
  std::string spaced(raw);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  Result<std::string> decoded = PercentDecode(spaced);
  if (!decoded.ok()) {
    return Malformed("The query has a wrong percent escape.");
  }
  if (!IsValidUtf8(*decoded) || decoded->find('\0') != std::string::npos) {
    return Malformed("The query is not UTF-8 text.");
  }
  return decoded;
}

Result<std::vector<std::string>> ParsePath(std::string_view path) {
  std::vector<std::string> segments;
  std::size_t begin = 1;
  while (true) {
    if (segments.size() == limits::kHttpPathSegmentsMax) {
      return Malformed("The path has too many parts.");
    }
    const std::size_t end = std::min(path.find('/', begin), path.size());
    GB_ASSIGN_OR_RETURN(std::string segment, DecodeSegment(path.substr(begin, end - begin)));
    segments.push_back(std::move(segment));
    if (end == path.size()) {
      return segments;
    }
    begin = end + 1;
  }
}

Result<QueryParameters> ParseQuery(std::string_view text) {
  QueryParameters query;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('&', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty()) {
      continue;
    }
    if (query.size() == limits::kHttpQueryParametersMax) {
      return Malformed("The query has too many parameters.");
    }
    const std::size_t equals = std::min(part.find('='), part.size());
    GB_ASSIGN_OR_RETURN(std::string name, DecodeQueryText(part.substr(0, equals)));
    GB_ASSIGN_OR_RETURN(std::string value, DecodeQueryText(part.substr(std::min(equals + 1, part.size()))));
    query.Add(std::move(name), std::move(value));
  }
  return query;
}

}  // namespace

Result<Target> ParseTarget(std::string_view target) {
  if (target.empty() || target.front() != '/') {
    return Malformed("The request target must start with '/'.");
  }
  if (!std::all_of(target.begin(), target.end(), IsTargetCharacter)) {
    return Malformed("The request target has a character that must be percent-encoded.");
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, question);
  Target result;
  result.raw_path = std::string(path);
  GB_ASSIGN_OR_RETURN(result.segments, ParsePath(path));
  GB_ASSIGN_OR_RETURN(result.query, ParseQuery(target.substr(std::min(question + 1, target.size()))));
  return result;
}

}  // namespace glovebox::http
