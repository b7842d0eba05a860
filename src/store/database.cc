// SPDX-License-Identifier: Apache-2.0
#include "store/database.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "base/errors.h"
#include "base/result.h"

namespace glovebox::store {
namespace {

// The value of a column, whose kind is an invariant of our own schema.
template <typename T>
const T& Get(const std::vector<Value>& values, std::size_t column) {
  GB_ASSERT(column < values.size());
  const T* value = std::get_if<T>(&values[column]);
  GB_ASSERT(value != nullptr);
  return *value;
}

}  // namespace

std::int64_t Row::Int(std::size_t column) const { return Get<std::int64_t>(values_, column); }

double Row::Double(std::size_t column) const { return Get<double>(values_, column); }

const std::string& Row::Text(std::size_t column) const {
  static const std::string kEmpty;
  return IsNull(column) ? kEmpty : Get<std::string>(values_, column);
}

const std::string& Row::Bytes(std::size_t column) const { return Get<Blob>(values_, column).bytes; }

bool Row::IsNull(std::size_t column) const {
  GB_ASSERT(column < values_.size());
  return std::holds_alternative<std::monostate>(values_[column]);
}

Result<std::optional<Row>> Transaction::QueryOne(std::string_view sql, const std::vector<Value>& parameters) {
  GB_ASSIGN_OR_RETURN(std::vector<Row> rows, Query(sql, parameters));
  if (rows.size() > 1) {
    return Status(ErrorCode::kInternal, "A query of the metadata database gave more than one row.");
  }
  if (rows.empty()) {
    return std::optional<Row>();
  }
  return std::optional<Row>(std::move(rows.front()));
}

}  // namespace glovebox::store
