// SPDX-License-Identifier: Apache-2.0
#include "api/sql_api.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "api/type_json.h"
#include "base/assert.h"
#include "base/limits.h"
#include "base/strings.h"
#include "base/text_place.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using http::Method;
using http::Request;
using http::Response;
using statement::StatementResult;

constexpr std::string_view kStatements = "/api/2.0/sql/statements";
constexpr std::string_view kWarehouseId = "glovebox";
constexpr std::int64_t kMsPerSecond = 1'000;
constexpr std::int64_t kWaitSecondsDefault = 10;

std::string_view WireName(StatementState state) {
  switch (state) {
    case StatementState::kPending:
      return "PENDING";
    case StatementState::kRunning:
      return "RUNNING";
    case StatementState::kSucceeded:
      return "SUCCEEDED";
    case StatementState::kFailed:
      return "FAILED";
    case StatementState::kCanceled:
      return "CANCELED";
  }
  return "FAILED";
}

// The code in the closed list that this API's clients have.
std::string_view ServiceErrorCode(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return "NOT_FOUND";
    case ErrorCode::kAlreadyExists:
      return "ALREADY_EXISTS";
    case ErrorCode::kAborted:
      return "ABORTED";
    case ErrorCode::kUnauthenticated:
      return "UNAUTHENTICATED";
    case ErrorCode::kResourceExhausted:
      return "RESOURCE_EXHAUSTED";
    case ErrorCode::kUnavailable:
      return "TEMPORARILY_UNAVAILABLE";
    case ErrorCode::kDeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case ErrorCode::kDataLoss:
      return "IO_ERROR";
    case ErrorCode::kInternal:
    case ErrorCode::kRunFailed:
      return "INTERNAL_ERROR";
    default:
      return "BAD_REQUEST";
  }
}

json::Value ErrorJson(const Status& status, const std::string& text) {
  std::string message =
      "[" + std::string(glovebox::WireName(status.code())) + "] " +
      (status.code() == ErrorCode::kInternal ? "Internal error; the server's log has it." : status.message());
  json::Object error{{"error_code", ServiceErrorCode(status.code())}};
  if (status.position().has_value()) {
    message += " (" + PlaceInText(text, *status.position()) + ")";
    error.Set("position", static_cast<std::int64_t>(*status.position()));
  }
  SetText(error, "rule", status.rule());
  error.Set("message", std::move(message));
  return error;
}

json::Value CellJson(const json::Value& value) {
  return value.is_null() || value.is_string() ? value : json::Value(json::Write(value));
}

// A chunk is made up in memory for each request: of wide rows it has fewer.
std::size_t ChunkRows(const StatementResult& result) {
  const std::size_t columns = std::max<std::size_t>(result.columns.size(), 1);
  return std::clamp<std::size_t>(limits::kStatementChunkCells / columns, 1, limits::kStatementChunkRows);
}

std::size_t ChunkCount(const StatementResult& result) {
  return (result.rows.size() + ChunkRows(result) - 1) / ChunkRows(result);
}

json::Value ChunkJson(const StatementView& view, const StatementResult& result, std::size_t chunk) {
  const std::size_t begin = chunk * ChunkRows(result);
  const std::size_t end = std::min(begin + ChunkRows(result), result.rows.size());
  json::Array rows;
  for (std::size_t i = begin; i < end; ++i) {
    json::Array cells;
    for (const json::Value& value : result.rows[i]) {
      cells.push_back(CellJson(value));
    }
    rows.emplace_back(std::move(cells));
  }
  json::Object object{{"chunk_index", static_cast<std::int64_t>(chunk)},
                      {"row_offset", static_cast<std::int64_t>(begin)},
                      {"row_count", static_cast<std::int64_t>(end - begin)},
                      {"data_array", std::move(rows)}};
  if (end < result.rows.size()) {
    const std::string next = std::to_string(chunk + 1);
    object.Set("next_chunk_index", static_cast<std::int64_t>(chunk + 1));
    object.Set("next_chunk_internal_link", std::string(kStatements) + "/" + view.id + "/result/chunks/" + next);
  }
  return object;
}

// What a statement that wrote rows reports, in the columns that Databricks gives.
StatementResult Affected(std::int64_t rows) {
  StatementResult result;
  result.columns = {{"num_affected_rows", "BIGINT"}, {"num_inserted_rows", "BIGINT"}};
  result.rows = {{rows, rows}};
  return result;
}

void SetResult(json::Object& response, const StatementView& view, const StatementResult& result) {
  json::Array columns;
  for (const engine::Column& column : result.columns) {
    columns.emplace_back(ResultColumnJson(column.name, column.type, columns.size()));
  }
  const std::size_t chunks = ChunkCount(result);
  json::Array chunk_list;
  for (std::size_t i = 0; i < chunks; ++i) {
    const std::size_t begin = i * ChunkRows(result);
    chunk_list.emplace_back(json::Object{
        {"chunk_index", static_cast<std::int64_t>(i)},
        {"row_offset", static_cast<std::int64_t>(begin)},
        {"row_count", static_cast<std::int64_t>(std::min(ChunkRows(result), result.rows.size() - begin))}});
  }
  const auto column_count = static_cast<std::int64_t>(columns.size());
  response.Set("manifest",
               json::Object{{"format", "JSON_ARRAY"},
                            {"schema", json::Object{{"column_count", column_count}, {"columns", std::move(columns)}}},
                            {"total_chunk_count", static_cast<std::int64_t>(chunks)},
                            {"chunks", std::move(chunk_list)},
                            {"total_row_count", static_cast<std::int64_t>(result.rows.size())},
                            {"truncated", result.truncated}});
  response.Set("result", chunks == 0 ? json::Value(json::Object()) : ChunkJson(view, result, 0));
}

// The rows that clients see of a statement that succeeded.
std::shared_ptr<const StatementResult> ShownResult(const StatementView& view) {
  const StatementResult& result = view.outcome->value();
  return result.affected.has_value() ? std::make_shared<const StatementResult>(Affected(*result.affected))
                                     : std::shared_ptr<const StatementResult>(view.outcome, &result);
}

Response StatementResponse(const StatementView& view) {
  json::Object status{{"state", WireName(view.state)}};
  json::Object response{{"statement_id", view.id}};
  if (view.state == StatementState::kFailed) {
    status.Set("error", ErrorJson(view.outcome->status(), view.text));
  }
  response.Set("status", std::move(status));
  if (view.state == StatementState::kSucceeded) {
    SetResult(response, view, *ShownResult(view));
  }
  return Response::Json(std::move(response));
}

// "0s", or "5s" to "50s".
Result<std::int64_t> ReadWaitSeconds(const std::string& text) {
  std::int64_t seconds = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, seconds);
  const bool is_seconds = error == std::errc() && rest + 1 == end && *rest == 's';
  if (!is_seconds ||
      (seconds != 0 && (seconds < limits::kStatementWaitSecondsMin || seconds > limits::kStatementWaitSecondsMax))) {
    return Status(ErrorCode::kInvalidParameterValue, "'wait_timeout' must be 0s, or 5s to 50s.");
  }
  return seconds;
}

Status CheckOneOf(const json::ObjectReader& reader, std::string_view key, std::string_view only) {
  GB_ASSIGN_OR_RETURN(const std::string value, reader.OptionalString(key, only));
  if (value != only) {
    return {ErrorCode::kNotSupported, "'" + std::string(key) + "' must be " + std::string(only) + "."};
  }
  return {};
}

Result<std::vector<engine::Parameter>> ReadParameters(const json::ObjectReader& body) {
  const json::Value* list = body.Find("parameters");
  std::vector<engine::Parameter> parameters;
  if (list == nullptr) {
    return parameters;
  }
  if (!list->is_array() || list->as_array().size() > limits::kSqlParametersMax) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "'parameters' must be a list of at most " + std::to_string(limits::kSqlParametersMax) + " objects.");
  }
  std::size_t bytes = 0;
  for (const json::Value& item : list->as_array()) {
    GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(item, "parameters"));
    engine::Parameter parameter;
    GB_ASSIGN_OR_RETURN(parameter.name, reader.RequiredString("name"));
    GB_ASSIGN_OR_RETURN(parameter.type, reader.OptionalString("type"));
    GB_ASSIGN_OR_RETURN(parameter.value, reader.OptionalString("value"));
    parameter.is_null = reader.Find("value") == nullptr;
    bytes += parameter.name.size() + parameter.type.size() + parameter.value.size();
    if (bytes > limits::kSqlParameterBytesMax) {
      return Status(ErrorCode::kInvalidParameterValue,
                    "'parameters' are over " + std::to_string(limits::kSqlParameterBytesMax) + " bytes together.");
    }
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

Result<statement::StatementRequest> ReadStatement(const json::ObjectReader& reader) {
  GB_RETURN_IF_ERROR(CheckOneOf(reader, "disposition", "INLINE"));
  GB_RETURN_IF_ERROR(CheckOneOf(reader, "format", "JSON_ARRAY"));
  statement::StatementRequest request;
  GB_ASSIGN_OR_RETURN(request.text, reader.RequiredString("statement"));
  GB_ASSIGN_OR_RETURN(request.catalog, reader.OptionalString("catalog"));
  GB_ASSIGN_OR_RETURN(request.schema, reader.OptionalString("schema"));
  GB_ASSIGN_OR_RETURN(request.row_limit, reader.OptionalInt("row_limit", 0));
  GB_ASSIGN_OR_RETURN(request.parameters, ReadParameters(reader));
  if (request.text.size() > limits::kSqlTextBytesMax) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "'statement' is over " + std::to_string(limits::kSqlTextBytesMax) + " bytes.");
  }
  if (request.row_limit < 0) {
    return Status(ErrorCode::kInvalidParameterValue, "'row_limit' must not be negative.");
  }
  return request;
}

Result<Response> Submit(StatementRuns& runs, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(statement::StatementRequest wanted, ReadStatement(reader));
  GB_ASSIGN_OR_RETURN(const std::string wait,
                      reader.OptionalString("wait_timeout", std::to_string(kWaitSecondsDefault) + "s"));
  GB_ASSIGN_OR_RETURN(const std::int64_t seconds, ReadWaitSeconds(wait));
  GB_ASSIGN_OR_RETURN(const std::string on_timeout, reader.OptionalString("on_wait_timeout", "CONTINUE"));
  if (on_timeout != "CONTINUE" && on_timeout != "CANCEL") {
    return Status(ErrorCode::kInvalidParameterValue, "'on_wait_timeout' must be CONTINUE or CANCEL.");
  }
  GB_ASSIGN_OR_RETURN(const std::string id, runs.Submit(caller, std::move(wanted)));
  GB_ASSIGN_OR_RETURN(StatementView view,
                      seconds == 0 ? runs.Get(caller, id) : runs.Wait(caller, id, seconds * kMsPerSecond));
  // Who found no place to wait comes back for it.
  if (on_timeout == "CANCEL" && seconds != 0 && view.waited && !view.HasEnded()) {
    GB_RETURN_IF_ERROR(runs.Cancel(caller, id));
    GB_ASSIGN_OR_RETURN(view, runs.Wait(caller, id, limits::kStatementCancelWaitMs));
  }
  return StatementResponse(view);
}

Result<Response> GetChunk(StatementRuns& runs, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const StatementView view, runs.Get(caller, request.PathParameter("id")));
  if (view.state != StatementState::kSucceeded) {
    return Status(ErrorCode::kInvalidState,
                  "The statement has no result: its state is " + std::string(WireName(view.state)) + ".");
  }
  const std::string& text = request.PathParameter("chunk");
  const std::shared_ptr<const StatementResult> result = ShownResult(view);
  std::size_t chunk = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), chunk);
  if (error != std::errc() || end != text.data() + text.size() || chunk >= ChunkCount(*result)) {
    return Status(ErrorCode::kNotFound, "The result has no chunk '" + text + "'.");
  }
  return Response::Json(ChunkJson(view, *result, chunk));
}

json::Value WarehouseJson() {
  return json::Object{{"id", kWarehouseId},         {"name", "Glovebox"},
                      {"state", "RUNNING"},         {"warehouse_type", "PRO"},
                      {"cluster_size", "2X-Small"}, {"num_clusters", 1},
                      {"min_num_clusters", 1},      {"max_num_clusters", 1},
                      {"auto_stop_mins", 0},        {"enable_serverless_compute", true},
                      {"enable_photon", false}};
}

Result<Response> GetWarehouse(const Request& request) {
  if (request.PathParameter("id") != kWarehouseId) {
    return Status(ErrorCode::kNotFound, "There is one SQL warehouse: '" + std::string(kWarehouseId) + "'.");
  }
  return Response::Json(WarehouseJson());
}

}  // namespace

void AddSqlApi(const Context& context, StatementRuns& runs, http::Router& router) {
  GB_ASSERT(context.catalog != nullptr);
  const std::string statement = std::string(kStatements) + "/{id}";
  AddEndpoint(context, router, Method::kPost, kStatements,
              [&runs](const Caller& caller, Request& request) { return Submit(runs, caller, request); });
  AddEndpoint(context, router, Method::kGet, statement,
              [&runs](const Caller& caller, Request& request) -> Result<Response> {
                GB_ASSIGN_OR_RETURN(const StatementView view, runs.Get(caller, request.PathParameter("id")));
                return StatementResponse(view);
              });
  AddEndpoint(context, router, Method::kGet, statement + "/result/chunks/{chunk}",
              [&runs](const Caller& caller, Request& request) { return GetChunk(runs, caller, request); });
  AddEndpoint(context, router, Method::kPost, statement + "/cancel",
              [&runs](const Caller& caller, Request& request) -> Result<Response> {
                GB_RETURN_IF_ERROR(runs.Cancel(caller, request.PathParameter("id")));
                return Response::Json(json::Object());
              });
  AddEndpoint(context, router, Method::kGet, "/api/2.0/sql/warehouses",
              [](const Caller&, Request&) -> Result<Response> {
                return Response::Json(json::Object{{"warehouses", json::Array{WarehouseJson()}}});
              });
  AddEndpoint(context, router, Method::kGet, "/api/2.0/sql/warehouses/{id}",
              [](const Caller&, Request& request) { return GetWarehouse(request); });
}

}  // namespace glovebox::api
