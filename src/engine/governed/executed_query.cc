// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/executed_query.h"

#include <algorithm>

#include "base/limits.h"
#include "engine/duckdb/unit_aggregates.h"
#include "engine/governed/mappings.h"
#include "engine/governed/own_conditions.h"
#include "query/flatten.h"

namespace glovebox::engine::governed {
namespace {

using privacy::Units;
using query::GovernedQuery;
using query::GovernedSql;
using query::Moment;
using query::UnitCount;

// One question about units, for every group: the answer is proven by row counts where they can.
struct Question {
  UnitCount count;
  std::int64_t min_units = 0;
  std::vector<Units> answers;  // by group
};

class Accounting {
 public:
  Accounting(RunContext& run, ExecutedQuery& executed)
      : run_(run),
        executed_(executed),
        query_(run.plan.governed.queries[executed.index]),
        sql_(run.plan.sql[executed.index]),
        counted_(CountedInstances(query_, run.assets)) {}

  Status Run() {
    AskAll();
    GB_RETURN_IF_ERROR(AskExactly());
    GB_RETURN_IF_ERROR(Decide());
    NoteMissingValues();
    return {};
  }

 private:
  std::size_t Ask(const UnitCount& count, std::int64_t min_units) {
    for (std::size_t i = 0; i < questions_.size(); ++i) {
      if (questions_[i].count == count && questions_[i].min_units == min_units) {
        return i;
      }
    }
    questions_.push_back({count, min_units, {}});
    Question& question = questions_.back();
    for (std::size_t g = 0; g < executed_.groups; ++g) {
      question.answers.push_back(privacy::DecideByRows(Evidence(question, g)));
    }
    return questions_.size() - 1;
  }

  [[nodiscard]] std::int64_t Rows(const UnitCount& count, std::size_t group) const {
    const std::int64_t all = executed_.region_rows[count.region][group];
    if (count.rows == UnitCount::Rows::kAll) {
      return all;
    }
    const std::int64_t with_value = executed_.RowsWithValue(sql_, count.region, *count.measure)[group];
    return count.rows == UnitCount::Rows::kWithValue ? with_value : all - with_value;
  }

  [[nodiscard]] privacy::RowEvidence Evidence(const Question& question, std::size_t group) const {
    privacy::RowEvidence evidence;
    evidence.rows = Rows(question.count, group);
    evidence.min_units = question.min_units;
    // Row counts speak of the finest table only, and only if nothing multiplies its rows.
    if (question.count.instance != query_.finest ||
        !query::ReachesAllUniquely(query_.core, run_.assets, query_.finest)) {
      return evidence;
    }
    const query::Instance& finest = query_.core.instances[query_.finest];
    const query::Asset& asset = run_.assets[finest.asset];
    const AssetStatistics& statistics = run_.statistics[finest.asset];
    // Distinct keys are no units: several spellings may be one.
    evidence.one_row_per_unit = statistics.one_row_per_unit;
    if (asset.rule.min_units == question.min_units) {
      evidence.heaviest_rows = statistics.heaviest_rows;
    }
    return evidence;
  }

  void AskAll() {
    for (const CountedInstance& counted : counted_) {
      group_questions_.push_back(Ask({.instance = counted.instance}, counted.min_units));
    }
    for (std::size_t c = 0; c < query_.calls.size(); ++c) {
      call_questions_.emplace_back();
      for (std::size_t b = 0; b < query_.calls[c].branches.size(); ++b) {
        const query::Branch& branch = query_.calls[c].branches[b];
        call_questions_[c].emplace_back();
        const std::size_t region = sql_.branch_regions[c][b];
        for (const CountedInstance& counted : counted_) {
          call_questions_[c][b].push_back(Ask({.region = region, .instance = counted.instance}, counted.min_units));
        }
        const std::optional<query::ColumnRef> valued = query::ValuedColumn(query_.calls[c], b);
        for (const CountedInstance& counted : counted_) {
          if (valued && !branch.none) {
            call_questions_[c][b].push_back(
                Ask({region, counted.instance, UnitCount::Rows::kWithValue, valued}, counted.min_units));
            Ask({region, counted.instance, UnitCount::Rows::kWithoutValue, valued}, counted.min_units);
          }
        }
      }
    }
  }

  // Step 3 of the accounting: exact counts of units for the questions that some group leaves open.
  Status AskExactly() {
    std::vector<std::size_t> open;
    std::vector<UnitCount> counts;
    std::vector<std::string> counters;
    for (std::size_t q = 0; q < questions_.size(); ++q) {
      if (std::ranges::find(questions_[q].answers, Units::kUndecided) != questions_[q].answers.end()) {
        open.push_back(q);
        counts.push_back(questions_[q].count);
        GB_ASSIGN_OR_RETURN(std::string counter, run_.Counter(questions_[q].min_units));
        counters.push_back(std::move(counter));
      }
    }
    if (open.empty()) {
      return {};
    }
    GB_ASSIGN_OR_RETURN(const duckdb::ResultTable result,
                        run_.connection.Query(
                            query::PrintCounts(query_, sql_, run_.assets, counts, counters, executed_.GroupsTable())));
    for (std::size_t row = 0; row < result.rows; ++row) {
      const auto group = static_cast<std::size_t>(result.columns[0].ints[row]);
      for (std::size_t i = 0; i < open.size(); ++i) {
        Question& question = questions_[open[i]];
        question.answers[group] = privacy::DecideByCount(result.columns[i + 1].ints[row], question.min_units);
      }
    }
    return {};
  }

  // What no row can be in, by the text alone, tells nothing: the SUM over NORTH of the group SOUTH.
  Result<bool> CanBeIn(std::size_t call, std::size_t branch, std::size_t group) const {
    const Grid& grid = executed_.grid;
    GB_ASSIGN_OR_RETURN(const query::Population cell,
                        grid.CellPopulation(call, branch, grid.groups[group].key, run_.catalog));
    return !cell.boxes.empty();
  }

  // Distinct identities are of the class of units (grid.h): what is not one to one with them would tell, beside a count
  // of units, by how few people the two differ.
  [[nodiscard]] bool CountsUnits(const query::GovernedCall& call) const {
    if (call.distinct != query::Distinct::kColumn) {
      return true;
    }
    const std::size_t asset = query_.core.instances[call.distinct_column.instance].asset;
    return run_.statistics[asset].columns_of_units.contains(
        run_.assets[asset].columns[call.distinct_column.column].name);
  }

  Status Decide() {
    executed_.group_ok.assign(executed_.groups, true);
    executed_.call_ok.assign(query_.calls.size(), std::vector<bool>(executed_.groups, true));
    for (std::size_t g = 0; g < executed_.groups; ++g) {
      const auto enough = [&](std::size_t q) { return questions_[q].answers[g] == Units::kEnough; };
      executed_.group_ok[g] = std::ranges::all_of(group_questions_, enough);
      for (std::size_t c = 0; c < query_.calls.size(); ++c) {
        bool ok = executed_.group_ok[g] && CountsUnits(query_.calls[c]);
        for (std::size_t b = 0; b < call_questions_[c].size() && ok; ++b) {
          ok = std::ranges::all_of(call_questions_[c][b], enough);
          if (!ok) {
            GB_ASSIGN_OR_RETURN(const bool counts, CanBeIn(c, b, g));
            ok = !counts;
          }
        }
        executed_.call_ok[c][g] = ok;
      }
    }
    return {};
  }

  // Whether a unit without a value in one row may have one in another: a count of those that have one tells then of the
  // units that have none at all, of which rows say nothing.
  [[nodiscard]] bool MayHaveOther(const query::GovernedCall& call) const {
    return call.distinct == query::Distinct::kColumn &&
           !run_.statistics[query_.core.instances[call.distinct_column.instance].asset].one_row_per_unit;
  }

  // Which cells tell, beside a count of the same rows, about 1 to k-1 units without a value (P4, stored NULLs).
  void NoteMissingValues() {
    for (std::size_t c = 0; c < query_.calls.size(); ++c) {
      for (std::size_t b = 0; b < query_.calls[c].branches.size(); ++b) {
        const std::optional<query::ColumnRef> valued = query::ValuedColumn(query_.calls[c], b);
        if (!valued || query_.calls[c].branches[b].none) {
          continue;
        }
        for (const CountedInstance& counted : counted_) {
          const std::size_t q = Ask(
              {sql_.branch_regions[c][b], counted.instance, UnitCount::Rows::kWithoutValue, valued}, counted.min_units);
          for (std::size_t g = 0; g < executed_.groups; ++g) {
            const Units missing = questions_[q].answers[g];
            if (missing == Units::kFew || (missing != Units::kNone && MayHaveOther(query_.calls[c]))) {
              executed_.grid.groups[g].few_missing[c] = true;
            }
          }
        }
      }
    }
  }

  RunContext& run_;
  ExecutedQuery& executed_;
  const GovernedQuery& query_;
  const GovernedSql& sql_;
  std::vector<CountedInstance> counted_;
  std::vector<Question> questions_;
  std::vector<std::size_t> group_questions_;
  std::vector<std::vector<std::vector<std::size_t>>> call_questions_;  // [call][branch]
};

}  // namespace

std::string CountClass(const RunContext& run, const query::PopulationTable& table) {
  const query::Asset* asset = run.catalog.Find(table.asset);
  GB_ASSERT(asset != nullptr);
  const bool single =
      asset->OneRowPerUnit() || (asset->IsProtected() && run.StatisticsOf(table.asset).one_row_per_unit);
  return table.distinct != nullptr || single ? UnitsClass(*asset) : "rows:" + table.alias;
}

std::set<std::string> CountClasses(const RunContext& run, const query::Population& population) {
  std::set<std::string> out;
  for (const std::string& alias : population.counted) {
    const query::PopulationTable* table = population.Table(alias);
    GB_ASSERT(table != nullptr);
    out.insert(CountClass(run, *table));
  }
  return out;
}

const AssetStatistics& RunContext::StatisticsOf(const std::string& asset) const {
  const auto found = std::ranges::find(assets, asset, &query::Asset::DisplayName);
  GB_ASSERT(found != assets.end());
  return statistics[static_cast<std::size_t>(found - assets.begin())];
}

std::vector<Reading> ReadingsOf(const std::vector<ExecutedQuery>& queries, const std::vector<Grid>& history) {
  std::set<std::string> measures;
  const auto add = [&measures](const Grid& grid) {
    for (std::size_t g = 0; g < grid.groups.size() && !grid.stale; ++g) {
      for (std::size_t c = 0; c < grid.calls.size(); ++c) {
        for (std::size_t b = 0; b < grid.calls[c].branches.size() && grid.groups[g].out[c]; ++b) {
          if (grid.IsFraction(c, b, g)) {
            measures.insert(grid.calls[c].branches[b].valued);
          }
        }
      }
    }
  };
  std::ranges::for_each(history, add);
  std::ranges::for_each(queries, add, &ExecutedQuery::grid);
  std::vector<Reading> out{{}};
  if (!measures.empty()) {
    out.push_back({.kind = Reading::Kind::kRows});
  }
  for (const std::string& measure : measures) {
    out.push_back({.kind = Reading::Kind::kValues, .measure = measure});
  }
  return out;
}

query::PopulationColumn MeasureColumn(const std::string& valued) {
  return query::SplitColumn(valued).value_or(query::PopulationColumn());
}

std::string HasValueSql(const std::string& valued) {
  if (valued.empty()) {
    return "TRUE";
  }
  const query::PopulationColumn column = MeasureColumn(valued);
  return query::ColumnSql(column.first, column.second) + " IS NOT NULL";
}

bool MayBeNull(const RunContext& run, const query::Population& population, const std::string& valued) {
  const query::PopulationColumn column = MeasureColumn(valued);
  const query::PopulationTable* table = population.Table(column.first);
  return table == nullptr || !run.StatisticsOf(table->asset).columns_without_null.contains(column.second);
}

Result<std::string> RunContext::Counter(std::int64_t min_units) {
  const auto known = counters.find(min_units);
  if (known != counters.end()) {
    return known->second;
  }
  const auto k = static_cast<std::uint32_t>(min_units);
  GB_RETURN_IF_ERROR(duckdb::RegisterUnitsAtLeast(connection, k));
  return counters.emplace(min_units, duckdb::UnitsAtLeastName(k)).first->second;
}

std::vector<std::string> UnitRelations(const RunContext& run) {
  std::vector<std::string> out;
  for (const AssetStatistics& statistics : run.statistics) {
    out.push_back(statistics.units_relation);
  }
  return out;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
std::int64_t MinimumUnits(const query::PopulationTable& table, const query::AssetCatalog& assets) {
  const query::Asset* asset = assets.Find(table.asset);
  std::int64_t largest = asset != nullptr && asset->IsProtected() ? asset->rule.min_units : 0;
  if (table.distinct != nullptr) {
    for (const query::PopulationTable& inner : table.distinct->tables) {
      largest = std::max(largest, MinimumUnits(inner, assets));
    }
  }
  return largest;
}

std::vector<CountedInstance> CountedInstances(const GovernedQuery& query, const std::vector<query::Asset>& assets) {
  // Instances whose unit columns are joined hold the same units, if one owner says what a unit is.
  const query::Core& core = query.core;
  std::vector<std::size_t> unit_class(core.instances.size());
  for (std::size_t i = 0; i < unit_class.size(); ++i) {
    unit_class[i] = i;
  }
  const auto is_unit = [&](query::ColumnRef column) {
    const query::Asset& asset = assets[core.instances[column.instance].asset];
    return asset.IsProtected() && asset.IsUnitColumn(column.column);
  };
  // A join through an own table's key joins the units as well: both are equated with the same column.
  for (const std::set<query::ColumnRef>& columns : query::EqualityClasses(core)) {
    std::optional<query::ColumnRef> first;
    for (const query::ColumnRef column : columns) {
      if (!is_unit(column)) {
        continue;
      }
      if (!first) {
        first = column;
        continue;
      }
      const query::Asset& a = assets[core.instances[first->instance].asset];
      const query::Asset& b = assets[core.instances[column.instance].asset];
      if (a.owner == b.owner && a.rule.unit_domain == b.rule.unit_domain) {
        unit_class[column.instance] = unit_class[first->instance];
      }
    }
  }
  std::vector<CountedInstance> out;
  std::set<std::size_t> done;
  const auto add = [&](std::size_t i) {
    if (!assets[core.instances[i].asset].IsProtected() || !done.insert(unit_class[i]).second) {
      return;
    }
    std::int64_t k = 0;
    for (std::size_t other = 0; other < core.instances.size(); ++other) {
      if (unit_class[other] == unit_class[i] && assets[core.instances[other].asset].IsProtected()) {
        k = std::max(k, query::MinimumUnits(core.instances[other], assets));
      }
    }
    out.push_back({i, k});
  };
  add(query.finest);
  for (std::size_t i = 0; i < core.instances.size(); ++i) {
    add(i);
  }
  return out;
}

const std::vector<std::int64_t>& ExecutedQuery::RowsWithValue(const GovernedSql& sql, std::size_t region,
                                                              query::ColumnRef column) const {
  const Moment* moment = sql.Find(Moment::Kind::kNonNull, region, column);
  GB_ASSERT(moment != nullptr);
  return values.at(static_cast<std::size_t>(moment - sql.moments.data()));
}

std::optional<std::string> KeyText(const duckdb::ResultColumn& column, std::size_t row) {
  json::Value value = duckdb::CellToJson(column, row);
  if (value.is_double() && value.as_double() == 0) {
    value = 0.0;  // SQL groups -0.0 with it
  }
  return value.is_null()     ? std::nullopt
         : value.is_string() ? std::optional(value.as_string())
                             : std::optional(json::Write(value));
}

Result<ExecutedQuery> ExecuteGroups(RunContext& run, std::size_t index) {
  const GovernedQuery& query = run.plan.governed.queries[index];
  const GovernedSql& sql = run.plan.sql[index];
  ExecutedQuery executed;
  executed.index = index;
  executed.grid = GridOf(run, query, sql);
  GB_RETURN_IF_ERROR(SettleMappings(run, executed.grid));
  GB_RETURN_IF_ERROR(SettleConditions(run, executed.grid.population));
  GB_RETURN_IF_ERROR(SettleKeys(run, executed.grid));
  query::UnnestUnits(executed.grid.population, run.catalog);
  GB_RETURN_IF_ERROR(run.connection.Execute("CREATE TEMP TABLE " + executed.GroupsTable() + " AS " + sql.groups));
  std::string select = "SELECT gid";
  for (std::size_t i = 0; i < query.leaves.size(); ++i) {
    select += ", k" + std::to_string(i);
  }
  std::vector<std::size_t> counts;
  for (std::size_t m = 0; m < sql.moments.size(); ++m) {
    if (sql.moments[m].kind == Moment::Kind::kRows || sql.moments[m].kind == Moment::Kind::kNonNull) {
      select += ", " + sql.moments[m].name;
      counts.push_back(m);
    }
  }
  GB_ASSIGN_OR_RETURN(
      const duckdb::ResultTable table,
      run.connection.Query(select + " FROM " + executed.GroupsTable() + " ORDER BY gid", limits::kRunGroupsMax));
  executed.groups = table.rows;
  executed.region_rows.assign(sql.regions.size(), {});
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const Moment& moment = sql.moments[counts[i]];
    const std::vector<std::int64_t>& column = table.columns[1 + query.leaves.size() + i].ints;
    if (moment.kind == Moment::Kind::kRows) {
      executed.region_rows[moment.region] = column;
    } else {
      executed.values[counts[i]] = column;
    }
  }
  std::set<GroupKey> keys;
  for (std::size_t g = 0; g < table.rows; ++g) {
    GridGroup group;
    for (std::size_t i = 0; i < query.leaves.size(); ++i) {
      group.key.push_back(KeyText(table.columns[1 + i], g));
    }
    for (std::size_t c = 0; c < query.calls.size(); ++c) {
      group.rows.emplace_back();
      group.values.emplace_back();
      for (std::size_t b = 0; b < query.calls[c].branches.size(); ++b) {
        const std::size_t region = sql.branch_regions[c][b];
        group.rows.back().push_back(executed.region_rows[region][g]);
        const std::optional<query::ColumnRef> valued = query::ValuedColumn(query.calls[c], b);
        group.values.back().push_back(valued ? executed.RowsWithValue(sql, region, *valued)[g]
                                             : group.rows.back().back());
      }
    }
    if (!keys.insert(group.key).second) {
      return Status(ErrorCode::kRunFailed, "two groups have one key");
    }
    group.out.assign(query.calls.size(), false);
    group.few_missing.assign(query.calls.size(), false);
    group.told.assign(query.calls.size(), false);
    executed.grid.groups.push_back(std::move(group));
  }
  return executed;
}

Status ApplyMinimumGroups(RunContext& run, ExecutedQuery& executed) { return Accounting(run, executed).Run(); }

void LimitGroups(const RunContext& run, ExecutedQuery& executed) {
  const std::int64_t most = query::RowsMax(run.plan.governed.queries[executed.index].core, run.assets);
  std::int64_t rows = 0;
  for (std::size_t g = 0; g < executed.groups && most > 0; ++g) {
    std::vector<bool>& out = executed.grid.groups[g].out;
    rows += std::ranges::find(out, true) != out.end() ? 1 : 0;
    if (rows > most) {
      out.assign(out.size(), false);
    }
  }
}

}  // namespace glovebox::engine::governed
