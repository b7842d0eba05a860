// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/executed_query.h"

#include <algorithm>

#include "base/limits.h"
#include "engine/duckdb/unit_aggregates.h"
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
    Decide();
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
    const Moment* moment = sql_.Find(Moment::Kind::kNonNull, count.region, count.measure);
    GB_ASSERT(moment != nullptr);
    const std::int64_t with_value = executed_.values.at(static_cast<std::size_t>(moment - sql_.moments.data()))[group];
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
    evidence.one_row_per_unit = finest.distinct != nullptr || statistics.one_row_per_unit;
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
        const std::size_t region = sql_.branch_regions[c][b];
        for (const CountedInstance& counted : counted_) {
          call_questions_[c].push_back(Ask({.region = region, .instance = counted.instance}, counted.min_units));
        }
        if (branch.measure) {
          const std::int64_t k = LargestMinimum(query_.core, run_.assets);
          call_questions_[c].push_back(Ask({region, query_.finest, UnitCount::Rows::kWithValue, branch.measure}, k));
          Ask({region, query_.finest, UnitCount::Rows::kWithoutValue, branch.measure}, k);
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

  void Decide() {
    executed_.group_ok.assign(executed_.groups, true);
    executed_.call_ok.assign(query_.calls.size(), std::vector<bool>(executed_.groups, true));
    for (std::size_t g = 0; g < executed_.groups; ++g) {
      const auto enough = [&](std::size_t q) { return questions_[q].answers[g] == Units::kEnough; };
      executed_.group_ok[g] = std::ranges::all_of(group_questions_, enough);
      for (std::size_t c = 0; c < query_.calls.size(); ++c) {
        executed_.call_ok[c][g] = executed_.group_ok[g] && std::ranges::all_of(call_questions_[c], enough);
      }
    }
  }

  // Which cells tell, beside a count of the same rows, about 1 to k-1 units without a value (P4, stored NULLs).
  void NoteMissingValues() {
    for (std::size_t c = 0; c < query_.calls.size(); ++c) {
      for (std::size_t b = 0; b < query_.calls[c].branches.size(); ++b) {
        const query::Branch& branch = query_.calls[c].branches[b];
        if (!branch.measure) {
          continue;
        }
        const std::size_t q =
            Ask({sql_.branch_regions[c][b], query_.finest, UnitCount::Rows::kWithoutValue, branch.measure},
                LargestMinimum(query_.core, run_.assets));
        for (std::size_t g = 0; g < executed_.groups; ++g) {
          if (questions_[q].answers[g] == Units::kFew) {
            executed_.grid.groups[g].few_missing[c] = true;
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
  std::vector<std::vector<std::size_t>> call_questions_;
};

}  // namespace

Result<std::string> RunContext::Counter(std::int64_t min_units) {
  const auto known = counters.find(min_units);
  if (known != counters.end()) {
    return known->second;
  }
  const auto k = static_cast<std::uint32_t>(min_units);
  GB_RETURN_IF_ERROR(duckdb::RegisterUnitsAtLeast(connection, k));
  return counters.emplace(min_units, duckdb::UnitsAtLeastName(k)).first->second;
}

std::int64_t LargestMinimum(const query::Core& core, const std::vector<query::Asset>& assets) {
  std::int64_t largest = 0;
  for (const query::Instance& instance : core.instances) {
    const query::Asset& asset = assets[instance.asset];
    largest = asset.IsProtected() ? std::max(largest, asset.rule.min_units) : largest;
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
  std::vector<std::set<query::ColumnRef>> classes;
  for (const query::Equality& join : core.joins) {
    std::set<query::ColumnRef> merged{join.left, join.right};
    std::erase_if(classes, [&merged, &join](const std::set<query::ColumnRef>& known) {
      if (!known.contains(join.left) && !known.contains(join.right)) {
        return false;
      }
      merged.insert(known.begin(), known.end());
      return true;
    });
    classes.push_back(std::move(merged));
  }
  for (const auto& columns : classes) {
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
        k = std::max(k, assets[core.instances[other].asset].rule.min_units);
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

Result<ExecutedQuery> ExecuteGroups(RunContext& run, std::size_t index) {
  const GovernedQuery& query = run.plan.governed.queries[index];
  const GovernedSql& sql = run.plan.sql[index];
  ExecutedQuery executed;
  executed.index = index;
  executed.grid = GridOf(query, sql, run.assets);
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
  for (std::size_t g = 0; g < table.rows; ++g) {
    GridGroup group;
    for (std::size_t i = 0; i < query.leaves.size(); ++i) {
      const json::Value value = duckdb::CellToJson(table.columns[1 + i], g);
      group.key.push_back(value.is_null()     ? std::nullopt
                          : value.is_string() ? std::optional(value.as_string())
                                              : std::optional(json::Write(value)));
    }
    for (std::size_t c = 0; c < query.calls.size(); ++c) {
      group.rows.emplace_back();
      for (const std::size_t region : sql.branch_regions[c]) {
        group.rows.back().push_back(executed.region_rows[region][g]);
      }
    }
    group.out.assign(query.calls.size(), false);
    group.few_missing.assign(query.calls.size(), false);
    executed.grid.groups.push_back(std::move(group));
  }
  return executed;
}

Status ApplyMinimumGroups(RunContext& run, ExecutedQuery& executed) { return Accounting(run, executed).Run(); }

}  // namespace glovebox::engine::governed
