// SPDX-License-Identifier: Apache-2.0
//
// Flattens what stands below an aggregate (projections, conditions, joins, EXISTS, IN, DISTINCT on the unit key) into a
// core, checking PLANNER.md P1, P2, P5, P6 and P9 on the way. Pure.
#pragma once

#include <map>
#include <vector>

#include "base/result.h"
#include "query/core.h"
#include "query/plan.h"

namespace glovebox::query {

struct Flat {
  Core core;
  std::map<AttrId, ExprPtr> columns;  // attributes of the flattened relation, over the core's base attributes

  // An expression of the aggregate over base attributes. Returns a refusal if it holds a subquery.
  [[nodiscard]] Result<ExprPtr> Inline(const ExprPtr& expr) const;
};

// Whether rows of protected assets reach the output of `rel`: there is a protected scan with no aggregate above it.
bool HasProtectedRows(const Rel& rel, const std::vector<Asset>& assets);

Result<Flat> Flatten(const Rel& rel, const std::vector<Asset>& assets);

// The columns that are, or are equated with, an identity (P1).
std::set<ColumnRef> IdentityColumns(const Core& core, const std::vector<Asset>& assets);

// Whether every other instance is N:1 from `instance` (P5): each is reached over equalities that contain a key of it.
bool ReachesAllUniquely(const Core& core, const std::vector<Asset>& assets, std::size_t instance);

// Whether a row of the others finds at most one of this instance's (P5): its columns that are joined contain a key of
// it.
bool IsFoundOnce(const Core& core, const std::vector<Asset>& assets, std::size_t instance);

// The own columns that are joined to an identity's asset only as a mapping of a dimension (P6): P9 does not govern
// them.
bool IsDimensionMapping(const Core& core, const std::vector<Asset>& assets, std::size_t instance);

// An expression over columns of an own table as it was written, over "asset"."column".
std::string OwnText(const Expr& expr, const Core& core, const std::vector<Asset>& assets);
// The condition that an own expression has this value, as an author writes it.
std::string OwnEqualsText(const std::string& text, const ast::Literal& value);

}  // namespace glovebox::query
