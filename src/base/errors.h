// SPDX-License-Identifier: Apache-2.0
//
// The closed list of error codes. Every error that leaves the server carries one of these, with the
// HTTP status beside it; `docs/errors.md` is generated from this file (`glovebox errors`).
//
// X(enumerator, wire name, HTTP status, meaning)
#pragma once

#include <string>
#include <string_view>

namespace glovebox {

// clang-format off
#define GB_ERROR_CODES(X)                                                                                                      \
  X(kOk, "OK", 200, "No error.")                                                                                                \
  X(kInvalidParameterValue, "INVALID_PARAMETER_VALUE", 400, "An argument is malformed, missing or out of its range.")           \
  X(kMalformedRequest, "MALFORMED_REQUEST", 400, "The request is not valid HTTP, JSON or UTF-8.")                               \
  X(kInvalidState, "INVALID_STATE", 400, "The object is not in a state that allows this; the message names the state.")         \
  X(kSqlSyntax, "SQL_SYNTAX_ERROR", 400, "The SQL text does not parse.")                                                        \
  X(kSqlUnknownName, "SQL_UNKNOWN_NAME", 400, "A table, column or function does not exist for this author.")                    \
  X(kSqlType, "SQL_TYPE_ERROR", 400, "An expression has the wrong type.")                                                       \
  X(kQueryRefused, "QUERY_REFUSED", 400, "A rule of the planner forbids the query; rule, position and a remedy are given.")     \
  X(kNotSupported, "NOT_SUPPORTED", 400, "The construct is known and refused by name.")                                         \
  X(kUnauthenticated, "UNAUTHENTICATED", 401, "No token, or one that is unknown, expired or revoked.")                          \
  X(kPermissionDenied, "PERMISSION_DENIED", 403, "The caller knows the object and may not do this to it.")                      \
  X(kNotFound, "RESOURCE_DOES_NOT_EXIST", 404, "No such object, or none that the caller may know of.")                          \
  X(kEndpointNotFound, "ENDPOINT_NOT_FOUND", 404, "No endpoint has this path and method.")                                      \
  X(kMethodNotAllowed, "METHOD_NOT_ALLOWED", 405, "The path exists with other methods.")                                        \
  X(kTimeout, "REQUEST_TIMEOUT", 408, "The request did not arrive whole in time.")                                              \
  X(kAlreadyExists, "RESOURCE_ALREADY_EXISTS", 409, "An object of this name exists.")                                           \
  X(kAborted, "ABORTED", 409, "The object changed meanwhile, or the version named is not the latest.")                          \
  X(kPayloadTooLarge, "PAYLOAD_TOO_LARGE", 413, "The body is over the limit that the message names.")                           \
  X(kHeadersTooLarge, "HEADERS_TOO_LARGE", 431, "The request head is over the limit.")                                          \
  X(kResourceExhausted, "RESOURCE_EXHAUSTED", 429, "A limit of the room, the server or the caller is reached; retry later.")    \
  X(kRunFailed, "RUN_FAILED", 500, "The run failed after execution had started. There is no further detail for recipients.")    \
  X(kDataLoss, "DATA_LOSS", 500, "Stored data is missing or fails verification.")                                               \
  X(kInternal, "INTERNAL_ERROR", 500, "A defect of the server; the log has the request id.")                                    \
  X(kNotImplemented, "NOT_IMPLEMENTED", 501, "A known endpoint of the protocol that this server does not offer.")               \
  X(kUnavailable, "TEMPORARILY_UNAVAILABLE", 503, "The server is starting, draining or lacks a barrier that runs need.")        \
  X(kDeadlineExceeded, "DEADLINE_EXCEEDED", 504, "The operation took longer than its limit.")
// clang-format on

enum class ErrorCode : int {
#define GB_ERROR_ENUMERATOR(name, wire, http, meaning) name,
  GB_ERROR_CODES(GB_ERROR_ENUMERATOR)
#undef GB_ERROR_ENUMERATOR
};

// The name on the wire ("RESOURCE_DOES_NOT_EXIST"), its HTTP status and its documentation.
[[nodiscard]] std::string_view WireName(ErrorCode code);
[[nodiscard]] int HttpStatus(ErrorCode code);
[[nodiscard]] std::string_view Meaning(ErrorCode code);
// The code of a wire name; kInternal if there is none.
[[nodiscard]] ErrorCode ErrorCodeFromWireName(std::string_view wire_name);
// The table of docs/errors.md: a line each, in the order of the list above, without kOk.
[[nodiscard]] std::string ErrorCodesMarkdown();

}  // namespace glovebox
