// SPDX-License-Identifier: Apache-2.0
#include "query/own_membership.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/strings.h"
#include "query/flatten.h"
#include "query/population.h"
#include "query/print_expr.h"

namespace glovebox::query {
namespace {

// A core without distinct units: what they hold is joined as it is. Conditions on protected columns are left out.
class Inliner {
 public:
  // Where the columns of the core's instances are now; of distinct units only the key is left.
  struct Place {
    std::size_t instance = 0;
    std::optional<ColumnRef> key;
  };

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
  std::vector<Place> Add(const Core& core) {
    std::vector<Place> places;
    for (const Instance& instance : core.instances) {
      if (instance.distinct != nullptr) {
        const std::vector<Place> inner = Add(*instance.distinct);
        places.push_back({0, At(inner, instance.distinct_keys[0])});
      } else {
        places.push_back({out.instances.size(), std::nullopt});
        out.instances.push_back({.asset = instance.asset});
      }
    }
    for (const Equality& join : core.joins) {
      out.joins.push_back({At(places, join.left), At(places, join.right), join.position});
    }
    for (const auto& [attr, column] : core.attrs) {
      out.attrs.emplace(attr, At(places, column));
    }
    out.own.insert(out.own.end(), core.own.begin(), core.own.end());
    return places;
  }

  Core out;

 private:
  static ColumnRef At(const std::vector<Place>& places, ColumnRef column) {
    const Place& place = places[column.instance];
    return place.key ? *place.key : ColumnRef{place.instance, column.column};
  }
};

// SELECT DISTINCT over some instances of a core, each cut down to the columns that are used.
class Select {
 public:
  Select(const Core& core, const std::vector<Asset>& assets, const std::vector<std::string>& units)
      : core_(core), assets_(assets), units_(units) {}

  void From(std::size_t instance) { used_.try_emplace(instance); }
  void Where(const std::string& condition) { where_ += (where_.empty() ? " WHERE " : " AND ") + condition; }
  void Add(const std::string& sql, const std::string& name) {
    select_ += (select_.empty() ? "" : ", ") + sql + " AS " + QuoteName(name);
  }

  std::string Column(ColumnRef column) {
    const std::string& name = assets_[core_.instances[column.instance].asset].columns[column.column].name;
    used_[column.instance].insert(name);
    return Alias(column.instance) + "." + QuoteName(name);
  }

  std::string Unit(std::size_t instance) {
    used_[instance].insert(kUnitColumn);
    return Alias(instance) + "." + kUnitColumn;
  }

  // What units of several tables are compared by.
  std::string UnitHash(std::size_t instance) {
    used_.try_emplace(instance);
    hashed_.insert(instance);
    return Alias(instance) + "." + kUnitHash;
  }

  std::string Text(const Expr& expr) {
    return PrintExpr(expr, [this](AttrId attr) { return Column(core_.attrs.at(attr)); });
  }

  [[nodiscard]] std::string Sql() const {
    std::string from;
    for (const auto& [instance, columns] : used_) {
      std::string list;
      for (const std::string& column : columns) {
        list += (list.empty() ? "d." : ", d.") + QuoteName(column);
      }
      const std::size_t asset = core_.instances[instance].asset;
      std::string rows = assets_[asset].relation + " AS d";
      if (hashed_.contains(instance)) {
        list += (list.empty() ? "h.hash AS " : ", h.hash AS ") + std::string(kUnitHash);
        rows += " JOIN " + units_[asset] + " AS h ON h.id = d." + kUnitColumn;
      }
      from += (from.empty() ? " FROM " : " CROSS JOIN ") + ("(SELECT DISTINCT " + (list.empty() ? "1" : list)) +
              " FROM " + rows + ") AS " + Alias(instance);
    }
    return "SELECT DISTINCT " + select_ + from + where_;
  }

 private:
  static std::string Alias(std::size_t instance) { return "t" + std::to_string(instance); }

  static constexpr const char* kUnitHash = "__gb_unit_hash";

  const Core& core_;
  const std::vector<Asset>& assets_;
  const std::vector<std::string>& units_;
  std::map<std::size_t, std::set<std::string>> used_;
  std::set<std::size_t> hashed_;
  std::string select_;
  std::string where_;
};

class Memberships {
 public:
  Memberships(const GovernedQuery& query, const std::vector<Asset>& assets, const std::vector<std::string>& units)
      : query_(query), assets_(assets), units_(units) {
    Inliner inliner;
    inliner.Add(query.core);
    core_ = std::move(inliner.out);
    classes_ = EqualityClasses(core_);
    for (std::size_t i = 0; i < core_.instances.size(); ++i) {
      mapping_.push_back(IsDimensionMapping(core_, assets, i));
    }
  }

  std::vector<OwnMembership> All() const {
    std::vector<OwnMembership> out;
    for (std::size_t i = 0; i < core_.instances.size(); ++i) {
      if (IsOwn(i) && MeetsProtected(i)) {
        out.push_back(Of(i));
      }
    }
    return out;
  }

 private:
  [[nodiscard]] const Asset& AssetOf(std::size_t instance) const { return assets_[core_.instances[instance].asset]; }
  [[nodiscard]] bool IsOwn(std::size_t instance) const {
    return !AssetOf(instance).IsProtected() && !mapping_[instance];
  }
  // Who is in it, anybody may know.
  [[nodiscard]] bool IsKnown(std::size_t instance) const {
    return IsOwn(instance) ||
           (AssetOf(instance).IsProtected() && AssetOf(instance).rule.membership == Membership::kPublic);
  }

  [[nodiscard]] bool MeetsProtected(std::size_t own) const {
    return std::ranges::any_of(classes_, [&](const std::set<ColumnRef>& columns) {
      return std::ranges::any_of(columns, [own](ColumnRef column) { return column.instance == own; }) &&
             std::ranges::any_of(columns, [this](ColumnRef column) { return AssetOf(column.instance).IsProtected(); });
    });
  }

  // Known tables.
  struct Connected {
    std::set<std::size_t> tables;
    std::vector<std::pair<std::size_t, std::size_t>> units;  // tables that their units alone connect
    [[nodiscard]] bool contains(std::size_t instance) const { return tables.contains(instance); }
  };

  // Adds what equated columns tie to the tables.
  void Grow(std::set<std::size_t>& tables) const {
    for (bool grown = true; grown;) {
      grown = false;
      for (const std::set<ColumnRef>& columns : classes_) {
        if (std::ranges::none_of(columns, [&](ColumnRef column) { return tables.contains(column.instance); })) {
          continue;
        }
        for (const ColumnRef column : columns) {
          grown = (IsKnown(column.instance) && tables.insert(column.instance).second) || grown;
        }
      }
    }
  }

  [[nodiscard]] bool ShareUnits(std::size_t a, std::size_t b) const {
    const Asset& x = AssetOf(a);
    const Asset& y = AssetOf(b);
    return IsOwn(a) && IsOwn(b) && x.owner == y.owner && x.rule.unit_domain == y.rule.unit_domain &&
           x.rule.canonical == y.rule.canonical;
  }

  [[nodiscard]] Connected ConnectedTo(std::size_t own) const {
    Connected out{.tables = {own}, .units = {}};
    Grow(out.tables);
    const auto find = [&](std::size_t i) {  // a table with the units of table i
      return std::ranges::find_if(out.tables, [&](std::size_t table) { return ShareUnits(table, i); });
    };
    for (bool grown = true; grown;) {
      grown = false;
      for (std::size_t i = 0; i < core_.instances.size(); ++i) {
        if (const auto same = find(i); !out.contains(i) && same != out.tables.end()) {
          out.units.emplace_back(*same, i);
          out.tables.insert(i);
          Grow(out.tables);
          grown = true;
        }
      }
    }
    return out;
  }

  enum class Scope { kConnected, kUnconnected, kMapping };

  // Of an expression over columns of one table (P9), or over none.
  [[nodiscard]] Scope ScopeOf(const Expr& expr, const Connected& connected) const {
    std::set<AttrId> attrs;
    CollectAttrs(expr, attrs);
    if (attrs.empty()) {
      return Scope::kConnected;
    }
    const std::size_t instance = core_.attrs.at(*attrs.begin()).instance;
    return mapping_[instance]             ? Scope::kMapping
           : connected.contains(instance) ? Scope::kConnected
                                          : Scope::kUnconnected;
  }

  [[nodiscard]] OwnMembership Of(std::size_t own) const {
    const Connected connected = ConnectedTo(own);
    OwnMembership out;
    out.asset = AssetOf(own).DisplayName();
    Select matched(core_, assets_, units_);
    Select known(core_, assets_, units_);
    for (Select* side : {&matched, &known}) {
      side->Add(side->Unit(own), "u");
      side->Where(side->Unit(own) + " IS NOT NULL");
    }
    std::string hit;
    for (std::size_t i = 0; i < core_.instances.size(); ++i) {
      if (!mapping_[i]) {
        matched.From(i);
      }
      if (connected.contains(i)) {
        known.From(i);
      }
    }
    for (const OwnCondition& condition : core_.own) {
      const Scope scope = ScopeOf(*condition.expr, connected);
      if (scope == Scope::kConnected) {
        matched.Where(matched.Text(*condition.expr));
        known.Where(known.Text(*condition.expr));
      } else if (scope == Scope::kUnconnected) {
        hit += (hit.empty() ? "" : " AND ") + matched.Text(*condition.expr);
      }
    }
    matched.Add(hit.empty() ? "TRUE" : "(" + hit + ") IS TRUE", "hit");
    for (std::size_t i = 0; i < query_.leaves.size(); ++i) {
      const Leaf& leaf = query_.leaves[i];
      if (leaf.kind != Leaf::Kind::kOwn || ScopeOf(*leaf.own, connected) == Scope::kMapping) {
        continue;
      }
      matched.Add(matched.Text(*leaf.own), "k" + std::to_string(i));
      out.leaves.push_back(i);
      if (ScopeOf(*leaf.own, connected) == Scope::kConnected) {
        known.Add(known.Text(*leaf.own), "k" + std::to_string(i));
        out.known_leaves.push_back(i);
      }
    }
    for (const Equality& join : core_.joins) {
      if (!mapping_[join.left.instance] && !mapping_[join.right.instance]) {
        matched.Where(matched.Column(join.left) + " = " + matched.Column(join.right));
      }
    }
    JoinKnown(connected, known);
    out.matched = matched.Sql();
    out.known = known.Sql();
    return out;
  }

  // Columns that are equal by way of a table that is left out are equal, and so are units.
  void JoinKnown(const Connected& connected, Select& known) const {
    for (const std::set<ColumnRef>& columns : classes_) {
      std::optional<ColumnRef> before;
      for (const ColumnRef column : columns) {
        if (!connected.contains(column.instance)) {
          continue;
        }
        if (before) {
          known.Where(known.Column(*before) + " = " + known.Column(column));
        }
        before = column;
      }
    }
    for (const auto& [a, b] : connected.units) {
      known.Where(known.UnitHash(a) + " = " + known.UnitHash(b));
    }
  }

  const GovernedQuery& query_;
  const std::vector<Asset>& assets_;
  const std::vector<std::string>& units_;
  Core core_;
  std::vector<std::set<ColumnRef>> classes_;
  std::vector<bool> mapping_;
};

}  // namespace

std::vector<OwnMembership> OwnMemberships(const GovernedQuery& query, const std::vector<Asset>& assets,
                                          const std::vector<std::string>& units) {
  return Memberships(query, assets, units).All();
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
std::int64_t MembershipMinimum(const Core& core, const std::vector<Asset>& assets) {
  std::int64_t largest = 0;
  for (const Instance& instance : core.instances) {
    const Asset& asset = assets[instance.asset];
    if (asset.IsProtected() && asset.rule.membership == Membership::kProtected) {
      largest = std::max(largest, asset.rule.min_units);
    }
    if (instance.distinct != nullptr) {
      largest = std::max(largest, MembershipMinimum(*instance.distinct, assets));
    }
  }
  return largest;
}

}  // namespace glovebox::query
