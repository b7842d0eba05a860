// SPDX-License-Identifier: Apache-2.0
//
// The planner: a notebook's statements over the assets of a room become one governed plan and its SQL.
// It needs text, schemas and rules, and no data: either party can run it again and gets the same plan, and of it the
// same certificate (certificate.h).
//
// Errors: see analyzer.h and governor.h. Pure.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "query/governed_sql.h"
#include "query/governor.h"
#include "query/own_query.h"
#include "query/sql_front_end.h"

namespace glovebox::query {

struct PlannerStatement {
  StatementKind kind = StatementKind::kQuery;
  std::vector<std::string> target;  // of an output table or a view
  const ast::Query* query = nullptr;
  std::size_t cell = 0;
  std::size_t position = 0;
};

struct PlannedOutput {
  std::string name;  // "result_1", ... for displayed queries; the table's name otherwise
  bool is_table = false;
  std::vector<std::string> columns;  // unique names
  std::string sql;                   // over the relations of own assets and released_<i>
  std::size_t cell = 0;
  std::size_t position = 0;  // of the statement in its cell
};

struct Plan {
  GovernedPlan governed;
  std::vector<GovernedSql> sql;  // of the governed queries
  std::vector<PlannedOutput> outputs;
  // Own dimensions that conditions or keys use beside protected rows (P9), by asset.
  std::set<std::pair<std::string, std::string>> own_dimensions;
  std::vector<ParameterDef> parameters;  // those that the statements read, by name
};

// After a refusal `refused`, if given, is the index of the statement that brings it in.
Result<Plan> MakePlan(const std::vector<PlannerStatement>& statements, const std::vector<Asset>& assets,
                      const std::vector<ParameterDef>& parameters, std::size_t* refused = nullptr);

// Where the released rows of governed query i are: a relation with columns k0.., c0...
std::string ReleasedRelation(std::size_t governed);

// The SQL of an output with the author's places in it (print_expr.h), to find what has wrong types.
// REQUIRES: the plan was made over these assets.
std::string SqlWithPlaces(const Plan& plan, const std::vector<Asset>& assets, std::size_t output);

}  // namespace glovebox::query
