// SPDX-License-Identifier: Apache-2.0
#include "query/governor.h"

#include <algorithm>

#include "base/limits.h"
#include "query/branches.h"
#include "query/distinct_keys.h"
#include "query/flatten.h"
#include "query/keys.h"
#include "query/population.h"
#include "query/refuse.h"

namespace glovebox::query {
namespace {

constexpr int kFirstGovernedAttr = 1 << 24;  // above everything that an analyzer gives out

class Governor {
 public:
  explicit Governor(const std::vector<Asset>& assets) : assets_(assets) {}

  // Replaces every aggregate over protected rows. The result reads own tables, constants and released results.
  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
  Result<RelPtr> Release(const RelPtr& rel) {
    if (rel->kind == RelKind::kAggregate && HasProtectedRows(*rel->inputs[0], assets_)) {
      return Aggregate(*rel->inputs[0], rel->exprs, rel->calls, *rel);
    }
    if (HasProtectedRows(*rel, assets_)) {
      return RefuseRows(*rel);
    }
    auto copy = std::make_shared<Rel>(*rel);
    for (RelPtr& input : copy->inputs) {
      GB_ASSIGN_OR_RETURN(input, Release(input));
    }
    GB_RETURN_IF_ERROR(ReleaseSubqueries(*copy));
    return RelPtr(std::move(copy));
  }

  GovernedPlan plan;

 private:
  [[nodiscard]] Status RefuseRows(const Rel& rel) const {
    const Rel* at = &rel;
    while ((at->kind == RelKind::kProject || at->kind == RelKind::kSort || at->kind == RelKind::kFilter) &&
           !at->inputs.empty()) {
      at = at->inputs[0].get();
    }
    switch (at->kind) {
      case RelKind::kWindow:
        return Refuse("P8", at->position, "windows apply to released results: aggregate the protected rows first");
      case RelKind::kLimit:
        return Refuse("P8", at->position, "LIMIT applies to released results: aggregate the protected rows first");
      case RelKind::kSetOp:
        return Refuse("P8", at->position, "set operations apply to released results: aggregate each side first");
      case RelKind::kDistinct:
        return Refuse("P1", at->position,
                      "an identity, or what is computed from one, is no group key; group by a dimension");
      default:
        return Refuse("P8", rel.position,
                      "the result would hold rows of a protected table; aggregate them: COUNT(*), SUM, AVG with or "
                      "without GROUP BY");
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Result<ExprPtr> ReleaseIn(const ExprPtr& expr) {
    if (expr == nullptr || !ContainsSubquery(*expr)) {
      return expr;
    }
    auto copy = std::make_shared<Expr>(*expr);
    for (ExprPtr& arg : copy->args) {
      GB_ASSIGN_OR_RETURN(arg, ReleaseIn(arg));
    }
    if (copy->rel != nullptr) {
      if (HasProtectedRows(*copy->rel, assets_)) {
        return Refuse(
            copy->op == ExprOp::kScalarSubquery ? "P8" : "P6", copy->position,
            "a subquery over protected rows must be aggregated; EXISTS and IN over them stand in the WHERE of "
            "an aggregate, joined by an allowed column");
      }
      GB_ASSIGN_OR_RETURN(copy->rel, Release(copy->rel));
    }
    return ExprPtr(std::move(copy));
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Status ReleaseSubqueries(Rel& rel) {
    GB_ASSIGN_OR_RETURN(rel.predicate, ReleaseIn(rel.predicate));
    for (ExprPtr& expr : rel.exprs) {
      GB_ASSIGN_OR_RETURN(expr, ReleaseIn(expr));
    }
    for (AggregateCall& call : rel.calls) {
      GB_ASSIGN_OR_RETURN(call.filter, ReleaseIn(call.filter));
      for (ExprPtr& expr : call.args) {
        GB_ASSIGN_OR_RETURN(expr, ReleaseIn(expr));
      }
    }
    for (std::vector<ExprPtr>& row : rel.rows) {
      for (ExprPtr& expr : row) {
        GB_ASSIGN_OR_RETURN(expr, ReleaseIn(expr));
      }
    }
    for (SortItem& item : rel.order) {
      GB_ASSIGN_OR_RETURN(item.expr, ReleaseIn(item.expr));
    }
    for (WindowCall& window : rel.windows) {
      for (ExprPtr& expr : window.args) {
        GB_ASSIGN_OR_RETURN(expr, ReleaseIn(expr));
      }
      for (ExprPtr& expr : window.partition_by) {
        GB_ASSIGN_OR_RETURN(expr, ReleaseIn(expr));
      }
      for (SortItem& item : window.order_by) {
        GB_ASSIGN_OR_RETURN(item.expr, ReleaseIn(item.expr));
      }
    }
    return {};
  }

  Result<RelPtr> Aggregate(const Rel& input, const std::vector<ExprPtr>& keys, const std::vector<AggregateCall>& calls,
                           const Rel& rel) {
    if (plan.queries.size() >= limits::kPlanAggregatesMax) {
      return Refuse("P15", rel.position, "the plan has too many aggregates over protected rows");
    }
    GB_ASSIGN_OR_RETURN(const Flat flat, Flatten(input, assets_));
    GovernedQuery query;
    query.position = rel.position;
    query.core = flat.core;
    KeyBuilder builder(query.core, assets_, [this] { return AttrId{next_attr_++}; });
    std::vector<ExprPtr> outputs;
    ExprPtr stays;  // of the released groups
    for (const ExprPtr& key : keys) {
      GB_ASSIGN_OR_RETURN(const ExprPtr inlined, flat.Inline(key));
      GB_ASSIGN_OR_RETURN(ExprPtr value, builder.Add(inlined));
      if (builder.SharesNull(*value)) {
        const ExprPtr named = MakeNary(ExprOp::kNot, {MakeNary(ExprOp::kIsNull, {value}, rel.position)}, rel.position);
        stays = stays == nullptr ? named : MakeNary(ExprOp::kAnd, {stays, named}, rel.position);
      }
      outputs.push_back(std::move(value));
    }
    query.leaves = std::move(builder).TakeLeaves();
    for (const AggregateCall& call : calls) {
      GB_ASSIGN_OR_RETURN(GovernedCall governed, Call(call, flat));
      outputs.push_back(MakeAttr(governed.output, call.position));
      query.calls.push_back(std::move(governed));
    }
    GB_RETURN_IF_ERROR(CheckFinest(query));
    if (calls.empty()) {
      // That a key is there says that its rows are: it goes out where their count would (P10).
      AggregateCall count;
      count.function = FindAggregateFunction("count_star");
      count.position = rel.position;
      GB_ASSIGN_OR_RETURN(GovernedCall hidden, Call(count, flat));
      query.calls.push_back(std::move(hidden));
    }
    RelPtr result = ReleasedResult(query, rel, std::move(outputs), stays);
    plan.queries.push_back(std::move(query));
    return result;
  }

  Result<GovernedCall> Call(const AggregateCall& call, const Flat& flat) {
    AggregateCall inlined = call;
    for (ExprPtr& arg : inlined.args) {
      GB_ASSIGN_OR_RETURN(arg, flat.Inline(arg));
    }
    if (inlined.filter != nullptr) {
      GB_ASSIGN_OR_RETURN(inlined.filter, flat.Inline(inlined.filter));
    }
    GB_ASSIGN_OR_RETURN(GovernedCall governed, BuildCall(inlined, flat.core, assets_));
    governed.output = AttrId{next_attr_++};
    return governed;
  }

  // P5: which protected relation's rows are counted, and that nothing multiplies them.
  Status CheckFinest(GovernedQuery& query) const {
    const Core& core = query.core;
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < core.instances.size(); ++i) {
      if (assets_[core.instances[i].asset].IsProtected() && ReachesAllUniquely(core, assets_, i)) {
        candidates.push_back(i);
      }
    }
    const auto is_candidate = [&candidates](std::size_t i) {
      return std::ranges::find(candidates, i) != candidates.end();
    };
    bool counts = false;
    for (const GovernedCall& call : query.calls) {
      counts = counts || call.distinct == Distinct::kNo;
      for (const Branch& branch : call.branches) {
        if (branch.measure && !is_candidate(branch.measure->instance)) {
          return Refuse(
              "P5", call.position,
              "a value is aggregated over the rows of its own table: every join from it must find at most one "
              "row, by a declared key");
        }
      }
    }
    if (candidates.empty() && (counts || !Connected(core))) {
      return Refuse(Connected(core) ? "P5" : "P6", query.position,
                    Connected(core)
                        ? "the joins multiply rows: every table but one is joined on a declared key of it"
                        : "tables are joined by equality of allowed columns; a product of tables is not possible");
    }
    GB_RETURN_IF_ERROR(CheckOwnKeys(core, query.position));
    const bool any = candidates.empty();
    for (std::size_t i = 0; i < core.instances.size() && any; ++i) {
      if (assets_[core.instances[i].asset].IsProtected()) {
        candidates.push_back(i);
      }
    }
    query.finest = FinestOf(core, assets_, candidates);
    return CheckOwnAndLeft(query);
  }

  // P5: an own table that gives a row several partners would multiply what its author chose, in rows, groups and time.
  // NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
  Status CheckOwnKeys(const Core& core, std::size_t position) const {
    for (std::size_t i = 0; i < core.instances.size(); ++i) {
      const Instance& instance = core.instances[i];
      if (instance.distinct != nullptr) {
        GB_RETURN_IF_ERROR(CheckOwnKeys(*instance.distinct, position));
      } else if (core.instances.size() > 1 && !assets_[instance.asset].IsProtected() &&
                 !IsFoundOnce(core, assets_, i)) {
        return Refuse("P5", position,
                      "the own table " + assets_[instance.asset].DisplayName() +
                          " has one row for each of what it is joined on: make it so, and declare the key");
      }
    }
    return {};
  }

  Status CheckOwnAndLeft(const GovernedQuery& query) const {
    const Core& core = query.core;
    for (std::size_t i = 0; i < core.instances.size(); ++i) {
      const Instance& instance = core.instances[i];
      if (!instance.left_joined) {
        continue;
      }
      // COUNT(*) counts own rows: what else is protected would choose them, and its conditions would stand in the ON.
      for (std::size_t other = 0; other < core.instances.size(); ++other) {
        if (assets_[core.instances[other].asset].IsProtected() != (other == i)) {
          return Refuse("P6", query.position,
                        "a LEFT JOIN joins one protected table to own tables; join further protected tables by INNER "
                        "JOIN in a query of their own");
        }
      }
      if (!JoinsNothingElse(core, i)) {
        return Refuse(
            "P6", query.position,
            "the ON of a LEFT JOIN compares each of its columns with one own column; join the own tables with "
            "each other first");
      }
      // LEFT JOIN only from an own table with one row a key, to at most one protected row.
      for (std::size_t own = 0; own < core.instances.size(); ++own) {
        if (!core.instances[own].left_joined && !ReachesAllUniquely(core, assets_, own)) {
          return Refuse("P6", query.position,
                        "a LEFT JOIN from an own table finds at most one protected row for each; use an inner join");
        }
      }
    }
    return {};
  }

  // Whether columns of other tables are equal without the joins of this one as well.
  static bool JoinsNothingElse(const Core& core, std::size_t instance) {
    Core others = core;
    std::erase_if(others.joins, [instance](const Equality& join) {
      return join.left.instance == instance || join.right.instance == instance;
    });
    const std::vector<std::set<ColumnRef>> without = EqualityClasses(others);
    return std::ranges::all_of(EqualityClasses(core), [&](std::set<ColumnRef> columns) {
      std::erase_if(columns, [instance](ColumnRef column) { return column.instance == instance; });
      return columns.size() < 2 ||
             std::ranges::any_of(
                 without,
                 [&columns](const std::set<ColumnRef>& known) { return std::ranges::includes(known, columns); });
    });
  }

  static bool Connected(const Core& core) {
    std::set<std::size_t> reached{0};
    for (bool grown = true; grown;) {
      grown = false;
      for (const Equality& join : core.joins) {
        const bool left = reached.contains(join.left.instance);
        const bool right = reached.contains(join.right.instance);
        if (left != right) {
          reached.insert(left ? join.right.instance : join.left.instance);
          grown = true;
        }
      }
    }
    return reached.size() == core.instances.size();
  }

  RelPtr ReleasedResult(const GovernedQuery& query, const Rel& rel, std::vector<ExprPtr> outputs,
                        const ExprPtr& stays) {
    auto leaf = std::make_shared<Rel>();
    leaf->kind = RelKind::kGoverned;
    leaf->position = rel.position;
    leaf->table = plan.queries.size();
    const auto add = [&leaf](AttrId attr) {
      leaf->columns.push_back(leaf->output.size());
      leaf->output.push_back({attr, "released"});
    };
    for (const Leaf& key : query.leaves) {
      add(key.output);
    }
    for (const GovernedCall& call : query.calls) {
      add(call.output);
    }
    auto project = std::make_shared<Rel>();
    project->kind = RelKind::kProject;
    project->position = rel.position;
    project->output = rel.output;
    project->exprs = std::move(outputs);
    project->inputs = {std::move(leaf)};
    if (stays != nullptr) {
      auto filter = std::make_shared<Rel>();
      filter->kind = RelKind::kFilter;
      filter->position = rel.position;
      filter->output = project->inputs[0]->output;
      filter->predicate = stays;
      filter->inputs = std::move(project->inputs);
      project->inputs = {std::move(filter)};
    }
    return project;
  }

  const std::vector<Asset>& assets_;
  int next_attr_ = kFirstGovernedAttr;
};

// Whether any scan of a protected asset is left, wherever an expression can stand. The second look at the promise that
// what is printed reads released results only: it does not know how the governor works.
bool ReadsProtected(const Rel& rel, const std::vector<Asset>& assets) {
  if (rel.kind == RelKind::kScan && assets[rel.table].IsProtected()) {
    return true;
  }
  std::vector<ExprPtr> exprs = rel.exprs;
  exprs.push_back(rel.predicate);
  for (const auto& row : rel.rows) {
    exprs.insert(exprs.end(), row.begin(), row.end());
  }
  for (const AggregateCall& call : rel.calls) {
    exprs.insert(exprs.end(), call.args.begin(), call.args.end());
    exprs.push_back(call.filter);
  }
  for (const SortItem& item : rel.order) {
    exprs.push_back(item.expr);
  }
  for (const WindowCall& window : rel.windows) {
    exprs.insert(exprs.end(), window.args.begin(), window.args.end());
    exprs.insert(exprs.end(), window.partition_by.begin(), window.partition_by.end());
    for (const SortItem& item : window.order_by) {
      exprs.push_back(item.expr);
    }
  }
  std::vector<const Rel*> inside;
  for (const ExprPtr& expr : exprs) {
    if (expr != nullptr) {
      CollectRels(*expr, inside);
    }
  }
  for (const RelPtr& input : rel.inputs) {
    inside.push_back(input.get());
  }
  return std::ranges::any_of(inside, [&assets](const Rel* other) { return ReadsProtected(*other, assets); });
}

}  // namespace

Result<GovernedPlan> Govern(const std::vector<RelPtr>& outputs, const std::vector<Asset>& assets, std::size_t* at) {
  Governor governor(assets);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const RelPtr& output = outputs[i];
    if (at != nullptr) {
      *at = i;
    }
    GB_ASSIGN_OR_RETURN(RelPtr released, governor.Release(GroupDistinctKeys(output, assets)));
    if (ReadsProtected(*released, assets)) {
      return Refuse("P8", output->position, "protected rows stand where only released results may");
    }
    governor.plan.outputs.push_back(std::move(released));
    governor.plan.output_of.resize(governor.plan.queries.size(), i);
  }
  return std::move(governor.plan);
}

}  // namespace glovebox::query
