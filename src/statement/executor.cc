// SPDX-License-Identifier: Apache-2.0
#include "statement/executor.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "catalog/caller.h"
#include "catalog/catalog.h"
#include "catalog/functions.h"
#include "catalog/grants.h"
#include "catalog/securables.h"
#include "catalog/tables.h"
#include "engine/engine.h"
#include "query/sql_tokens.h"
#include "query/type.h"
#include "statement/engine_forms.h"
#include "statement/inputs.h"
#include "statement/names.h"
#include "statement/parser.h"
#include "statement/policy_check.h"
#include "statement/show.h"
#include "statement/statement.h"

namespace glovebox::statement {
namespace {

using catalog::Caller;

Status Of(const auto& result) { return result.ok() ? Status() : result.status(); }

// The same error with its position counted from the start of the whole text, not of a part of it.
Status Shift(const Status& status, std::size_t offset) {
  if (!status.position().has_value()) {
    return status;
  }
  return Status(status).At(*status.position() + offset);
}

// Runs one parsed statement; one of these for each Execute.
class Run {
 public:
  Run(const Executor& executor, const catalog::Catalog& catalog, engine::Engine& engine, const Caller& caller,
      const StatementRequest& request)
      : executor_(executor),
        catalog_(catalog),
        engine_(engine),
        caller_(caller),
        request_(request),
        defaults_{.catalog = request.catalog, .schema = request.schema} {}

  Result<StatementResult> operator()(const Query& query) const {
    engine::SelectRequest select = SelectOf(query);
    const auto limit = static_cast<std::int64_t>(limits::kRunInlineRowsMax);
    select.row_limit = request_.row_limit > 0 ? std::min(request_.row_limit, limit) : limit;
    GB_ASSIGN_OR_RETURN(engine::SelectResult selected, Select(query, select));
    StatementResult result;
    result.columns = std::move(selected.file.columns);
    result.rows = std::move(selected.rows);
    result.truncated = selected.truncated;
    return result;
  }

  Result<StatementResult> operator()(const CreateContainer& create) const {
    GB_ASSIGN_OR_RETURN(const std::string full_name, FullName(create.kind, create.name, defaults_));
    const std::size_t dot = full_name.rfind('.');
    const std::string container = dot == std::string::npos ? "" : full_name.substr(0, dot);
    const std::string name = full_name.substr(dot == std::string::npos ? 0 : dot + 1);
    switch (create.kind) {
      case SecurableKind::kCatalog:
        return Done(Of(catalog_.securables.CreateCatalog(caller_, name, create.comment, create.if_exists)));
      case SecurableKind::kSchema:
        return Done(Of(catalog_.securables.CreateSchema(caller_, container, name, create.comment, create.if_exists)));
      default:
        return Done(Of(catalog_.volumes.Create(caller_, container, name, create.comment, create.if_exists)));
    }
  }

  Result<StatementResult> operator()(const Drop& drop) const {
    GB_ASSIGN_OR_RETURN(const std::string name, FullName(drop.kind, drop.name, defaults_));
    const Status dropped = catalog_.securables.Delete(caller_, drop.kind, name, drop.if_not_empty);
    const bool is_missing = dropped.code() == ErrorCode::kNotFound && drop.if_missing == IfMissing::kIgnore;
    return Done(is_missing ? Status() : dropped);
  }

  Result<StatementResult> operator()(const CreateTable& create) const {
    GB_ASSIGN_OR_RETURN(const std::string full_name, FullName(SecurableKind::kTable, create.name, defaults_));
    const std::size_t dot = full_name.rfind('.');
    GB_ASSIGN_OR_RETURN(const auto write, catalog_.tables.PlanWrite(caller_, full_name.substr(0, dot),
                                                                    full_name.substr(dot + 1), create.on_existing));
    if (!write.has_value()) {
      return StatementResult();
    }
    auto written = WriteTable(create, *write);
    if (!written.ok()) {
      catalog_.tables.AbandonWrite(*write);
    }
    return written;
  }

  Result<StatementResult> operator()(const CreateFunction& create) const {
    GB_ASSIGN_OR_RETURN(const std::string full_name, FullName(SecurableKind::kFunction, create.name, defaults_));
    const std::size_t dot = full_name.rfind('.');
    const auto created = executor_.CreateFunction(caller_,
                                                  {.schema = full_name.substr(0, dot),
                                                   .name = full_name.substr(dot + 1),
                                                   .parameters = create.parameters,
                                                   .return_type = create.return_type,
                                                   .body = create.body,
                                                   .comment = create.comment},
                                                  create.on_existing);
    return Done(Shift(Of(created), create.body_position));
  }

  Result<StatementResult> operator()(const SetRowFilter& set) const {
    GB_ASSIGN_OR_RETURN(const std::string table, FullName(SecurableKind::kTable, set.table, defaults_));
    GB_ASSIGN_OR_RETURN(const catalog::TableRowFilter filter, RowFilterOf(set.filter));
    GB_ASSIGN_OR_RETURN(const catalog::Table known, catalog_.tables.Get(caller_, table));
    GB_RETURN_IF_ERROR(CheckFilter(filter, known.columns));
    return Done(catalog_.tables.SetRowFilter(caller_, table, filter));
  }

  Result<StatementResult> operator()(const DropRowFilter& drop) const {
    GB_ASSIGN_OR_RETURN(const std::string table, FullName(SecurableKind::kTable, drop.table, defaults_));
    return Done(catalog_.tables.DropRowFilter(caller_, table));
  }

  Result<StatementResult> operator()(const SetMask& set) const {
    GB_ASSIGN_OR_RETURN(const std::string table, FullName(SecurableKind::kTable, set.table, defaults_));
    GB_ASSIGN_OR_RETURN(const catalog::ColumnMask mask, MaskOf(set.mask));
    GB_ASSIGN_OR_RETURN(const catalog::Table known, catalog_.tables.Get(caller_, table));
    GB_RETURN_IF_ERROR(CheckMask(set.column, mask, known.columns));
    return Done(catalog_.tables.SetMask(caller_, table, set.column, mask));
  }

  Result<StatementResult> operator()(const DropMask& drop) const {
    GB_ASSIGN_OR_RETURN(const std::string table, FullName(SecurableKind::kTable, drop.table, defaults_));
    return Done(catalog_.tables.DropMask(caller_, table, drop.column));
  }

  Result<StatementResult> operator()(const SetColumnComment& set) const {
    GB_ASSIGN_OR_RETURN(const std::string table, FullName(SecurableKind::kTable, set.table, defaults_));
    return Done(catalog_.tables.SetColumnComment(caller_, table, set.column, set.comment));
  }

  Result<StatementResult> operator()(const SetOwner& set) const {
    GB_ASSIGN_OR_RETURN(const std::string name, FullName(set.kind, set.name, defaults_));
    return Done(Of(catalog_.securables.Update(caller_, set.kind, name, {.comment = {}, .owner = set.owner})));
  }

  Result<StatementResult> operator()(const SetComment& set) const {
    GB_ASSIGN_OR_RETURN(const std::string name, FullName(set.kind, set.name, defaults_));
    return Done(Of(catalog_.securables.Update(caller_, set.kind, name, {.comment = set.comment, .owner = {}})));
  }

  Result<StatementResult> operator()(const ChangeGrants& change) const {
    GB_ASSIGN_OR_RETURN(const std::string name, FullName(change.kind, change.name, defaults_));
    catalog::PrivilegeChange one{.principal = change.principal, .add = {}, .remove = {}};
    (change.direction == ChangeGrants::Direction::kGrant ? one.add : one.remove) = change.privileges;
    return Done(Of(catalog_.grants.Change(caller_, change.kind, name, {one})));
  }

  Result<StatementResult> operator()(const Show& show) const {
    return ShowObjects(catalog_, caller_, show, defaults_, request_.row_limit);
  }

  Result<StatementResult> operator()(const ShowGrants& show) const {
    return ShowPrivileges(catalog_, caller_, show, defaults_);
  }

  Result<StatementResult> operator()(const DescribeTable& describe) const {
    return ShowColumns(catalog_, caller_, describe, defaults_);
  }

 private:
  static Result<StatementResult> Done(const Status& status) {
    return status.ok() ? Result<StatementResult>(StatementResult()) : Result<StatementResult>(status);
  }

  [[nodiscard]] engine::SelectRequest SelectOf(const Query& query) const {
    engine::SelectRequest select;
    select.sql = query.sql;
    select.parameters = request_.parameters;
    select.bad_cast = engine::BadCast::kError;
    select.cancel_key = request_.cancel_key;
    select.canceled = request_.canceled;
    return select;
  }

  Result<engine::SelectResult> Select(const Query& query, engine::SelectRequest& select) const {
    Inputs inputs(catalog_, engine_, caller_);
    if (const Status gathered = inputs.Gather(defaults_, select); !gathered.ok()) {
      return Shift(gathered, query.position);
    }
    auto selected = engine_.Select(select);
    return selected.ok() ? std::move(selected)
                         : Result<engine::SelectResult>(Shift(inputs.Explain(selected.status()), query.position));
  }

  // A query without rows that has the columns of the list.
  static Query EmptyQuery(const std::vector<ColumnDefinition>& columns) {
    std::vector<std::string> items;
    for (const ColumnDefinition& column : columns) {
      items.push_back("CAST(NULL AS " + column.type + ") AS " + query::QuoteIdentifier(column.name));
    }
    return {.sql = "SELECT " + Join(items, ", ") + " WHERE 1 = 0", .position = 0};
  }

  Result<StatementResult> WriteTable(const CreateTable& create, const catalog::TableWrite& write) const {
    const Query query = create.query.has_value() ? *create.query : EmptyQuery(create.columns);
    engine::SelectRequest select = SelectOf(query);
    select.target_path = write.path;
    GB_ASSIGN_OR_RETURN(const engine::SelectResult selected, Select(query, select));
    catalog::TableContent content;
    content.rows = selected.file.rows;
    content.comment = create.comment;
    for (const engine::Column& column : selected.file.columns) {
      if (!query::ParseTypeName(column.type).has_value()) {
        return Status(ErrorCode::kInvalidParameterValue,
                      "Column '" + column.name + "' has no type that a table can have; give it one with CAST.");
      }
      content.columns.push_back({.name = column.name, .type = column.type, .comment = "", .mask = {}});
    }
    GB_RETURN_IF_ERROR(AddPolicies(create, content));
    GB_RETURN_IF_ERROR(Of(catalog_.tables.CommitWrite(caller_, write, content)));
    StatementResult result;
    result.affected = selected.file.rows;
    return result;
  }

  Status AddPolicies(const CreateTable& create, catalog::TableContent& content) const {
    for (std::size_t i = 0; i < create.columns.size() && i < content.columns.size(); ++i) {
      catalog::TableColumn& column = content.columns[i];
      column.comment = create.columns[i].comment;
      if (create.columns[i].mask.has_value()) {
        GB_ASSIGN_OR_RETURN(column.mask, MaskOf(*create.columns[i].mask));
        GB_RETURN_IF_ERROR(CheckMask(column.name, *column.mask, content.columns));
      }
    }
    if (create.row_filter.has_value()) {
      GB_ASSIGN_OR_RETURN(content.row_filter, RowFilterOf(*create.row_filter));
      GB_RETURN_IF_ERROR(CheckFilter(*content.row_filter, content.columns));
    }
    return Status();
  }

  [[nodiscard]] Status CheckFilter(const catalog::TableRowFilter& filter,
                                   const std::vector<catalog::TableColumn>& columns) const {
    return CheckPolicy(catalog_, engine_, caller_, PolicyKind::kRowFilter, filter.function, filter.columns, columns);
  }

  [[nodiscard]] Status CheckMask(const std::string& column, const catalog::ColumnMask& mask,
                                 const std::vector<catalog::TableColumn>& columns) const {
    std::vector<std::string> arguments = {column};
    arguments.insert(arguments.end(), mask.using_columns.begin(), mask.using_columns.end());
    return CheckPolicy(catalog_, engine_, caller_, PolicyKind::kMask, mask.function, arguments, columns);
  }

  Result<catalog::TableRowFilter> RowFilterOf(const FunctionOnColumns& filter) const {
    GB_ASSIGN_OR_RETURN(std::string function, FullName(SecurableKind::kFunction, filter.function, defaults_));
    return catalog::TableRowFilter{.function = std::move(function), .columns = filter.columns};
  }

  Result<catalog::ColumnMask> MaskOf(const FunctionOnColumns& mask) const {
    GB_ASSIGN_OR_RETURN(std::string function, FullName(SecurableKind::kFunction, mask.function, defaults_));
    return catalog::ColumnMask{.function = std::move(function), .using_columns = mask.columns};
  }

  const Executor& executor_;
  const catalog::Catalog& catalog_;
  engine::Engine& engine_;
  const Caller& caller_;
  const StatementRequest& request_;
  const Defaults defaults_;
};

// The types as the engine spells them.
Status NormaliseTypes(catalog::NewFunction& function) {
  const auto normalise = [](std::string& type) {
    const auto known = query::ParseTypeName(type);
    if (!known.has_value()) {
      return Status(ErrorCode::kNotSupported, "The type " + type + " is not supported.");
    }
    type = query::TypeName(*known);
    return Status();
  };
  for (catalog::FunctionParameter& parameter : function.parameters) {
    GB_RETURN_IF_ERROR(normalise(parameter.type));
  }
  return function.return_type.empty() ? Status() : normalise(function.return_type);
}

}  // namespace

Result<StatementResult> Executor::Execute(const Caller& caller, const StatementRequest& request) const {
  // A statement waits for its turn, and its caller's rights may be gone meanwhile.
  GB_ASSIGN_OR_RETURN(const Caller now, catalog_->tokens.CallerNow(caller));
  GB_ASSIGN_OR_RETURN(const Statement statement, Parse(request.text));
  return std::visit(Run(*this, *catalog_, *engine_, now, request), statement);
}

Result<catalog::Function> Executor::CreateFunction(const Caller& caller, const catalog::NewFunction& function,
                                                   catalog::OnExisting on_existing) const {
  if (IsBuiltIn(function.name)) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "'" + function.name + "' is a built-in function; choose another name.");
  }
  catalog::NewFunction normal = function;
  GB_RETURN_IF_ERROR(NormaliseTypes(normal));
  GB_ASSIGN_OR_RETURN(const catalog::Securable schema,
                      catalog_->securables.Get(caller, SecurableKind::kSchema, function.schema));
  // The body sees the functions of its own schema, as when it is used later.
  GB_ASSIGN_OR_RETURN(const std::vector<catalog::Function> called,
                      catalog_->functions.CalledBy(caller, schema.full_name, function.body));
  std::vector<engine::Function> others;
  for (const catalog::Function& other : called) {
    if (!EqualsIgnoreCase(other.info.name, function.name)) {
      others.push_back(ToEngine(other));
    }
  }
  engine::Function checked{.name = schema.full_name + "." + normal.name, .parameters = {}, .body = normal.body};
  for (const catalog::FunctionParameter& parameter : normal.parameters) {
    checked.parameters.push_back({parameter.name, parameter.type});
  }
  GB_RETURN_IF_ERROR(engine_->CheckFunction(checked, others));
  return catalog_->functions.Create(caller, normal, on_existing);
}

Status Executor::RemoveLeftovers() const { return RemoveTree(ScratchFolder(catalog_->context)); }

}  // namespace glovebox::statement
