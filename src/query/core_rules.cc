// SPDX-License-Identifier: Apache-2.0
#include "query/core_rules.h"

#include <algorithm>

#include "base/strings.h"
#include "query/flatten.h"
#include "query/literal.h"
#include "query/print_expr.h"
#include "query/refuse.h"

namespace glovebox::query {
namespace {

const Asset& AssetOf(const Core& core, const std::vector<Asset>& assets, ColumnRef column) {
  return assets[core.instances[column.instance].asset];
}

const std::string& NameOf(const Core& core, const std::vector<Asset>& assets, ColumnRef column) {
  return AssetOf(core, assets, column).columns[column.column].name;
}

// "*.user_id", "crm.user_id", "provider.main.crm.user_id"
bool Matches(const std::string& pattern, const Asset& asset, const std::string& column) {
  const std::string lower = AsciiLower(pattern);
  const std::size_t dot = lower.rfind('.');
  if (dot == std::string::npos || lower.substr(dot + 1) != AsciiLower(column)) {
    return false;
  }
  const std::string table = lower.substr(0, dot);
  const std::string full = AsciiLower(asset.DisplayName());
  return table == "*" || table == full || full.ends_with("." + table);
}

bool MayJoin(const Asset& asset, std::size_t column, const Asset& other, const std::string& other_column) {
  const ColumnRule& rule = asset.Rule(column);
  return rule.Allows(Use::kJoin) && std::ranges::any_of(rule.join_with, [&](const std::string& pattern) {
           return Matches(pattern, other, other_column);
         });
}

bool IsMappedDimension(const Asset& asset, std::size_t column, const Asset& own, const std::string& own_column) {
  const ColumnRule& rule = asset.Rule(column);
  return !own.IsProtected() && !rule.identity && rule.Allows(Use::kDimension) && rule.Allows(Use::kFilter) &&
         rule.domain.has_value() && own.ContainsKey({AsciiLower(own_column)});
}

Status CheckJoin(const Equality& join, const Core& core, const std::vector<Asset>& assets) {
  const Asset& left = AssetOf(core, assets, join.left);
  const Asset& right = AssetOf(core, assets, join.right);
  const std::string& left_name = NameOf(core, assets, join.left);
  const std::string& right_name = NameOf(core, assets, join.right);
  const std::size_t position = join.position;
  if (left.columns[join.left.column].type != right.columns[join.right.column].type) {
    return Refuse(
        "P6", position,
        "columns '" + left_name + "' and '" + right_name + "' have different types; publish them with one type");
  }
  const auto allowed = [](const Asset& asset, std::size_t column, const Asset& other, const std::string& name,
                          std::size_t other_column) {
    if (!asset.IsProtected()) {
      return true;  // the owner of an own table decides by writing the query
    }
    return MayJoin(asset, column, other, name) ||
           (!other.IsProtected() && IsMappedDimension(asset, column, other, other.columns[other_column].name));
  };
  if (!allowed(left, join.left.column, right, right_name, join.right.column) ||
      !allowed(right, join.right.column, left, left_name, join.left.column)) {
    return Refuse("P6", position,
                  "columns '" + left_name + "' and '" + right_name +
                      "' may not be joined: the rules of both tables "
                      "must allow it");
  }
  const bool same_owner = left.IsProtected() && right.IsProtected() && left.owner == right.owner;
  if (same_owner && !(left.IsUnitColumn(join.left.column) && right.IsUnitColumn(join.right.column))) {
    return Refuse("P6", position,
                  "protected tables of one owner are joined on their unit keys; write '=' between these");
  }
  return {};
}

}  // namespace

Status CheckJoins(const Core& core, const std::vector<Asset>& assets) {
  for (const Equality& join : core.joins) {
    GB_RETURN_IF_ERROR(CheckJoin(join, core, assets));
  }
  // An own column that is joined to a protected identity is joined as a whole key or declared joinable (P9): an
  // expression never gets here, and constants are refused where they are met.
  return {};
}

Status CheckDistinctUnits(const Instance& instance, const std::vector<Asset>& assets, std::size_t position) {
  for (const ColumnRef& key : instance.distinct_keys) {
    const Asset& asset = assets[instance.distinct->instances[key.instance].asset];
    if (asset.IsProtected() && asset.IsUnitColumn(key.column)) {
      continue;
    }
    return Refuse("P6", position, "EXISTS, IN and DISTINCT over a protected table join on its unit key");
  }
  if (instance.distinct_keys.size() != 1) {
    return Refuse("P6", position, "EXISTS and IN join on the unit key alone");
  }
  const ColumnRef key = instance.distinct_keys[0];
  const Asset& of_key = AssetOf(*instance.distinct, assets, key);
  const std::vector<std::set<ColumnRef>> classes = EqualityClasses(*instance.distinct);
  for (std::size_t i = 0; i < instance.distinct->instances.size(); ++i) {
    const Instance& inner = instance.distinct->instances[i];
    if (inner.left_joined) {
      return Refuse("P6", position, "EXISTS and IN have no LEFT JOIN inside");
    }
    // Units of another kind would have to be counted inside.
    const Asset& asset = assets[inner.asset];
    const bool joined = i == key.instance || std::ranges::any_of(classes, [&](const std::set<ColumnRef>& columns) {
                          return columns.contains(key) && std::ranges::any_of(columns, [&](ColumnRef column) {
                                   return column.instance == i && asset.IsUnitColumn(column.column);
                                 });
                        });
    if (asset.IsProtected() &&
        (!joined || asset.owner != of_key.owner || asset.rule.unit_domain != of_key.rule.unit_domain)) {
      return Refuse(
          "P6", position,
          "EXISTS, IN and DISTINCT take protected tables of one owner that are joined on their units; join '" +
              asset.DisplayName() + "' outside");
    }
  }
  return {};
}

Status CheckOwnColumns(const Expr& expr, const Core& core, const std::vector<Asset>& assets) {
  std::set<AttrId> attrs;
  CollectAttrs(expr, attrs);
  std::set<std::size_t> instances;
  const std::set<ColumnRef> identities = IdentityColumns(core, assets);
  for (const AttrId attr : attrs) {
    const ColumnRef column = core.attrs.at(attr);
    if (IsDimensionMapping(core, assets, column.instance)) {
      // A condition or key over a mapping is one over its dimension, and those are over one column each (P2, P3).
      if (std::ranges::any_of(attrs, [&](AttrId other) { return core.attrs.at(other).instance != column.instance; })) {
        return Refuse("P2", expr.position,
                      "columns of a table that maps a dimension stand alone in a condition or key: no OR, CASE or "
                      "comparison with columns of other tables");
      }
      continue;
    }
    const Asset& asset = AssetOf(core, assets, column);
    const ColumnRule& rule = asset.Rule(column.column);
    if (identities.contains(column) || rule.identity || (!rule.Allows(Use::kDimension) && !rule.Allows(Use::kFilter))) {
      return Refuse("P9", expr.position,
                    "column '" + asset.columns[column.column].name +
                        "' of an own table that is joined to protected rows is no own dimension; its rule declares "
                        "which columns are dimensions or filters");
    }
    instances.insert(column.instance);
  }
  // It would be computed for the pairs of rows that protected rows make: its errors, memory and time would tell them.
  if (instances.size() > 1) {
    return Refuse(
        "P9", expr.position,
        "an expression over columns of two own tables; make one own table of them first, or write a condition "
        "or key for each");
  }
  return {};
}

std::set<ColumnRef> IdentityColumns(const Core& core, const std::vector<Asset>& assets) {
  const auto is_identity = [&](ColumnRef column) {
    const Asset& asset = AssetOf(core, assets, column);
    return asset.Rule(column.column).identity || (asset.IsProtected() && asset.IsUnitColumn(column.column));
  };
  std::set<ColumnRef> out;
  for (const std::set<ColumnRef>& columns : EqualityClasses(core)) {
    if (std::ranges::any_of(columns, is_identity)) {
      out.insert(columns.begin(), columns.end());
    }
  }
  for (const auto& [attr, column] : core.attrs) {
    if (is_identity(column)) {
      out.insert(column);
    }
  }
  return out;
}

bool IsDimensionMapping(const Core& core, const std::vector<Asset>& assets, std::size_t instance) {
  if (core.instances[instance].distinct != nullptr || assets[core.instances[instance].asset].IsProtected()) {
    return false;
  }
  bool joined = false;
  for (const Equality& join : core.joins) {
    if (join.left.instance != instance && join.right.instance != instance) {
      continue;
    }
    const ColumnRef mine = join.left.instance == instance ? join.left : join.right;
    const ColumnRef other = join.left.instance == instance ? join.right : join.left;
    const Asset& asset = AssetOf(core, assets, other);
    if (!asset.IsProtected() ||
        !IsMappedDimension(asset, other.column, AssetOf(core, assets, mine), NameOf(core, assets, mine))) {
      return false;
    }
    if (joined) {
      return false;  // a function of one dimension
    }
    joined = true;
  }
  return joined;
}

bool IsFoundOnce(const Core& core, const std::vector<Asset>& assets, std::size_t instance) {
  std::set<std::string> joined;
  for (const std::set<ColumnRef>& columns : EqualityClasses(core)) {
    const bool across = std::ranges::any_of(columns, [&](ColumnRef column) { return column.instance != instance; });
    for (const ColumnRef column : columns) {
      if (across && column.instance == instance) {
        joined.insert(AsciiLower(NameOf(core, assets, column)));
      }
    }
  }
  const Instance& target = core.instances[instance];
  return target.distinct != nullptr || assets[target.asset].ContainsKey(joined);
}

bool ReachesAllUniquely(const Core& core, const std::vector<Asset>& assets, std::size_t instance) {
  const std::vector<std::set<ColumnRef>> classes = EqualityClasses(core);
  std::set<std::size_t> reached{instance};
  for (bool grown = true; grown;) {
    grown = false;
    for (std::size_t other = 0; other < core.instances.size(); ++other) {
      if (reached.contains(other)) {
        continue;
      }
      std::set<std::string> joined;
      bool any = false;
      for (const std::set<ColumnRef>& columns : classes) {
        const bool to_reached =
            std::ranges::any_of(columns, [&](ColumnRef column) { return reached.contains(column.instance); });
        for (const ColumnRef column : columns) {
          if (to_reached && column.instance == other) {
            any = true;
            joined.insert(AsciiLower(NameOf(core, assets, column)));
          }
        }
      }
      const Instance& target = core.instances[other];
      const bool unique = target.distinct != nullptr ? any : assets[target.asset].ContainsKey(joined);
      if (any && unique) {
        reached.insert(other);
        grown = true;
      }
    }
  }
  return reached.size() == core.instances.size();
}

std::string OwnText(const Expr& expr, const Core& core, const std::vector<Asset>& assets) {
  return PrintExpr(expr, [&](AttrId attr) {
    const ColumnRef column = core.attrs.at(attr);
    return QuoteName(AssetOf(core, assets, column).DisplayName()) + "." + QuoteName(NameOf(core, assets, column));
  });
}

std::string OwnEqualsText(const std::string& text, const ast::Literal& value) {
  return "(" + text + (IsNull(value) ? " IS NULL" : " = " + LiteralSql(value)) + ")";
}

}  // namespace glovebox::query
