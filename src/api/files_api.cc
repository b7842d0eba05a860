// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "api/catalog_apis.h"
#include "base/assert.h"
#include "base/limits.h"
#include "http/response_head.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using catalog::EntryKind;
using catalog::Overwrite;
using catalog::VolumeEntry;
using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view kFile = "/api/2.0/fs/files/{path...}";
constexpr std::string_view kDirectory = "/api/2.0/fs/directories/{path...}";
constexpr std::string_view kOctets = "application/octet-stream";

std::string PathOf(const Request& request) { return "/" + request.PathParameter("path"); }

Result<Response> PutFile(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const bool overwrite, request.query.GetBool("overwrite", false));
  GB_ASSIGN_OR_RETURN(
      const std::unique_ptr<catalog::Upload> upload,
      context.catalog->volumes.StartUpload(caller, PathOf(request), overwrite ? Overwrite::kYes : Overwrite::kNo));
  std::vector<char> buffer(limits::kHttpChunkBytes);
  while (true) {
    GB_ASSIGN_OR_RETURN(const std::size_t count, request.body->Read(buffer));
    if (count == 0) {
      break;
    }
    GB_RETURN_IF_ERROR(upload->Append(std::string_view(buffer.data(), count)));
  }
  GB_RETURN_IF_ERROR(upload->Commit());
  return Response::Empty();
}

// The answer to "how shall I send a large file?": in parts, which then are refused for want of URLs to a storage, upon
// which clients send the file in one request. Saying so at once would make them give up instead.
Result<Response> InitiateUpload(const Context& context, const Caller& caller, const Request& request) {
  const std::string action = request.query.GetString("action");
  if (action != "initiate-upload") {
    return Status(ErrorCode::kNotSupported, "Files are uploaded in one request: PUT this path.");
  }
  GB_ASSIGN_OR_RETURN(const bool overwrite, request.query.GetBool("overwrite", false));
  // For its checks only; it leaves nothing.
  GB_ASSIGN_OR_RETURN(
      const std::unique_ptr<catalog::Upload> upload,
      context.catalog->volumes.StartUpload(caller, PathOf(request), overwrite ? Overwrite::kYes : Overwrite::kNo));
  return Response::Json(json::Object{{"multipart_upload", json::Object{{"session_token", "none"}}}});
}

Result<Response> NoStorageUrls(const Caller&, Request&) {
  return Status(ErrorCode::kNotSupported,
                "This server hands out no URLs to its storage: send or get the file itself under /api/2.0/fs/files.");
}

struct Range {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

// The first form of a range of bytes, "bytes=first-[last]"; nothing for others, which mean the whole file.
std::optional<Range> ReadRange(const Request& request, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  const std::string* header = request.headers.Find("Range");
  if (header == nullptr || !header->starts_with(kUnit)) {
    return std::nullopt;
  }
  const char* end = header->data() + header->size();
  std::uint64_t first = 0;
  const auto [dash, first_error] = std::from_chars(header->data() + kUnit.size(), end, first);
  if (first_error != std::errc() || dash == end || *dash != '-' || first >= size) {
    return std::nullopt;
  }
  std::uint64_t last = size - 1;
  if (dash + 1 != end) {
    std::uint64_t wanted = 0;
    const auto [rest, last_error] = std::from_chars(dash + 1, end, wanted);
    if (last_error != std::errc() || rest != end || wanted < first) {
      return std::nullopt;
    }
    last = std::min(last, wanted);
  }
  return Range{first, last - first + 1};
}

Result<Response> GetFile(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(catalog::VolumeFile file, context.catalog->volumes.Open(caller, PathOf(request)));
  const std::string modified = http::FormatHttpDate(file.entry.modified_at);
  const std::string* unmodified_since = request.headers.Find("If-Unmodified-Since");
  if (unmodified_since != nullptr && *unmodified_since != modified) {
    return Status(ErrorCode::kAborted, "The file has changed since " + modified + ".");
  }
  const auto size = static_cast<std::uint64_t>(file.entry.size);
  const std::optional<Range> range = ReadRange(request, size);
  Response response;
  response.headers.Set("Content-Type", std::string(kOctets));
  response.headers.Set("Last-Modified", modified);
  response.headers.Set("Accept-Ranges", "bytes");
  if (range.has_value()) {
    response.status = 206;
    response.headers.Set("Content-Range", "bytes " + std::to_string(range->first) + "-" +
                                              std::to_string(range->first + range->length - 1) + "/" +
                                              std::to_string(size));
  }
  response.body = http::FileBody{.fd = std::make_shared<UniqueFd>(std::move(file.fd)),
                                 .offset = range.has_value() ? range->first : 0,
                                 .length = range.has_value() ? range->length : size};
  return response;
}

Result<Response> DeleteFile(const Context& context, const Caller& caller, const Request& request) {
  GB_RETURN_IF_ERROR(context.catalog->volumes.DeleteFile(caller, PathOf(request)));
  return Response::Empty();
}

json::Value EntryJson(const VolumeEntry& entry) {
  json::Object object{{"path", entry.path},
                      {"name", entry.name},
                      {"is_directory", entry.kind == EntryKind::kDirectory},
                      {"last_modified", ToInt(entry.modified_at)}};
  if (entry.kind == EntryKind::kFile) {
    object.Set("file_size", entry.size);
  }
  return object;
}

Result<Response> ListDirectory(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const catalog::PageRequest page, ReadPageRequest(request, "page_size"));
  GB_ASSIGN_OR_RETURN(const auto listed, context.catalog->volumes.ListDirectory(caller, PathOf(request), page));
  json::Array items;
  for (const VolumeEntry& entry : listed.items) {
    items.push_back(EntryJson(entry));
  }
  return PageResponse("contents", std::move(items), listed.next_token);
}

Result<Response> HeadDirectory(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const VolumeEntry entry, context.catalog->volumes.Head(caller, PathOf(request)));
  if (entry.kind != EntryKind::kDirectory) {
    return Status(ErrorCode::kNotFound, "The directory '" + entry.path + "' does not exist.");
  }
  return Response::Empty(200);
}

Result<Response> MakeDirectory(const Context& context, const Caller& caller, const Request& request) {
  GB_RETURN_IF_ERROR(context.catalog->volumes.CreateDirectory(caller, PathOf(request)));
  return Response::Empty();
}

Result<Response> DeleteDirectory(const Context& context, const Caller& caller, const Request& request) {
  GB_RETURN_IF_ERROR(context.catalog->volumes.DeleteDirectory(caller, PathOf(request)));
  return Response::Empty();
}

}  // namespace

void AddFilesApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.catalog != nullptr);
  const auto add = [&](Method method, std::string_view pattern, auto handler) {
    AddEndpoint(context, router, method, pattern,
                [context, handler](const Caller& caller, Request& request) -> Result<Response> {
                  return handler(context, caller, request);
                });
  };
  AddEndpoint(
      context, router, Method::kPut, kFile,
      [context](const Caller& caller, Request& request) { return PutFile(context, caller, request); },
      http::BodyMode::kStreamed);
  add(Method::kGet, kFile, GetFile);
  add(Method::kPost, kFile, InitiateUpload);
  add(Method::kDelete, kFile, DeleteFile);
  add(Method::kGet, kDirectory, ListDirectory);
  add(Method::kHead, kDirectory, HeadDirectory);
  add(Method::kPut, kDirectory, MakeDirectory);
  add(Method::kDelete, kDirectory, DeleteDirectory);
  for (const std::string_view what :
       {"create-download-url", "create-upload-part-urls", "create-resumable-upload-url", "create-abort-upload-url"}) {
    AddEndpoint(context, router, Method::kPost, "/api/2.0/fs/" + std::string(what), NoStorageUrls);
  }
}

}  // namespace glovebox::api
