// SPDX-License-Identifier: Apache-2.0
//
// The units of one kind, told apart by the cells that they are in: what linear combinations of counts of units are made
// of (combinations.h). A unit has rows in several groups of one query where its table has many rows a unit, so it may
// be in several cells of one side. An atom is never released, logged or recorded.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "engine/governed/atoms.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

class UnitScan {
 public:
  // REQUIRES: the finest table of each side is the one whose units its cells count, all of one kind.
  UnitScan(RunContext& run, const std::vector<Side>& sides);

  [[nodiscard]] std::int64_t min_units() const { return min_units_; }
  // Notes for each unit the cells that it is in.
  Status Scan();
  // Atoms with at least k units; the others, or RESOURCE_EXHAUSTED if there are too many. A unit is in one atom only.
  // REQUIRES: Scan.
  Result<std::vector<AtomRows>> Large() { return Read(">="); }
  Result<std::vector<AtomRows>> Small() { return Read("<"); }

 private:
  Status AddSide(const Side& side);
  Result<std::vector<AtomRows>> Read(const char* than);

  RunContext& run_;
  const std::vector<Side>& sides_;
  std::int64_t min_units_ = 0;
};

}  // namespace glovebox::engine::governed
