// SPDX-License-Identifier: Apache-2.0
#include "query/planner.h"

#include <algorithm>

#include "base/limits.h"
#include "base/strings.h"
#include "query/analyzer.h"
#include "query/flatten.h"
#include "query/print_expr.h"
#include "query/print_rel.h"
#include "query/refuse.h"

namespace glovebox::query {
namespace {

void CollectOwnDimensions(const Core& core, const std::vector<Asset>& assets, const Expr& expr,
                          std::set<std::pair<std::string, std::string>>& out) {
  std::set<AttrId> attrs;
  CollectAttrs(expr, attrs);
  for (const AttrId attr : attrs) {
    const ColumnRef column = core.attrs.at(attr);
    if (!IsDimensionMapping(core, assets, column.instance)) {
      const Asset& asset = assets[core.instances[column.instance].asset];
      out.emplace(asset.DisplayName(), asset.columns[column.column].name);
    }
  }
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
void CollectOwnDimensions(const Core& core, const std::vector<Asset>& assets,
                          std::set<std::pair<std::string, std::string>>& out) {
  for (const OwnCondition& condition : core.own) {
    CollectOwnDimensions(core, assets, *condition.expr, out);
  }
  for (const Instance& instance : core.instances) {
    if (instance.distinct != nullptr) {
      CollectOwnDimensions(*instance.distinct, assets, out);
    }
  }
}

RelNames NamesFor(const std::vector<Asset>& assets, const std::vector<GovernedQuery>& queries) {
  RelNames names;
  names.scan = [&assets](std::size_t table) { return assets[table].relation; };
  names.scan_column = [&assets](std::size_t table, std::size_t column) {
    return QuoteName(assets[table].columns[column].name);
  };
  names.released = [](std::size_t governed) { return ReleasedRelation(governed); };
  names.released_column = [&queries](std::size_t governed, std::size_t column) {
    const std::size_t leaves = queries[governed].leaves.size();
    return column < leaves ? "k" + std::to_string(column) : "c" + std::to_string(column - leaves);
  };
  return names;
}

// An output becomes a table of a catalogue and a file: its name is checked as both will check it. The key is that of
// the catalogue, so that two outputs are never one table.
Result<std::string> OutputKey(const std::string& name) {
  GB_RETURN_IF_ERROR(CheckPathSafeName(name, "an output table"));
  GB_RETURN_IF_ERROR(CheckSecurableName(name, "an output table"));
  GB_ASSIGN_OR_RETURN(std::string key, NfkcTrimLower(name));
  if (key.empty()) {
    return Status(ErrorCode::kInvalidParameterValue, "an output table's name is empty");
  }
  return key;
}

// Units of one owner and domain are compared by the hash of their canonical text.
Status CheckUnits(const std::vector<Asset>& assets) {
  for (const Asset& one : assets) {
    for (const Asset& other : assets) {
      if (one.owner == other.owner && one.rule.unit_domain == other.rule.unit_domain &&
          one.rule.canonical != other.rule.canonical) {
        return Refuse("P6", 0,
                      "'" + one.DisplayName() + "' and '" + other.DisplayName() +
                          "' have units of one domain in two canonical forms; their owner declares one form, or two "
                          "domains");
      }
    }
  }
  return {};
}

std::string OutputSql(const Plan& plan, std::size_t output, const RelNames& names, Places places) {
  const Rel& root = *plan.governed.outputs[output];
  std::string select;
  for (std::size_t c = 0; c < root.output.size(); ++c) {
    select += (c == 0 ? "" : ", ") + AttrName(root.output[c].id) + " AS " + QuoteName(plan.outputs[output].columns[c]);
  }
  return "SELECT " + select + " FROM (" + PrintRel(root, names, places) + ")";
}

}  // namespace

std::string ReleasedRelation(std::size_t governed) { return "released_" + std::to_string(governed); }

Result<Plan> MakePlan(const std::vector<PlannerStatement>& statements, const std::vector<Asset>& assets,
                      const std::vector<ParameterDef>& parameters, std::size_t* refused) {
  std::size_t ignored = 0;
  std::size_t& at = refused != nullptr ? *refused : ignored;
  GB_RETURN_IF_ERROR(CheckUnits(assets));
  AnalyzerInput input;
  for (const Asset& asset : assets) {
    input.tables.push_back({asset.name, asset.columns});
  }
  input.parameters = parameters;
  Analyzer analyzer(std::move(input));
  Plan plan;
  std::vector<RelPtr> roots;
  std::size_t displayed = 0;
  std::set<std::string> taken;
  std::vector<std::size_t> statement_of;  // by output
  for (at = 0; at < statements.size(); ++at) {
    const PlannerStatement& statement = statements[at];
    GB_ASSIGN_OR_RETURN(const RelPtr rel, analyzer.Analyze(*statement.query));
    if (statement.kind == StatementKind::kTemporaryView) {
      GB_RETURN_IF_ERROR(analyzer.AddView(statement.target, *statement.query, statement.position));
      continue;
    }
    PlannedOutput output;
    output.is_table = statement.kind == StatementKind::kOutputTable;
    output.name = output.is_table ? statement.target.back() : "result_" + std::to_string(++displayed);
    output.cell = statement.cell;
    output.position = statement.position;
    const Result<std::string> key = OutputKey(output.name);
    if (!key.ok()) {
      return Status(key.status()).At(statement.position);
    }
    if (!taken.insert(*key).second) {
      return Status(ErrorCode::kInvalidParameterValue, "output table '" + output.name + "' is written twice")
          .At(statement.position);
    }
    output.columns = UniqueNames(rel->output);
    plan.outputs.push_back(std::move(output));
    roots.push_back(rel);
    statement_of.push_back(at);
  }
  if (roots.empty()) {
    return Status(ErrorCode::kInvalidParameterValue, "the text has no query").At(0);
  }
  std::size_t output = 0;
  Result<GovernedPlan> governed = Govern(roots, assets, &output);
  at = statement_of[output];
  if (!governed.ok()) {
    return governed.status();
  }
  plan.governed = std::move(*governed);
  const RelNames names = NamesFor(assets, plan.governed.queries);
  for (const GovernedQuery& query : plan.governed.queries) {
    plan.sql.push_back(PrintGoverned(query, assets));
    CollectOwnDimensions(query.core, assets, plan.own_dimensions);
    for (const Leaf& leaf : query.leaves) {
      if (leaf.kind == Leaf::Kind::kOwn) {
        CollectOwnDimensions(query.core, assets, *leaf.own, plan.own_dimensions);
      }
    }
  }
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    plan.outputs[i].sql = OutputSql(plan, i, names, Places::kFailingCasts);
  }
  for (const std::size_t used : analyzer.used_parameters()) {
    plan.parameters.push_back(parameters[used]);
  }
  std::ranges::sort(plan.parameters, {}, &ParameterDef::name);
  return plan;
}

std::string SqlWithPlaces(const Plan& plan, const std::vector<Asset>& assets, std::size_t output) {
  return OutputSql(plan, output, NamesFor(assets, plan.governed.queries), Places::kAll);
}

}  // namespace glovebox::query
