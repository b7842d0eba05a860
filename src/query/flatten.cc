// SPDX-License-Identifier: Apache-2.0
#include "query/flatten.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "query/conditions.h"
#include "query/core_rules.h"
#include "query/evaluate.h"
#include "query/refuse.h"

namespace glovebox::query {
namespace {

// What is named once and used twice, level by level, doubles.
Status TooLarge(std::size_t position) {
  return Refuse("P15", position, "this expression is too large when what it names is written out; use fewer levels");
}

// Collects instances and predicates over base attributes; Finish() turns the predicates into joins and conditions.
class Flattener {
 public:
  explicit Flattener(const std::vector<Asset>& assets) : assets_(assets) {}

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
  Status Add(const Rel& rel) {
    switch (rel.kind) {
      case RelKind::kOneRow:
        return {};
      case RelKind::kScan:
        return Scan(rel);
      case RelKind::kValues:
        return Values(rel);
      case RelKind::kFilter:
        GB_RETURN_IF_ERROR(Add(*rel.inputs[0]));
        return Predicate(rel.predicate, false);
      case RelKind::kProject:
        return Project(rel);
      case RelKind::kJoin:
        return Join(rel);
      case RelKind::kSort:
        return Add(*rel.inputs[0]);  // the order of protected rows has no meaning
      case RelKind::kDistinct:
      case RelKind::kAggregate:
        return DistinctUnits(rel);
      case RelKind::kGoverned:
        return Refuse("P6", rel.position, "a released result is not joined to protected rows; join the results");
      case RelKind::kWindow:
      case RelKind::kLimit:
      case RelKind::kSetOp:
        break;
    }
    const bool is_protected = HasProtectedRows(rel, assets_);
    return Refuse(is_protected ? "P8" : "P9", rel.position,
                  is_protected ? "LIMIT, windows and set operations apply to released results; aggregate first"
                               : "between an own table and a join with protected rows stand only projections and "
                                 "conditions on own dimensions");
  }

  Result<Flat> Finish() {
    GB_RETURN_IF_ERROR(ResolveMappings());
    std::vector<Pending> pending = std::move(predicates_);
    std::vector<Pending> rest;
    for (Pending& predicate : pending) {
      GB_ASSIGN_OR_RETURN(const bool joined, TakeEquality(predicate));
      if (!joined) {
        rest.push_back(std::move(predicate));
      }
    }
    GB_RETURN_IF_ERROR(CheckJoins(flat_.core, assets_));
    for (const Pending& predicate : rest) {
      GB_RETURN_IF_ERROR(TakeCondition(predicate));
    }
    std::ranges::sort(flat_.core.own, {}, &OwnCondition::text);
    const auto same = std::ranges::unique(flat_.core.own, {}, &OwnCondition::text);
    flat_.core.own.erase(same.begin(), same.end());
    return std::move(flat_);
  }

 private:
  struct Pending {
    ExprPtr expr;
    bool in_left_join = false;  // stands in the ON of a LEFT JOIN, or below its right side
  };
  struct Mapping {
    const Rel* values;
    bool used = false;
  };

  Status Scan(const Rel& rel) {
    const std::size_t index = flat_.core.instances.size();
    for (const Instance& other : flat_.core.instances) {
      if (other.distinct == nullptr && other.asset == rel.table) {
        return Refuse(assets_[rel.table].IsProtected() ? "P6" : "P9", rel.position,
                      "a table is not joined with itself here; read it once, and choose rows with FILTER or CASE");
      }
    }
    flat_.core.instances.push_back({.asset = rel.table, .left_joined = in_left_});
    for (std::size_t i = 0; i < rel.output.size(); ++i) {
      flat_.core.attrs.emplace(rel.output[i].id, ColumnRef{index, rel.columns[i]});
      flat_.columns.emplace(rel.output[i].id, MakeAttr(rel.output[i].id, rel.position));
    }
    return {};
  }

  Status Values(const Rel& rel) {
    mappings_.push_back({&rel});
    for (const Attr& attr : rel.output) {
      flat_.columns.emplace(attr.id, MakeAttr(attr.id, rel.position));
    }
    return {};
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Status Project(const Rel& rel) {
    GB_RETURN_IF_ERROR(Add(*rel.inputs[0]));
    for (std::size_t i = 0; i < rel.exprs.size(); ++i) {
      if (ContainsSubquery(*rel.exprs[i])) {
        return Refuse("P6", rel.exprs[i]->position, "a subquery may not be computed for each protected row");
      }
      ExprPtr inlined = Inline(rel.exprs[i]);
      if (HasMoreNodes(*inlined, limits::kSqlExpressionNodesMax)) {
        return TooLarge(rel.exprs[i]->position);
      }
      flat_.columns.emplace(rel.output[i].id, std::move(inlined));
    }
    return {};
  }

  ExprPtr Inline(const ExprPtr& expr) const {
    return Substitute(expr, [this](AttrId attr) -> ExprPtr {
      const auto found = flat_.columns.find(attr);
      return found == flat_.columns.end() ? nullptr : found->second;
    });
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Status Join(const Rel& rel) {
    const Rel* left = rel.inputs[0].get();
    const Rel* right = rel.inputs[1].get();
    RelJoin join = rel.join;
    if (join == RelJoin::kRight) {
      std::swap(left, right);
      join = RelJoin::kLeft;
    }
    if (join == RelJoin::kFull || join == RelJoin::kAnti) {
      return Refuse("P6", rel.position,
                    "protected rows are joined by INNER JOIN; LEFT JOIN from an own table is allowed");
    }
    if (join == RelJoin::kSemi) {
      GB_RETURN_IF_ERROR(Add(*left));
      return SemiJoin(*right, rel.predicate, rel.position);
    }
    if (join == RelJoin::kLeft) {
      if (HasProtectedRows(*left, assets_) || left_done_ || in_left_) {
        return Refuse("P6", rel.position, "LEFT JOIN is possible from an own table only, once");
      }
      GB_RETURN_IF_ERROR(Add(*left));
      in_left_ = true;
      GB_RETURN_IF_ERROR(Add(*right));
      if (rel.predicate != nullptr) {
        GB_RETURN_IF_ERROR(Predicate(rel.predicate, true));
      }
      in_left_ = false;
      left_done_ = true;
      return {};
    }
    GB_RETURN_IF_ERROR(Add(*left));
    GB_RETURN_IF_ERROR(Add(*right));
    return rel.predicate == nullptr ? Status() : Predicate(rel.predicate, in_left_);
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Status Predicate(const ExprPtr& predicate, bool in_left_join) {
    std::vector<ExprPtr> conjuncts;
    Conjuncts(predicate, conjuncts);
    for (const ExprPtr& conjunct : conjuncts) {
      if (conjunct->op == ExprOp::kExists) {
        GB_RETURN_IF_ERROR(SemiJoin(*conjunct->rel, nullptr, conjunct->position));
        continue;
      }
      if (conjunct->op == ExprOp::kInSubquery) {
        ExprPtr const equality =
            MakeCompare(CompareOp::kEq, conjunct->args[0], MakeAttr(conjunct->rel->output[0].id), conjunct->position);
        GB_RETURN_IF_ERROR(SemiJoin(*conjunct->rel, equality, conjunct->position));
        continue;
      }
      if (ContainsSubquery(*conjunct)) {
        return Refuse("P6", conjunct->position,
                      "a subquery in a condition on protected rows is EXISTS or IN over an allowed join, without NOT; "
                      "subtract released counts for the others");
      }
      ExprPtr inlined = Inline(conjunct);
      if (HasMoreNodes(*inlined, limits::kSqlExpressionNodesMax)) {
        return TooLarge(conjunct->position);
      }
      predicates_.push_back({std::move(inlined), in_left_join || in_left_});
    }
    return {};
  }

  // EXISTS, IN and SEMI JOIN: a join with the distinct units of the other side (P6). An own table with one row a key is
  // simply joined: that is the same.
  // NOLINTNEXTLINE(misc-no-recursion)
  Status SemiJoin(const Rel& rel, const ExprPtr& predicate, std::size_t position) {
    if (in_left_) {
      return Refuse("P6", position, "a subquery may not stand inside a LEFT JOIN");
    }
    Flattener inner(assets_);
    GB_RETURN_IF_ERROR(inner.Add(rel));
    const bool own_only = std::ranges::none_of(
        inner.flat_.core.instances, [this](const Instance& instance) { return assets_[instance.asset].IsProtected(); });
    if (own_only) {
      return MergeOwn(std::move(inner), predicate, position);
    }
    // Equalities between the two sides become the join; the rest belongs to the inner side.
    std::vector<std::pair<ExprPtr, ExprPtr>> across;  // outer, inner
    std::vector<Pending> kept;
    std::vector<Pending> all = std::move(inner.predicates_);
    if (predicate != nullptr) {
      std::vector<ExprPtr> conjuncts;
      Conjuncts(predicate, conjuncts);
      for (const ExprPtr& conjunct : conjuncts) {
        all.push_back({inner.Inline(conjunct), false});
      }
    }
    for (Pending& one : all) {
      if (inner.IsOver(*one.expr)) {
        kept.push_back(std::move(one));
        continue;
      }
      if (one.expr->op != ExprOp::kCompare || one.expr->compare != CompareOp::kEq) {
        return Refuse("P6", one.expr->position, "EXISTS and IN join by equality of allowed columns only");
      }
      ExprPtr outer_side = one.expr->args[0];
      ExprPtr inner_side = one.expr->args[1];
      if (inner.IsOver(*outer_side)) {
        std::swap(outer_side, inner_side);
      }
      if (!inner.IsOver(*inner_side) || inner_side->op != ExprOp::kAttr) {
        return Refuse("P6", one.expr->position, "EXISTS and IN join by equality of allowed columns only");
      }
      across.emplace_back(Inline(outer_side), inner_side);
    }
    inner.predicates_ = std::move(kept);
    if (across.empty()) {
      return Refuse("P6", position,
                    "an EXISTS that is not joined to the rows outside is a flag over everybody; compare a column "
                    "inside with one outside");
    }
    GB_ASSIGN_OR_RETURN(Flat flat, inner.Finish());
    return AddDistinct(std::move(flat), across, position);
  }

  [[nodiscard]] bool IsOver(const Expr& expr) const {
    std::set<AttrId> attrs;
    CollectAttrs(expr, attrs);
    return std::ranges::all_of(attrs, [this](AttrId attr) { return flat_.columns.contains(attr); });
  }

  Status AddDistinct(Flat inner, const std::vector<std::pair<ExprPtr, ExprPtr>>& across, std::size_t position) {
    const std::size_t index = flat_.core.instances.size();
    Instance instance;
    instance.distinct = std::make_shared<const Core>(inner.core);
    for (const auto& [outer_side, inner_side] : across) {
      const ColumnRef column = inner.core.attrs.at(inner_side->attr);
      instance.distinct_keys.push_back(column);
      instance.asset = inner.core.instances[column.instance].asset;
      // The base attribute of the inner side now names the key column of the distinct instance.
      flat_.core.attrs.emplace(inner_side->attr, ColumnRef{index, column.column});
      flat_.columns.emplace(inner_side->attr, inner_side);
      predicates_.push_back({MakeCompare(CompareOp::kEq, outer_side, inner_side, position), false});
    }
    GB_RETURN_IF_ERROR(CheckDistinctUnits(instance, assets_, position));
    flat_.core.instances.push_back(std::move(instance));
    return {};
  }

  Status MergeOwn(Flattener inner, const ExprPtr& predicate, std::size_t position) {
    if (inner.flat_.core.instances.size() != 1 || !inner.mappings_.empty()) {
      return Refuse("P9", position, "EXISTS and IN over own rows take one own table");
    }
    const Instance own = inner.flat_.core.instances[0];
    const std::size_t index = flat_.core.instances.size();
    for (const Instance& other : flat_.core.instances) {
      if (other.distinct == nullptr && other.asset == own.asset) {
        return Refuse("P9", position, "a table is not joined with itself here; read it once, with all conditions");
      }
    }
    flat_.core.instances.push_back(own);
    for (const auto& [attr, column] : inner.flat_.core.attrs) {
      flat_.core.attrs.emplace(attr, ColumnRef{index, column.column});
    }
    flat_.columns.insert(inner.flat_.columns.begin(), inner.flat_.columns.end());
    for (const Pending& one : inner.predicates_) {
      predicates_.push_back({Inline(one.expr), false});
    }
    return predicate == nullptr ? Status() : Predicate(predicate, false);
  }

  // SELECT DISTINCT key FROM ... and SELECT key FROM ... GROUP BY key in FROM.
  // NOLINTNEXTLINE(misc-no-recursion)
  Status DistinctUnits(const Rel& rel) {
    if (!HasProtectedRows(*rel.inputs[0], assets_)) {
      return Refuse("P9", rel.position,
                    "between an own table and a join with protected rows stand only projections and "
                    "conditions on own dimensions");
    }
    if (!rel.calls.empty() || rel.output.size() != 1 || in_left_) {
      return Refuse(
          "P7", rel.position,
          "results per unit are not available yet; what is grouped below another aggregate is DISTINCT on the "
          "unit key");
    }
    Flattener inner(assets_);
    GB_RETURN_IF_ERROR(inner.Add(*rel.inputs[0]));
    ExprPtr const key = rel.kind == RelKind::kAggregate ? inner.Inline(rel.exprs[0])
                                                        : inner.Inline(MakeAttr(rel.inputs[0]->output[0].id));
    GB_ASSIGN_OR_RETURN(Flat flat, inner.Finish());
    if (key->op != ExprOp::kAttr) {
      return Refuse("P7", rel.position, "DISTINCT below a join takes the unit key itself");
    }
    // A copy of the base attribute under the output's own id: the relation's column.
    const ColumnRef column = flat.core.attrs.at(key->attr);
    const std::size_t index = flat_.core.instances.size();
    Instance instance;
    instance.distinct_keys = {column};
    instance.asset = flat.core.instances[column.instance].asset;
    instance.distinct = std::make_shared<const Core>(std::move(flat.core));
    GB_RETURN_IF_ERROR(CheckDistinctUnits(instance, assets_, rel.position));
    flat_.core.instances.push_back(std::move(instance));
    flat_.core.attrs.emplace(rel.output[0].id, ColumnRef{index, column.column});
    flat_.columns.emplace(rel.output[0].id, MakeAttr(rel.output[0].id, rel.position));
    return {};
  }

  // A constant table that is joined to one dimension is a function of it (P6).
  Status ResolveMappings() {
    for (Mapping& mapping : mappings_) {
      std::size_t key = 0;
      const Pending* found = nullptr;
      ExprPtr dimension;
      for (const Pending& predicate : predicates_) {
        std::set<AttrId> attrs;
        CollectAttrs(*predicate.expr, attrs);
        for (std::size_t i = 0; i < mapping.values->output.size(); ++i) {
          if (!attrs.contains(mapping.values->output[i].id)) {
            continue;
          }
          if (found != nullptr || predicate.expr->op != ExprOp::kCompare || predicate.expr->compare != CompareOp::kEq ||
              attrs.size() != 2) {
            return Refuse("P2", predicate.expr->position,
                          "a constant table is joined to one dimension, by one equality");
          }
          const bool left = predicate.expr->args[0]->op == ExprOp::kAttr &&
                            predicate.expr->args[0]->attr == mapping.values->output[i].id;
          dimension = predicate.expr->args[left ? 1 : 0];
          found = &predicate;
          key = i;
        }
      }
      if (found == nullptr || dimension->op != ExprOp::kAttr || !flat_.core.attrs.contains(dimension->attr)) {
        return Refuse("P6", mapping.values->position, "constants are joined to a dimension by equality, or not at all");
      }
      GB_RETURN_IF_ERROR(ApplyMapping(*mapping.values, key, dimension, found));
    }
    return {};
  }

  Status ApplyMapping(const Rel& values, std::size_t key, const ExprPtr& dimension, const Pending* equality) {
    const Asset& asset = assets_[flat_.core.instances[flat_.core.attrs.at(dimension->attr).instance].asset];
    const ColumnRule& rule = asset.Rule(flat_.core.attrs.at(dimension->attr).column);
    if (rule.identity || !asset.IsProtected()) {
      return Refuse(
          "P9", values.position,
          "constants are never joined to an identity or to an own table; publish them as a table of your own");
    }
    std::vector<ExprPtr> in{dimension};
    std::vector<std::vector<ExprPtr>> cases(values.output.size());
    for (std::size_t r = 0; r < values.rows.size(); ++r) {
      for (std::size_t other = 0; other < r; ++other) {
        if (SameExpr(*values.rows[r][key], *values.rows[other][key])) {
          return Refuse("P6", values.position,
                        "a constant table that maps a dimension has one row a value; leave out the others");
        }
      }
      in.push_back(values.rows[r][key]);
      for (std::size_t c = 0; c < values.output.size(); ++c) {
        cases[c].push_back(MakeCompare(CompareOp::kEq, dimension, values.rows[r][key], values.position));
        cases[c].push_back(values.rows[r][c]);
      }
    }
    const ExprPtr condition = MakeNary(ExprOp::kIn, in, values.position);
    for (Pending& predicate : predicates_) {
      if (&predicate == equality) {
        predicate.expr = condition;
      }
    }
    std::map<AttrId, ExprPtr> replacement;
    for (std::size_t c = 0; c < values.output.size(); ++c) {
      replacement.emplace(values.output[c].id, c == key ? dimension : MakeCase(cases[c], false, values.position));
    }
    for (auto& [attr, expr] : flat_.columns) {
      expr = Substitute(expr, [&replacement](AttrId wanted) -> ExprPtr {
        const auto entry = replacement.find(wanted);
        return entry == replacement.end() ? nullptr : entry->second;
      });
    }
    return {};
  }

  // Takes `a = b` between two tables as a join.
  Result<bool> TakeEquality(const Pending& predicate) {
    const Expr& expr = *predicate.expr;
    if (expr.op != ExprOp::kCompare || expr.args[0]->op != ExprOp::kAttr || expr.args[1]->op != ExprOp::kAttr) {
      return false;
    }
    const auto left = flat_.core.attrs.find(expr.args[0]->attr);
    const auto right = flat_.core.attrs.find(expr.args[1]->attr);
    if (left == flat_.core.attrs.end() || right == flat_.core.attrs.end()) {
      return Refuse("P6", expr.position, "a correlated subquery over protected rows is EXISTS or IN");
    }
    if (left->second.instance == right->second.instance) {
      return false;
    }
    const bool to_left_side = flat_.core.instances[left->second.instance].left_joined ||
                              flat_.core.instances[right->second.instance].left_joined;
    if (expr.compare != CompareOp::kEq || (to_left_side && !predicate.in_left_join)) {
      return Refuse("P6", expr.position,
                    "tables are joined by equality: write '=' between two allowed columns, in ON or WHERE");
    }
    flat_.core.joins.push_back({left->second, right->second, expr.position});
    return true;
  }

  Status TakeCondition(const Pending& predicate) {
    const Expr& expr = *predicate.expr;
    std::set<AttrId> attrs;
    CollectAttrs(expr, attrs);
    if (attrs.empty()) {
      GB_ASSIGN_OR_RETURN(const ast::Literal value, EvaluateConstant(expr));
      const auto* truth = std::get_if<bool>(&value.value);
      return truth != nullptr && *truth
                 ? Status()
                 : Refuse("P2", expr.position, "this condition is never true; leave it out, or compare a column");
    }
    bool any_protected = false;
    bool any_left = false;
    for (const AttrId attr : attrs) {
      const auto found = flat_.core.attrs.find(attr);
      if (found == flat_.core.attrs.end()) {
        return Refuse("P6", expr.position, "a correlated subquery over protected rows is EXISTS or IN");
      }
      const Instance& instance = flat_.core.instances[found->second.instance];
      any_protected = any_protected || assets_[instance.asset].IsProtected();
      any_left = any_left || instance.left_joined;
    }
    if (any_left != predicate.in_left_join && (any_left || any_protected)) {
      return Refuse("P6", expr.position,
                    "a condition on the right side of a LEFT JOIN stands in its ON; write it there");
    }
    if (!any_protected) {
      if (predicate.in_left_join) {
        return Refuse("P6", expr.position, "a condition on the own table of a LEFT JOIN stands in WHERE");
      }
      GB_RETURN_IF_ERROR(CheckOwnColumns(expr, flat_.core, assets_));
      flat_.core.own.push_back({predicate.expr, OwnText(expr, flat_.core, assets_)});
      return {};
    }
    GB_ASSIGN_OR_RETURN(
        const auto only,
        OnlyColumn(expr, flat_.core, "P2",
                   "a protected column is compared with constants and parameters only, or joined by '='"));
    return ProtectedCondition(expr, only.first, only.second);
  }

  Status ProtectedCondition(const Expr& expr, ColumnRef column, AttrId attr) {
    const Instance& instance = flat_.core.instances[column.instance];
    const ColumnRule& rule = assets_[instance.asset].Rule(column.column);
    if (IdentityColumns(flat_.core, assets_).contains(column) || rule.identity) {
      return Refuse("P1", expr.position, "an identity is only joined, or counted with COUNT(DISTINCT ...)");
    }
    if (!rule.Allows(Use::kFilter) || instance.distinct != nullptr) {
      return Refuse("P1", expr.position,
                    "the owner's rule does not allow conditions on this column; use one that it lists for conditions");
    }
    GB_ASSIGN_OR_RETURN(const ColumnDomain domain, DomainOfColumn(flat_.core, assets_, column));
    GB_ASSIGN_OR_RETURN(const TruthSets sets, ConditionSets(expr, attr, domain));
    flat_.core.conditions = Intersect(flat_.core.conditions, Box{{column, sets.when_true}});
    return {};
  }

  const std::vector<Asset>& assets_;
  Flat flat_;
  std::vector<Pending> predicates_;
  std::vector<Mapping> mappings_;
  bool in_left_ = false;
  bool left_done_ = false;
};

}  // namespace

Result<ExprPtr> Flat::Inline(const ExprPtr& expr) const {
  if (ContainsSubquery(*expr)) {
    return Refuse("P6", expr->position, "a subquery may not be computed for each protected row");
  }
  ExprPtr inlined = Substitute(expr, [this](AttrId attr) -> ExprPtr {
    const auto found = columns.find(attr);
    return found == columns.end() ? nullptr : found->second;
  });
  if (inlined->op == ExprOp::kAttr) {
    return MakeAttr(inlined->attr, expr->position);  // where it is used, not where its table stands
  }
  return HasMoreNodes(*inlined, limits::kSqlExpressionNodesMax) ? TooLarge(expr->position)
                                                                : Result<ExprPtr>(std::move(inlined));
}

// NOLINTNEXTLINE(misc-no-recursion)
bool HasProtectedRows(const Rel& rel, const std::vector<Asset>& assets) {
  if (rel.kind == RelKind::kScan) {
    return assets[rel.table].IsProtected();
  }
  if (rel.kind == RelKind::kAggregate) {
    return false;
  }
  const auto in_predicate = [&assets](const ExprPtr& predicate) {
    if (predicate == nullptr) {
      return false;
    }
    std::vector<ExprPtr> conjuncts;
    Conjuncts(predicate, conjuncts);
    return std::ranges::any_of(conjuncts, [&assets](const ExprPtr& conjunct) {
      return conjunct->rel != nullptr && conjunct->op != ExprOp::kScalarSubquery &&
             HasProtectedRows(*conjunct->rel, assets);
    });
  };
  return in_predicate(rel.predicate) ||
         std::ranges::any_of(rel.inputs, [&assets](const RelPtr& input) { return HasProtectedRows(*input, assets); });
}

Result<Flat> Flatten(const Rel& rel, const std::vector<Asset>& assets) {
  Flattener flattener(assets);
  GB_RETURN_IF_ERROR(flattener.Add(rel));
  return flattener.Finish();
}

}  // namespace glovebox::query
