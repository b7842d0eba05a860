// SPDX-License-Identifier: Apache-2.0
//
// The normal form of everything that may be computed over protected rows: a core (which relations, how they are joined,
// which rows), group keys that partition declared domains, and aggregates as linear combinations over branches. A query
// that does not fit is refused; one that fits is a plain value that the certificate describes, the difference check
// compares and the printer prints. The author's expressions do not occur in it, but for conditions and keys on own
// columns.
//
// Invariants: every asset stands at most once in a core as a table; every condition on a protected column is a Subset
// of its declared domain; joins are equalities between columns that both rules allow to each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "query/analysis_rule.h"
#include "query/literal.h"
#include "query/own_query.h"
#include "query/plan.h"
#include "query/subset.h"

namespace glovebox::query {

enum class AssetRole { kOwn, kProtected };

// An asset as the planner sees it: schema and rule, no data.
struct Asset {
  std::vector<std::string> name;  // one to three parts
  std::string owner;
  AssetRole role = AssetRole::kProtected;
  AnalysisRule rule;
  std::string rule_sha256;         // of the rule's text as its owner's entry in the ledger has it
  std::vector<ColumnDef> columns;  // those that the rule names
  std::string version;             // of the table
  std::string content;             // names what is read: table version, policies and rule; equal for equal rows only
  std::string policy_digest;
  std::string relation;  // what the printer writes for it: "asset_0"."data"

  [[nodiscard]] std::string DisplayName() const;  // a.b.c
  [[nodiscard]] const ColumnRule& Rule(std::size_t column) const;
  [[nodiscard]] bool IsProtected() const { return role == AssetRole::kProtected; }
  // Whether the columns contain a declared key.
  [[nodiscard]] bool ContainsKey(const std::set<std::string>& columns) const;
  // Whether the column alone is the unit.
  [[nodiscard]] bool IsUnitColumn(std::size_t column) const;
  [[nodiscard]] bool OneRowPerUnit() const;  // the unit columns contain a declared key
};

// A column of an instance of a core.
struct ColumnRef {
  std::size_t instance = 0;
  std::size_t column = 0;
  friend auto operator<=>(const ColumnRef&, const ColumnRef&) = default;
};

struct Core;

// A table of a core, or the distinct units of another core: what EXISTS, IN (SELECT ...) and DISTINCT on the unit key
// mean.
struct Instance {
  std::size_t asset = 0;                   // distinct units: the asset whose unit it is
  std::shared_ptr<const Core> distinct{};  // set: distinct units of this core
  std::vector<ColumnRef> distinct_keys{};  // in `distinct`: the columns that are joined
  bool left_joined = false;                // the protected side of a LEFT JOIN from an own table
};

struct Equality {
  ColumnRef left;
  ColumnRef right;
  std::size_t position = 0;
};

// Rows in a product of subsets. Columns that are not named are not restricted.
using Box = std::map<ColumnRef, Subset>;
// A union of disjoint boxes.
using Region = std::vector<Box>;

// A condition on own columns.
struct OwnCondition {
  ExprPtr expr;      // over the core's base attributes
  std::string text;  // as it was written, over "name"."column"
};

struct Core {
  std::vector<Instance> instances;
  std::vector<Equality> joins;
  Box conditions;                     // on protected columns
  std::vector<OwnCondition> own;      // conjunction, sorted by text
  std::map<AttrId, ColumnRef> attrs;  // base attributes of the instances

  // Inside its distinct units as well.
  [[nodiscard]] bool HasOwn(const std::vector<Asset>& assets) const;
};

// A group key over one column (own: over own columns).
struct Leaf {
  enum class Kind { kPartition, kBucket, kOwn };
  Kind kind = Kind::kOwn;
  ColumnRef column;                                    // kPartition, kBucket
  std::vector<std::pair<ast::Literal, Subset>> parts;  // kPartition: label and what it stands for
  bool identity_partition = false;                     // kPartition: each value is its own label, NULL is NULL
  Step step;                                           // kBucket: the value is the boundary at or before
  ExprPtr own;                                         // kOwn
  std::string own_text;                                // kOwn: as it was written
  AttrId output{};                                     // of the governed result
};

// value = scale * measure + offset in the region; without a measure it is the constant `offset`; `none` adds nothing.
struct Branch {
  Region region;  // empty list of boxes: no row; one box without columns: every row
  std::optional<ColumnRef> measure{};
  DecimalNumber scale{1, 0};
  DecimalNumber offset{0, 0};
  bool none = false;
};

enum class Distinct { kNo, kUnits, kColumn };

struct GovernedCall {
  GovernedAggregate kind = GovernedAggregate::kCountStar;
  Distinct distinct = Distinct::kNo;
  ColumnRef distinct_column;
  std::vector<Branch> branches;  // they cover every row of the group; the region of each is disjoint from the others'
  bool counts_own = false;       // COUNT(*) over a LEFT JOIN from an own table
  std::size_t position = 0;
  AttrId output{};
};

// One governed aggregate: SELECT leaves, calls FROM core GROUP BY leaves.
struct GovernedQuery {
  Core core;
  std::size_t finest = 0;  // the instance whose rows are counted
  std::vector<Leaf> leaves;
  std::vector<GovernedCall> calls;
  std::size_t position = 0;
};

// The minimum group of an instance's units: its asset's, and those of the protected tables inside its distinct units.
std::int64_t MinimumUnits(const Instance& instance, const std::vector<Asset>& assets);

// P12, options of a rule; 0: no protected asset asks for it.
//
// The percent that a branch's measure is tested for dominance with: one that a sum or an average adds up.
std::int64_t DominancePercent(const GovernedQuery& query, const GovernedCall& call, const Branch& branch,
                              const std::vector<Asset>& assets);
// The smallest largest number of rows of the assets, those inside distinct units included.
std::int64_t RowsMax(const Core& core, const std::vector<Asset>& assets);

// The columns that the joins make equal, class by class: sorted, disjoint, two columns or more in each.
std::vector<std::set<ColumnRef>> EqualityClasses(const Core& core);
// The column, with all that joins make equal to it.
std::set<ColumnRef> EqualTo(const Core& core, ColumnRef column);

// Whether the region is everything that the core's conditions leave.
bool IsWholeRegion(const Region& region);
// Intersection; empty boxes are dropped.
Box Intersect(const Box& a, const Box& b);
Region Intersect(const Region& a, const Box& b);
bool IsEmptyBox(const Box& box);
// Whether no row can be in both: decided by the subsets alone.
bool AreDisjoint(const Box& a, const Box& b);

}  // namespace glovebox::query
