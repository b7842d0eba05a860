// SPDX-License-Identifier: Apache-2.0
//
// Group keys (PLANNER.md P3): tuples, or injective combinations, of functions of one dimension each. Pure.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/result.h"
#include "query/core.h"

namespace glovebox::query {

// Turns group expressions over base attributes into leaves. `new_attr` gives fresh attributes.
class KeyBuilder {
 public:
  KeyBuilder(const Core& core, const std::vector<Asset>& assets, std::function<AttrId()> new_attr)
      : core_(core), assets_(assets), new_attr_(std::move(new_attr)) {}

  // Adds the leaves of one group expression; returns the expression over the leaves' outputs that is its value.
  Result<ExprPtr> Add(const ExprPtr& expr);
  // Whether several combinations of its leaves give the key NULL. SQL has one group for them; here each stays apart,
  // with its own minimum group, so none of them is released (the author can name them with coalesce).
  [[nodiscard]] bool SharesNull(const Expr& key) const;
  [[nodiscard]] std::vector<Leaf> TakeLeaves() && { return std::move(leaves_); }

 private:
  Result<ExprPtr> OverOne(const ExprPtr& expr, ColumnRef column, AttrId attr);
  Result<ExprPtr> Partition(const ExprPtr& expr, ColumnRef column,
                            const std::vector<std::pair<ast::Literal, Subset>>& labels, const ColumnDomain& domain);
  Result<ExprPtr> Listed(const ExprPtr& expr, ColumnRef column, AttrId attr, const ColumnDomain& domain);
  Result<ExprPtr> SteppedKey(const ExprPtr& expr, ColumnRef column, AttrId attr, const ColumnDomain& domain);
  Result<ExprPtr> Own(const ExprPtr& expr);
  Result<ExprPtr> Combination(const ExprPtr& expr);
  Status CheckInjective(const ExprPtr& composed, const ExprPtr& expr) const;
  // The listed leaves that the expression uses; nothing if it uses others, or they have too many combinations.
  [[nodiscard]] std::optional<std::vector<const Leaf*>> ListedLeaves(const Expr& composed) const;

  const Core& core_;
  const std::vector<Asset>& assets_;
  std::function<AttrId()> new_attr_;
  std::vector<Leaf> leaves_;
  std::size_t own_characters_ = 0;  // that the own leaves make for one row
};

}  // namespace glovebox::query
