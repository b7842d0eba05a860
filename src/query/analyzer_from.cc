// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/strings.h"
#include "query/analyzer_impl.h"

namespace glovebox::query {
namespace {

std::vector<std::string> LowerParts(const std::vector<std::string>& parts) {
  std::vector<std::string> out;
  for (const std::string& part : parts) {
    out.push_back(AsciiLower(part));
  }
  return out;
}

Result<RelJoin> JoinOf(const ast::From& from) {
  switch (from.join) {
    case ast::JoinKind::kInner:
      return RelJoin::kInner;
    case ast::JoinKind::kLeft:
      return RelJoin::kLeft;
    case ast::JoinKind::kRight:
      return RelJoin::kRight;
    case ast::JoinKind::kFull:
      return RelJoin::kFull;
    case ast::JoinKind::kCross:
      return RelJoin::kCross;
    case ast::JoinKind::kSemi:
      return RelJoin::kSemi;
    case ast::JoinKind::kAnti:
      return RelJoin::kAnti;
    default:
      return Status(ErrorCode::kNotSupported, "ASOF, POSITIONAL and LATERAL joins are not supported; join by equality")
          .WithRule("P6")
          .At(from.position);
  }
}

}  // namespace

Result<RelPtr> AnalyzerImpl::FromClause(const ast::From& from, Scope& scope) {
  switch (from.kind) {
    case ast::FromKind::kNothing: {
      auto rel = std::make_shared<Rel>();
      rel->kind = RelKind::kOneRow;
      return RelPtr(std::move(rel));
    }
    case ast::FromKind::kTable:
      return Table(from, scope);
    case ast::FromKind::kSubquery:
      return Subquery(*from.query, from.alias, from.column_aliases, common_, from.position, scope);
    case ast::FromKind::kValues:
      return Values(from, scope);
    case ast::FromKind::kTableFunction:
      return TableFunction(from, scope);
    case ast::FromKind::kJoin:
      return JoinClause(from, scope);
  }
  return Status(ErrorCode::kNotSupported, "this FROM clause is not supported; read a table, a query or VALUES")
      .WithRule("P15")
      .At(from.position);
}

RelPtr AnalyzerImpl::Scan(std::size_t table, const std::vector<ColumnDef>& columns,
                          const std::vector<std::string>& qualifiers, std::size_t position, Scope& scope) {
  auto rel = std::make_shared<Rel>();
  rel->kind = RelKind::kScan;
  rel->position = position;
  rel->table = table;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const AttrId attr = NewAttr(columns[i].type);
    rel->output.push_back({attr, columns[i].name});
    rel->columns.push_back(i);
    scope.columns.push_back({.qualifiers = qualifiers, .name = columns[i].name, .expr = MakeAttr(attr)});
  }
  return rel;
}

Result<RelPtr> AnalyzerImpl::Table(const ast::From& from, Scope& scope) {
  const std::string key = DottedLower(from.parts);
  if (from.parts.size() == 1) {
    for (const CommonTables* common = common_; common != nullptr; common = common->outer) {
      if (EqualsIgnoreCase(common->table->name, from.parts[0])) {
        std::vector<std::string> const columns =
            from.column_aliases.empty() ? common->table->column_aliases : from.column_aliases;
        return Subquery(*common->table->query, from.alias.empty() ? from.parts[0] : from.alias, columns, common->outer,
                        from.position, scope);
      }
    }
  }
  if (const auto view = a_.views_.find(key); view != a_.views_.end()) {
    return Subquery(*view->second, from.alias.empty() ? from.parts.back() : from.alias, from.column_aliases, nullptr,
                    from.position, scope);
  }
  const std::string in_namespace =
      a_.input_.default_namespace.empty() ? key : DottedLower(a_.input_.default_namespace) + "." + key;
  for (std::size_t i = 0; i < a_.input_.tables.size(); ++i) {
    const TableDef& table = a_.input_.tables[i];
    const std::string name = DottedLower(table.name);
    const std::string partly =
        a_.input_.default_namespace.empty() ? key : AsciiLower(a_.input_.default_namespace.front()) + "." + key;
    if (name != key && name != in_namespace && !(from.parts.size() == 2 && name == partly)) {
      continue;
    }
    if (!from.column_aliases.empty() && from.column_aliases.size() > table.columns.size()) {
      return Status(ErrorCode::kSqlType, "the table has fewer columns than the alias names; leave some out")
          .At(from.position);
    }
    std::vector<ColumnDef> columns = table.columns;
    for (std::size_t c = 0; c < from.column_aliases.size(); ++c) {
      columns[c].name = from.column_aliases[c];
    }
    return Scan(i, columns, from.alias.empty() ? LowerParts(table.name) : LowerParts({from.alias}), from.position,
                scope);
  }
  return UnknownName("table", from.parts, from.position);
}

Result<RelPtr> AnalyzerImpl::Subquery(const ast::Query& query, const std::string& alias,
                                      const std::vector<std::string>& columns, const CommonTables* common,
                                      std::size_t position, Scope& scope) {
  if (depth_ > limits::kSqlNestingMax) {
    return Status(ErrorCode::kNotSupported, "subqueries are nested too deeply; use WITH to give parts a name")
        .WithRule("P15")
        .At(position);
  }
  AnalyzerImpl inner(a_, nullptr, common, depth_ + 1);
  GB_ASSIGN_OR_RETURN(RelPtr rel, inner.Query(query));
  if (columns.size() > rel->output.size()) {
    return Status(ErrorCode::kSqlType, "the subquery has fewer columns than the alias names; leave some out")
        .At(position);
  }
  for (std::size_t i = 0; i < rel->output.size(); ++i) {
    scope.columns.push_back({.qualifiers = alias.empty() ? std::vector<std::string>{} : LowerParts({alias}),
                             .name = i < columns.size() ? columns[i] : rel->output[i].name,
                             .expr = MakeAttr(rel->output[i].id)});
  }
  return rel;
}

Result<RelPtr> AnalyzerImpl::Values(const ast::From& from, Scope& scope) {
  auto rel = std::make_shared<Rel>();
  rel->kind = RelKind::kValues;
  rel->position = from.position;
  const std::size_t width = from.rows.empty() ? 0 : from.rows[0].size();
  const Scope nothing;
  ExprContext context;
  context.scope = &nothing;
  for (const auto& row : from.rows) {
    if (row.size() != width || width == 0) {
      return Status(ErrorCode::kSqlType, "the rows of VALUES have different lengths").At(from.position);
    }
    GB_ASSIGN_OR_RETURN(std::vector<ExprPtr> resolved, ResolveAll(row, context));
    rel->rows.push_back(std::move(resolved));
  }
  for (std::size_t i = 0; i < width; ++i) {
    const AttrId attr = NewAttr();
    const std::string name = i < from.column_aliases.size() ? from.column_aliases[i] : "col" + std::to_string(i);
    rel->output.push_back({attr, name});
    scope.columns.push_back({.qualifiers = from.alias.empty() ? std::vector<std::string>{} : LowerParts({from.alias}),
                             .name = name,
                             .expr = MakeAttr(attr)});
  }
  return RelPtr(std::move(rel));
}

Result<RelPtr> AnalyzerImpl::TableFunction(const ast::From& from, Scope& scope) {
  const auto file = std::ranges::find(a_.input_.files, &from, &FileDef::call);
  if (from.call->name != "read_files" || file == a_.input_.files.end()) {
    return Status(ErrorCode::kNotSupported,
                  "table function '" + from.call->name + "' is not available here; read a table, or write VALUES")
        .WithRule("P15")
        .At(from.position);
  }
  return Scan(a_.input_.tables.size() + static_cast<std::size_t>(file - a_.input_.files.begin()), file->columns,
              LowerParts({from.alias.empty() ? "read_files" : from.alias}), from.position, scope);
}

Status AnalyzerImpl::JoinUsing(const ast::From& from, Scope& left, Scope& right, RelJoin join,
                               std::vector<ExprPtr>& equalities) {
  std::vector<std::string> names = from.using_columns;
  if (from.natural) {
    for (const ScopeColumn& l : left.columns) {
      for (const ScopeColumn& r : right.columns) {
        if (EqualsIgnoreCase(l.name, r.name) && !l.qualified_only && !r.qualified_only) {
          names.push_back(l.name);
        }
      }
    }
  }
  for (const std::string& name : names) {
    const auto find = [&name](Scope& scope) -> ScopeColumn* {
      ScopeColumn* found = nullptr;
      for (ScopeColumn& column : scope.columns) {
        if (EqualsIgnoreCase(column.name, name) && !column.qualified_only) {
          if (found != nullptr) {
            return nullptr;
          }
          found = &column;
        }
      }
      return found;
    };
    ScopeColumn* l = find(left);
    ScopeColumn* r = find(right);
    if (l == nullptr || r == nullptr) {
      return UnknownName("column for USING", {name}, from.position);
    }
    equalities.push_back(MakeCompare(CompareOp::kEq, l->expr, r->expr, from.position));
    r->qualified_only = true;
    if (join == RelJoin::kRight || join == RelJoin::kFull) {
      // The merged column; the two sides stay readable with their tables' names.
      ScopeColumn merged{.name = l->name, .expr = MakeCall("coalesce", {l->expr, r->expr}, from.position)};
      l->qualified_only = true;
      left.columns.push_back(std::move(merged));
    }
  }
  return {};
}

Result<RelPtr> AnalyzerImpl::JoinClause(const ast::From& from, Scope& scope) {
  GB_ASSIGN_OR_RETURN(const RelJoin join, JoinOf(from));
  Scope left{.outer = scope.outer};
  Scope right{.outer = scope.outer};
  GB_ASSIGN_OR_RETURN(RelPtr left_rel, FromClause(*from.left, left));
  GB_ASSIGN_OR_RETURN(RelPtr right_rel, FromClause(*from.right, right));
  auto rel = std::make_shared<Rel>();
  rel->kind = RelKind::kJoin;
  rel->position = from.position;
  rel->join = join;
  std::vector<ExprPtr> conditions;
  GB_RETURN_IF_ERROR(JoinUsing(from, left, right, join, conditions));
  const bool one_sided = join == RelJoin::kSemi || join == RelJoin::kAnti;
  Scope both = left;
  both.columns.insert(both.columns.end(), right.columns.begin(), right.columns.end());
  if (from.on != nullptr) {
    ExprContext context;
    context.scope = &both;
    GB_ASSIGN_OR_RETURN(ExprPtr on, Resolve(*from.on, context));
    conditions.push_back(std::move(on));
  }
  if (!conditions.empty()) {
    rel->predicate = conditions.size() == 1 ? conditions[0] : MakeNary(ExprOp::kAnd, conditions, from.position);
  }
  rel->output = left_rel->output;
  if (!one_sided) {
    rel->output.insert(rel->output.end(), right_rel->output.begin(), right_rel->output.end());
  }
  rel->inputs = {std::move(left_rel), std::move(right_rel)};
  Scope& visible = one_sided ? left : both;
  scope.columns.insert(scope.columns.end(), visible.columns.begin(), visible.columns.end());
  return RelPtr(std::move(rel));
}

}  // namespace glovebox::query
