// SPDX-License-Identifier: Apache-2.0
//
// An analysis rule is JSON from an organisation: whatever it holds, reading it ends, and what was read is usable.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "query/analysis_rule.h"
#include "query/subset.h"

namespace {

using namespace glovebox::query;

void UseColumn(const ColumnRule& rule, const Type& type) {
  const auto domain = DomainOf(rule, type);
  if (!domain.ok()) {
    return;
  }
  GB_ASSERT(SubsetFromJson(Subset::Everything(*domain).ToJson(*domain), *domain).ok());
  for (const Step& step : rule.dimension_steps) {
    if ((step.unit == Step::Unit::kNumber) == type.IsNumeric()) {
      const std::int64_t low = StepFloor(-1, step, type);
      GB_ASSERT(low <= -1 && StepNext(low, step, type) > -1);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto rule = ParseAnalysisRule({reinterpret_cast<const char*>(data), size});
  if (!rule.ok()) {
    return 0;
  }
  GB_ASSERT(!CanonicalText(*rule).empty());
  for (const Type& type : {Type::Text(), Type::Integer(32), Type::Decimal(10, 2), Type::Double(), Type::Date(),
                           Type::Timestamp(), Type::Boolean()}) {
    std::vector<RuleColumn> columns;
    for (const auto& [name, column] : rule->columns) {
      columns.push_back({name, type});
      UseColumn(column, type);
    }
    (void)CheckRuleAgainst(*rule, columns);
  }
  return 0;
}
