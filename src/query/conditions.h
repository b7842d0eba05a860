// SPDX-License-Identifier: Apache-2.0
//
// Conditions on protected columns as subsets (PLANNER.md P2), and conditions on dimensions as regions (P4). Pure.
#pragma once

#include <utility>
#include <vector>

#include "base/result.h"
#include "query/core.h"

namespace glovebox::query {

// What a boolean expression over one column says: where it is true, and where it is false. NULL results are in neither.
struct TruthSets {
  Subset when_true;
  Subset when_false;
};

// `expr` is over attribute `attr` alone, which is a column of this domain. Returns a refusal (P2) with the form to use.
Result<TruthSets> ConditionSets(const Expr& expr, AttrId attr, const ColumnDomain& domain);

// x // s * s, date_trunc('month', x), year(x), ... : a bucket of a stepped column, and what is computed from its
// boundary.
struct BucketMatch {
  Step step;
  ExprPtr from_boundary;  // over attribute `boundary`; injective on boundaries
};
// Nothing if the expression is no bucket of `attr`.
std::optional<BucketMatch> MatchBucket(const ExprPtr& expr, AttrId attr, const Type& type, AttrId boundary);

// What is computed for every value of a listed domain is bounded (P15).
Status CheckEvaluations(const Expr& expr, const ColumnDomain& domain);

// The domain of a protected column, by its rule.
Result<ColumnDomain> DomainOfColumn(const Core& core, const std::vector<Asset>& assets, ColumnRef column);

// A conjunction of one-column conditions on protected columns: the box where it is true, and disjoint boxes for
// everything else (false or NULL). Refuses own columns (P5), identities and columns that may not be used so (P1), and
// ORs over columns (P2).
struct ConditionBoxes {
  Box when_true;
  Region otherwise;
};
Result<ConditionBoxes> DimensionCondition(const ExprPtr& expr, const Core& core, const std::vector<Asset>& assets);

// The protected column that the expression is over if it is over exactly one column; refuses with `rule` otherwise.
Result<std::pair<ColumnRef, AttrId>> OnlyColumn(const Expr& expr, const Core& core, const char* rule,
                                                const char* message);

}  // namespace glovebox::query
