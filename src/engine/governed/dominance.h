// SPDX-License-Identifier: Apache-2.0
//
// Dominance (PLANNER.md P12): sums and averages of a measure whose owner's rule has dominance_percent are withheld
// where one unit's part of them could be estimated too well (privacy/dominance.h). Each branch of a cell is tested, on
// the measure's own values, as the source clamps them: factors and summands of the author's choice tell no more, since
// counts may be known. Units are those of the measure's table.
//
// What the cells give away together has to pass as well:
//   pairs      the difference of two cells of different populations (distance.h)
//   remainders a total less disjoint parts that are out (remainder.h; totals.h and audit.h look for them)
// Reach: theirs. A combination with other factors than 1 and -1, overlapping families, and releases over another
// version of a table or under another rule are not looked at. The percentage stands in the rule, which all can read.
//
// Nothing is asked of the data unless some rule has the option.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

// Contributions to a class of sums, as SQL. REQUIRES: IsSumClass; the population holds its table.
struct SummedMeasure {
  std::string alias;  // of the measure's table
  std::string column;
  std::int64_t percent = 0;
};
SummedMeasure MeasureOf(const query::Population& population, const std::string& contribution,
                        const query::AssetCatalog& assets);

// The columns s, a unit's total, and w, the total of its absolute values, of the rows that pass the FILTER.
std::string UnitTotalsSql(const std::string& column, const std::string& filter);
// `units` has a row for each unit u, and its totals: SELECT of `keys`, and a magnitude for each combination of them.
std::string MagnitudesSql(const std::vector<std::string>& keys, const std::string& units);
// Of the columns from `first` on.
privacy::Magnitude ReadMagnitude(const duckdb::ResultTable& table, std::size_t row, std::size_t first);

// Fills the groups' magnitudes. A grid without sums that are tested keeps none.
Status MeasureSums(RunContext& run, Grid& grid);

// Clears call_ok of the cells that are dominated. Called before the difference check: they are not out.
Status WithholdDominated(RunContext& run, ExecutedQuery& executed);

// Measures the sums of the history, if the run has some that are tested.
Status MeasureHistory(RunContext& run, const std::vector<ExecutedQuery>& queries, std::vector<Grid>& history);

// Whether the difference of two cells is dominated.
Result<bool> IsDifferenceDominated(RunContext& run, const query::Population& a, const query::Population& b,
                                   const std::string& contribution);

}  // namespace glovebox::engine::governed
