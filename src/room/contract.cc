// SPDX-License-Identifier: Apache-2.0
#include "room/contract.h"

#include <algorithm>
#include <set>

#include "base/limits.h"
#include "base/strings.h"
#include "room/documents.h"

namespace glovebox::room {
namespace {

Status Invalid(std::string message) {
  return Status(ErrorCode::kInvalidParameterValue, "output_contract: " + std::move(message));
}

Status CheckMembers(const json::Value& value, const std::string& what, const std::set<std::string_view>& known) {
  if (!value.is_object()) {
    return Invalid(what + " must be an object");
  }
  for (const json::Member& member : value.as_object()) {
    if (!known.contains(member.first)) {
      return Invalid(what + " has the unknown member '" + member.first + "'");
    }
  }
  return Status();
}

Result<json::Value> NormalisedColumns(const json::Value& output) {
  const json::Value* columns = output.Get("columns");
  if (columns == nullptr || !columns->is_array() || columns->as_array().empty() ||
      columns->as_array().size() > limits::kSqlColumnsMax) {
    return Invalid("an output needs 'columns', a list of {name, type}");
  }
  json::Array out;
  for (const json::Value& column : columns->as_array()) {
    GB_RETURN_IF_ERROR(CheckMembers(column, "a column", {"name", "type"}));
    if (column.GetString("name").empty()) {
      return Invalid("a column needs a 'name'");
    }
    json::Object normal{{"name", column.GetString("name")}};
    if (const std::string type = column.GetString("type"); !type.empty()) {
      normal.Set("type", AsciiUpper(type));
    }
    out.emplace_back(std::move(normal));
  }
  return json::Value(std::move(out));
}

}  // namespace

Result<json::Value> NormalisedContract(const json::Value& given) {
  GB_RETURN_IF_ERROR(CheckMembers(given, "it", {"version", "derived", "min_units", "outputs"}));
  if (given.GetInt("version", 1) != 1) {
    return Invalid("the only version is 1");
  }
  const json::Value* outputs = given.Get("outputs");
  if (outputs == nullptr || !outputs->is_array() || outputs->as_array().empty() ||
      outputs->as_array().size() > limits::kContractOutputsMax) {
    return Invalid("it needs 'outputs', a list of 1 to " + std::to_string(limits::kContractOutputsMax) + " tables");
  }
  json::Array normal;
  std::set<std::string> names;
  for (const json::Value& output : outputs->as_array()) {
    GB_RETURN_IF_ERROR(CheckMembers(output, "an output", {"name", "columns", "rows_max"}));
    const std::string name = output.GetString("name");
    if (name.empty() || !names.insert(AsciiLower(name)).second) {
      return Invalid("each output needs a 'name' of its own");
    }
    GB_ASSIGN_OR_RETURN(json::Value columns, NormalisedColumns(output));
    json::Object table{{"name", name}, {"columns", std::move(columns)}};
    if (const json::Value* rows_max = output.Get("rows_max"); rows_max != nullptr) {
      if (!rows_max->is_int() || rows_max->as_int() < 0) {
        return Invalid("'rows_max' is a number of rows");
      }
      table.Set("rows_max", *rows_max);
    }
    normal.emplace_back(std::move(table));
  }
  const std::int64_t min_units = given.GetInt("min_units", 0);
  if (min_units < 0 || min_units > limits::kMinUnitsMax) {
    return Invalid("'min_units' is 0 to " + std::to_string(limits::kMinUnitsMax));
  }
  return json::Value(
      json::Object{{"version", 1}, {"derived", false}, {"min_units", min_units}, {"outputs", std::move(normal)}});
}

json::Value DerivedContract(const engine::RunResult& plan) {
  if (plan.outputs.empty()) {
    return {};
  }
  json::Array tables;
  for (const engine::OutputTable& output : plan.outputs) {
    json::Array columns;
    for (const engine::Column& column : output.file.columns) {
      columns.emplace_back(json::Object{{"name", column.name}, {"type", column.type}});
    }
    tables.emplace_back(json::Object{{"name", output.name}, {"columns", std::move(columns)}});
  }
  return json::Value(json::Object{{"version", 1},
                                  {"derived", true},
                                  {"min_units", SmallestMinUnits(plan.certificate)},
                                  {"outputs", std::move(tables)}});
}

std::string ContractDigest(const json::Value& contract) {
  return contract.is_null() ? std::string() : HexDigest(json::WriteCanonical(contract));
}

std::string WhyNotConforming(const json::Value& contract, const engine::OutputTable& output,
                             std::int64_t smallest_min_units) {
  if (contract.is_null()) {
    return "the notebook version has no output contract";
  }
  const json::Value* outputs = contract.Get("outputs");
  GB_ASSERT(outputs != nullptr && outputs->is_array());
  const auto& tables = outputs->as_array();
  const auto table = std::find_if(tables.begin(), tables.end(), [&](const json::Value& candidate) {
    return EqualsIgnoreCase(candidate.GetString("name"), output.name);
  });
  if (table == tables.end()) {
    return "the contract does not name this output";
  }
  if (contract.GetInt("min_units") > smallest_min_units && smallest_min_units > 0) {
    return "an asset's minimum group is below the contract's min_units";
  }
  const std::vector<engine::Column> expected = ColumnsFromJson(*table->Get("columns"));
  const bool same =
      std::equal(expected.begin(), expected.end(), output.file.columns.begin(), output.file.columns.end(),
                 [](const engine::Column& a, const engine::Column& b) {
                   return EqualsIgnoreCase(a.name, b.name) && (a.type.empty() || EqualsIgnoreCase(a.type, b.type));
                 });
  if (!same) {
    return "columns or types differ from the contract's";
  }
  if (const json::Value* rows_max = table->Get("rows_max");
      rows_max != nullptr && output.file.rows > rows_max->as_int()) {
    return "there are more rows than the contract's rows_max";
  }
  return "";
}

std::int64_t SmallestMinUnits(const json::Value& certificate) {
  std::int64_t smallest = 0;
  const json::Value* queries = certificate.Get("governed");
  if (queries == nullptr || !queries->is_array()) {
    return smallest;
  }
  for (const json::Value& query : queries->as_array()) {
    const json::Value* minimum = query.Get("minimum_units");
    if (minimum == nullptr || !minimum->is_object()) {
      continue;
    }
    for (const json::Member& asset : minimum->as_object()) {
      if (asset.second.is_int()) {
        smallest = smallest == 0 ? asset.second.as_int() : std::min(smallest, asset.second.as_int());
      }
    }
  }
  return smallest;
}

}  // namespace glovebox::room
