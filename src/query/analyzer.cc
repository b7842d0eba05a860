// SPDX-License-Identifier: Apache-2.0
#include "query/analyzer.h"

#include <utility>

#include "base/strings.h"
#include "query/analyzer_impl.h"

namespace glovebox::query {

Analyzer::Analyzer(AnalyzerInput input) : input_(std::move(input)) {}

Status Analyzer::AddView(const std::vector<std::string>& name, const ast::Query& query, std::size_t position) {
  const std::string key = DottedLower(name);
  bool known = views_.contains(key);
  for (const TableDef& table : input_.tables) {
    known = known || DottedLower(table.name) == key;
  }
  if (known) {
    return Status(ErrorCode::kInvalidParameterValue, "a table or view '" + Join(name, ".") + "' exists already")
        .At(position);
  }
  views_.emplace(key, &query);
  return {};
}

Result<RelPtr> Analyzer::Analyze(const ast::Query& query) {
  AnalyzerImpl impl(*this, nullptr, nullptr, 0);
  return impl.Query(query);
}

Result<Analyzer::Scalar> Analyzer::AnalyzeCall(const FunctionDef& function, const std::vector<ColumnDef>& arguments) {
  if (function.parameters.size() != arguments.size()) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "function '" + function.name + "' takes " + std::to_string(function.parameters.size()) + " columns");
  }
  AnalyzerImpl impl(*this, nullptr, nullptr, 0);
  Scalar scalar;
  Scope scope;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const AttrId attr = impl.NewAttr(arguments[i].type);
    scalar.columns.push_back({attr, arguments[i].name});
    scope.columns.push_back({.name = function.parameters[i].name, .expr = MakeAttr(attr)});
  }
  ExprContext context;
  context.scope = &scope;
  GB_ASSIGN_OR_RETURN(scalar.expr, impl.Resolve(*function.body, context));
  if (ContainsSubquery(*scalar.expr)) {
    return Status(ErrorCode::kNotSupported, "the body of a function has no subqueries").WithRule("P15");
  }
  return scalar;
}

const Type* Analyzer::AttrType(AttrId attr) const {
  const auto found = types_.find(attr);
  return found == types_.end() ? nullptr : &found->second;
}

AttrId AnalyzerImpl::NewAttr(const Type& type) {
  const AttrId attr = NewAttr();
  a_.types_.emplace(attr, type);
  return attr;
}

}  // namespace glovebox::query
