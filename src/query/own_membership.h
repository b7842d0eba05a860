// SPDX-License-Identifier: Apache-2.0
//
// Which own tables of a governed query meet protected rows, and SQL that tells their units that match from those that
// do not (PLANNER.md P9). Only own conditions, own keys and joins count: conditions on protected columns and mappings
// of dimensions do not make strangers of anybody. EXISTS, IN and DISTINCT are joins here: only the units matter. Own
// tables that no columns connect are connected by their units, if one owner says what those are: who is not in both
// cannot match. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "query/core.h"

namespace glovebox::query {

struct OwnMembership {
  std::string asset;  // display name of the own table
  // Units `u` of the table that meet protected rows, with the own keys k<i> of `leaves` and `hit`: whether the own
  // conditions on tables that no known column connects hold as well. Distinct.
  std::string matched;
  std::vector<std::size_t> leaves;
  // All units `u` of the table that the query speaks of, with the own keys of `known_leaves`: what everybody may know
  // from own tables and from those with public membership. Distinct.
  std::string known;
  std::vector<std::size_t> known_leaves;
};

// One for each own table that is joined to protected rows, inside EXISTS, IN and DISTINCT as well, but for mappings.
// `units[i]` is a relation of the units of assets[i]: id, and a hash that all tables of one unit domain share.
std::vector<OwnMembership> OwnMemberships(const GovernedQuery& query, const std::vector<Asset>& assets,
                                          const std::vector<std::string>& units);

// The largest minimum group of the protected assets of a core whose membership is protected, those inside its distinct
// units included; 0 if there are none.
std::int64_t MembershipMinimum(const Core& core, const std::vector<Asset>& assets);

}  // namespace glovebox::query
