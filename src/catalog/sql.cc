// SPDX-License-Identifier: Apache-2.0
#include "catalog/sql.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/json.h"
#include "base/result.h"
#include "store/database.h"

namespace glovebox::catalog {

Status Run(store::Transaction& transaction, std::string_view sql, const std::vector<store::Value>& parameters) {
  auto changed = transaction.Execute(sql, parameters);
  return changed.ok() ? Status() : changed.status();
}

Result<std::int64_t> NextNumber(store::Transaction& transaction, const std::string& sequence, std::int64_t first) {
  GB_ASSIGN_OR_RETURN(const auto row, transaction.QueryOne("SELECT next FROM sequences WHERE name = ?", {sequence}));
  if (!row.has_value()) {
    GB_RETURN_IF_ERROR(Run(transaction, "INSERT INTO sequences (name, next) VALUES (?, ?)", {sequence, first + 1}));
    return first;
  }
  GB_RETURN_IF_ERROR(Run(transaction, "UPDATE sequences SET next = next + 1 WHERE name = ?", {sequence}));
  return row->Int(0);
}

std::string NamesToText(const std::vector<std::string>& names) {
  json::Array array;
  for (const std::string& name : names) {
    array.emplace_back(name);
  }
  return json::Write(json::Value(std::move(array)));
}

Result<std::vector<std::string>> NamesFromText(const std::string& text) {
  auto value = json::Parse(text);
  std::vector<std::string> names;
  if (!value.ok() || !value->is_array()) {
    return Status(ErrorCode::kDataLoss, "A list of names in the metadata database is damaged.");
  }
  for (const json::Value& name : value->as_array()) {
    if (!name.is_string()) {
      return Status(ErrorCode::kDataLoss, "A list of names in the metadata database is damaged.");
    }
    names.push_back(name.as_string());
  }
  return names;
}

}  // namespace glovebox::catalog
