// SPDX-License-Identifier: Apache-2.0
#include "query/functions.h"

#include <array>
#include <span>

namespace glovebox::query {
namespace {

constexpr std::size_t kMany = 64;

constexpr auto kScalars = std::to_array<ScalarFunction>({
    // Operators. Division gives NULL for a zero divisor: the printer guards it.
    {"+", "+", 1, 2, true, true},
    {"-", "-", 1, 2, true, true},
    {"*", "*", 2, 2, true, true},
    {"/", "/", 2, 2, true, true},
    {"//", "//", 2, 2, true, true},
    {"%", "%", 2, 2, true, true},
    {"||", "||", 2, 2, true, false, true},
    // Numbers
    {"abs", "abs", 1, 1, false, true},
    {"ceil", "ceil", 1, 1, false, false},
    {"ceiling", "ceil", 1, 1, false, false},
    {"floor", "floor", 1, 1, false, false},
    {"round", "round", 1, 2, false, true},
    {"trunc", "trunc", 1, 1, false, true},
    {"sign", "sign", 1, 1, false, false},
    {"sqrt", "sqrt", 1, 1, false, true},
    {"ln", "ln", 1, 1, false, true},
    {"log10", "log10", 1, 1, false, true},
    {"log2", "log2", 1, 1, false, true},
    {"exp", "exp", 1, 1, false, true},
    {"power", "pow", 2, 2, false, true},
    {"pow", "pow", 2, 2, false, true},
    {"mod", "%", 2, 2, true, true},
    {"greatest", "greatest", 1, kMany, false, false},
    {"least", "least", 1, kMany, false, false},
    // Text
    {"upper", "upper", 1, 1, false, false},
    {"ucase", "upper", 1, 1, false, false},
    {"lower", "lower", 1, 1, false, false},
    {"lcase", "lower", 1, 1, false, false},
    {"trim", "trim", 1, 2, false, false},
    {"ltrim", "ltrim", 1, 2, false, false},
    {"rtrim", "rtrim", 1, 2, false, false},
    {"length", "length", 1, 1, false, false},
    {"len", "length", 1, 1, false, false},
    {"char_length", "length", 1, 1, false, false},
    {"substr", "substr", 2, 3, false, true},
    {"substring", "substr", 2, 3, false, true},
    {"left", "left", 2, 2, false, true},
    {"right", "right", 2, 2, false, true},
    {"concat", "concat", 1, kMany, false, false, true},
    {"concat_ws", "concat_ws", 2, kMany, false, false, true},
    {"reverse", "reverse", 1, 1, false, false},
    {"starts_with", "starts_with", 2, 2, false, false},
    {"startswith", "starts_with", 2, 2, false, false},
    {"ends_with", "suffix", 2, 2, false, false},
    {"endswith", "suffix", 2, 2, false, false},
    {"contains", "contains", 2, 2, false, false},
    {"strpos", "strpos", 2, 2, false, false},
    {"instr", "strpos", 2, 2, false, false},
    {"split_part", "split_part", 3, 3, false, true},
    {"strip_accents", "strip_accents", 1, 1, false, false},
    {"regexp_matches", "regexp_matches", 2, 2, false, true},
    {"regexp_extract", "regexp_extract", 2, 3, false, true},
    {"regexp_replace", "regexp_replace", 3, 4, false, true, true},
    {"md5", "md5", 1, 1, false, false},
    {"sha256", "sha256", 1, 1, false, false},
    // Dates
    {"date_trunc", "date_trunc", 2, 2, false, true},
    {"date_part", "date_part", 2, 2, false, true},
    {"year", "year", 1, 1, false, false},
    {"quarter", "quarter", 1, 1, false, false},
    {"month", "month", 1, 1, false, false},
    {"week", "week", 1, 1, false, false},
    {"weekofyear", "week", 1, 1, false, false},
    {"day", "day", 1, 1, false, false},
    {"dayofmonth", "day", 1, 1, false, false},
    {"dayofweek", "dayofweek", 1, 1, false, false},
    {"dayofyear", "dayofyear", 1, 1, false, false},
    {"hour", "hour", 1, 1, false, false},
    {"minute", "minute", 1, 1, false, false},
    {"second", "second", 1, 1, false, false},
    {"date_diff", "date_diff", 3, 3, false, true},
    {"datediff", "date_diff", 3, 3, false, true},
    {"last_day", "last_day", 1, 1, false, false},
    {"make_date", "make_date", 3, 3, false, true},
    {"strftime", "strftime", 2, 2, false, true, true},
    {"try_strptime", "try_strptime", 2, 2, false, true},
    // Conditions
    {"coalesce", "coalesce", 1, kMany, false, false},
    {"ifnull", "coalesce", 2, 2, false, false},
    {"nvl", "coalesce", 2, 2, false, false},
    {"nullif", "nullif", 2, 2, false, false},
    // Tokens: only where the caller has a keyring (own_query.h, Secrets)
    {"hmac_sha256", "gb_hmac_sha256", 2, 2, false, false},
    {"secret", "", 2, 2, false, false},
    {"nfkc_trim_lower", "gb_nfkc_trim_lower", 1, 1, false, false},
});

using G = GovernedAggregate;
constexpr auto kAggregates = std::to_array<AggregateFunction>({
    {"count_star", "count_star", 0, 0, G::kCountStar},
    {"count", "count", 1, 1, G::kCount},
    {"sum", "sum", 1, 1, G::kSum},
    {"avg", "avg", 1, 1, G::kAvg},
    {"mean", "avg", 1, 1, G::kAvg},
    {"stddev", "stddev_samp", 1, 1, G::kStddevSample},
    {"stddev_samp", "stddev_samp", 1, 1, G::kStddevSample},
    {"std", "stddev_samp", 1, 1, G::kStddevSample},
    {"stddev_pop", "stddev_pop", 1, 1, G::kStddevPopulation},
    {"variance", "var_samp", 1, 1, G::kVarianceSample},
    {"var_samp", "var_samp", 1, 1, G::kVarianceSample},
    {"var_pop", "var_pop", 1, 1, G::kVariancePopulation},
    {"min", "min", 1, 1, std::nullopt},
    {"max", "max", 1, 1, std::nullopt},
    {"median", "median", 1, 1, std::nullopt},
    {"bool_and", "bool_and", 1, 1, std::nullopt},
    {"bool_or", "bool_or", 1, 1, std::nullopt},
    {"quantile_cont", "quantile_cont", 2, 2, std::nullopt},
    {"quantile_disc", "quantile_disc", 2, 2, std::nullopt},
    {"any_value", "any_value", 1, 1, std::nullopt},
    {"arg_max", "arg_max", 2, 2, std::nullopt},
    {"arg_min", "arg_min", 2, 2, std::nullopt},
    {"max_by", "arg_max", 2, 2, std::nullopt},
    {"min_by", "arg_min", 2, 2, std::nullopt},
    {"corr", "corr", 2, 2, std::nullopt},
    {"covar_pop", "covar_pop", 2, 2, std::nullopt},
    {"covar_samp", "covar_samp", 2, 2, std::nullopt},
});

constexpr auto kWindows = std::to_array<WindowFunction>({
    {"row_number", "row_number", 0, 0},
    {"rank", "rank", 0, 0},
    {"dense_rank", "dense_rank", 0, 0},
    {"percent_rank", "percent_rank", 0, 0},
    {"cume_dist", "cume_dist", 0, 0},
    {"ntile", "ntile", 1, 1},
    {"lag", "lag", 1, 3},
    {"lead", "lead", 1, 3},
    {"first_value", "first_value", 1, 1},
    {"last_value", "last_value", 1, 1},
    {"nth_value", "nth_value", 2, 2},
    {"count_star", "count_star", 0, 0},
    {"count", "count", 1, 1},
    {"sum", "sum", 1, 1},
    {"avg", "avg", 1, 1},
    {"min", "min", 1, 1},
    {"max", "max", 1, 1},
});

constexpr auto kRefusedAggregates = std::to_array<std::string_view>({
    "approx_count_distinct",
    "approx_quantile",
    "approx_top_k",
    "array_agg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bitstring_agg",
    "collect_list",
    "collect_set",
    "entropy",
    "favg",
    "first",
    "fsum",
    "geomean",
    "group_concat",
    "histogram",
    "hll_sketch",
    "kahan_sum",
    "kurtosis",
    "kurtosis_pop",
    "last",
    "list",
    "listagg",
    "mad",
    "mode",
    "percentile",
    "percentile_approx",
    "percentile_cont",
    "percentile_disc",
    "product",
    "quantile",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "reservoir_quantile",
    "sem",
    "skewness",
    "string_agg",
    "sumkahan",
    "checksum",
    "bool_xor",
    "arbitrary",
    "approx_count_distinct_state",
});

template <typename T>
const T* Find(std::span<const T> table, std::string_view name) {
  for (const T& entry : table) {
    if (entry.name == name) {
      return &entry;
    }
  }
  return nullptr;
}

}  // namespace

std::span<const ScalarFunction> ScalarFunctions() { return kScalars; }
std::span<const AggregateFunction> AggregateFunctions() { return kAggregates; }
std::span<const WindowFunction> WindowFunctions() { return kWindows; }

const ScalarFunction* FindScalarFunction(std::string_view name) { return Find(ScalarFunctions(), name); }
const AggregateFunction* FindAggregateFunction(std::string_view name) { return Find(AggregateFunctions(), name); }
const WindowFunction* FindWindowFunction(std::string_view name) { return Find(WindowFunctions(), name); }

bool IsKnownAggregateName(std::string_view name) {
  for (const std::string_view known : kRefusedAggregates) {
    if (known == name) {
      return true;
    }
  }
  return FindAggregateFunction(name) != nullptr;
}

AggregateKind RuleKind(GovernedAggregate aggregate) {
  switch (aggregate) {
    case G::kCountStar:
    case G::kCount:
      return AggregateKind::kCount;
    case G::kSum:
      return AggregateKind::kSum;
    case G::kAvg:
      return AggregateKind::kAvg;
    case G::kStddevSample:
    case G::kStddevPopulation:
      return AggregateKind::kStddev;
    case G::kVarianceSample:
    case G::kVariancePopulation:
      return AggregateKind::kVariance;
  }
  return AggregateKind::kCount;
}

}  // namespace glovebox::query
