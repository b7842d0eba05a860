// SPDX-License-Identifier: Apache-2.0
//
// Errors are values here. A function that can fail returns Status, or Result<T> when it also yields
// a value; exceptions stay inside the adapter that called the throwing library and are turned into
// a Status at its edge.
//
// Threads: a Status or Result is a plain value; const methods may be called from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/errors.h"

namespace glovebox {

// The outcome of an operation. `message` is written for the caller of the API and never carries a
// value of a table, a secret, or the name of something that the caller may not know.
class [[nodiscard]] Status {
 public:
  Status() = default;
  // REQUIRES: code is not kOk.
  Status(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {
    GB_ASSERT(code != ErrorCode::kOk);
  }

  [[nodiscard]] bool ok() const { return code_ == ErrorCode::kOk; }
  [[nodiscard]] ErrorCode code() const { return code_; }
  [[nodiscard]] const std::string& message() const { return message_; }

  // The rule of the planner that refuses ("P4"), empty if none does.
  [[nodiscard]] const std::string& rule() const { return rule_; }
  // Byte offset into the author's text, if the error has one.
  [[nodiscard]] std::optional<std::size_t> position() const { return position_; }
  Status&& WithRule(std::string rule) && {
    rule_ = std::move(rule);
    return std::move(*this);
  }
  Status&& At(std::optional<std::size_t> position) && {
    position_ = position;
    return std::move(*this);
  }

 private:
  ErrorCode code_ = ErrorCode::kOk;
  std::string message_;
  std::string rule_;
  std::optional<std::size_t> position_;
};

// A value of type T, or the Status that explains why there is none.
// REQUIRES: ok() before value(), operator* or operator->; checked in every build.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor): by design
  Result(Status status) : status_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    GB_ASSERT(!status_.ok());
  }
  [[nodiscard]] bool ok() const { return value_.has_value(); }
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] T& value() & {
    GB_ASSERT(ok());
    return *value_;
  }
  [[nodiscard]] const T& value() const& {
    GB_ASSERT(ok());
    return *value_;
  }
  [[nodiscard]] T&& value() && {
    GB_ASSERT(ok());
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace glovebox

#define GB_CONCAT_INNER(a, b) a##b
#define GB_CONCAT(a, b) GB_CONCAT_INNER(a, b)

// Returns the Status of `expr` from the enclosing function if it is an error.
#define GB_RETURN_IF_ERROR(expr)                                  \
  do {                                                            \
    if (::glovebox::Status gb_status = (expr); !gb_status.ok()) { \
      return gb_status;                                           \
    }                                                             \
  } while (false)

// Declares or assigns `lhs` from the Result `expr`, or returns its Status.
#define GB_ASSIGN_OR_RETURN(lhs, expr) GB_ASSIGN_OR_RETURN_IMPL(GB_CONCAT(gb_result_, __LINE__), lhs, expr)
#define GB_ASSIGN_OR_RETURN_IMPL(result, lhs, expr) \
  auto result = (expr);                             \
  if (!result.ok()) {                               \
    return result.status();                         \
  }                                                 \
  lhs = std::move(result).value()
