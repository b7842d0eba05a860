// SPDX-License-Identifier: Apache-2.0
//
// The one analyzer: an unresolved tree (query/ast.h) becomes the relational IR. Names are looked up in schemas that
// come in as arguments, functions in the tables of query/functions.h; what is found in neither does not exist.
//
// CTEs, temporary views and the owner's SQL functions are inlined where they are used. Parameters become literals.
//
// Errors: SQL_UNKNOWN_NAME, SQL_TYPE_ERROR, NOT_SUPPORTED, with a position in the author's text; they depend on the
// text and the schemas alone. Pure; an Analyzer is used by one thread.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/ast.h"
#include "query/own_query.h"
#include "query/plan.h"

namespace glovebox::query {

struct TableDef {
  std::vector<std::string> name;  // one to three parts
  std::vector<ColumnDef> columns;
};

// What a call of read_files stands for. A CTE that is used twice holds one call.
struct FileDef {
  const ast::From* call = nullptr;
  std::vector<ColumnDef> columns;
};

struct AnalyzerInput {
  std::vector<TableDef> tables;
  std::vector<FileDef> files;  // of the calls of read_files; they follow on the tables
  std::vector<FunctionDef> functions;
  std::vector<ParameterDef> parameters;
  std::vector<std::string> default_namespace;
  Secrets secrets = Secrets::kForbidden;
  BadCast bad_cast = BadCast::kNull;
};

class Analyzer {
 public:
  explicit Analyzer(AnalyzerInput input);

  // Makes `query` readable under `name` in every later call. `query` outlives the analyzer.
  // Returns INVALID_PARAMETER_VALUE if a table or view of this name is there.
  Status AddView(const std::vector<std::string>& name, const ast::Query& query, std::size_t position);

  Result<RelPtr> Analyze(const ast::Query& query);

  // An expression over columns of one relation without aggregates or subqueries; attribute i is column i.
  struct Scalar {
    ExprPtr expr;
    std::vector<Attr> columns;
  };
  Result<Scalar> AnalyzeCall(const FunctionDef& function, const std::vector<ColumnDef>& arguments);

  [[nodiscard]] const AnalyzerInput& input() const { return input_; }
  // The parameters that what was analyzed so far has read, by index.
  [[nodiscard]] const std::set<std::size_t>& used_parameters() const { return used_parameters_; }
  // The type of an attribute where it is known: columns of tables, and what is made of them without computing.
  [[nodiscard]] const Type* AttrType(AttrId attr) const;

 private:
  friend class AnalyzerImpl;
  AnalyzerInput input_;
  std::map<std::string, const ast::Query*> views_;  // by lower-case dotted name
  std::map<AttrId, Type> types_;
  std::set<std::size_t> used_parameters_;
  int next_attr_ = 1;
  std::size_t nodes_ = 0;
};

}  // namespace glovebox::query
