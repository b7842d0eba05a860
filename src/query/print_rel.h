// SPDX-License-Identifier: Apache-2.0
//
// A plan over own tables, constants and released results as one SELECT for DuckDB. Attribute n is printed as column
// a<n>: no name of an author's gets into the text, but for the names of own tables' columns, quoted.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "query/plan.h"
#include "query/print_expr.h"

namespace glovebox::query {

// How to print the leaves.
struct RelNames {
  std::function<std::string(std::size_t table)> scan;                             // a relation
  std::function<std::string(std::size_t table, std::size_t column)> scan_column;  // a column of it, quoted
  std::function<std::string(std::size_t governed)> released;                      // where the released rows are
  std::function<std::string(std::size_t governed, std::size_t column)> released_column;
};

std::string PrintRel(const Rel& rel, const RelNames& names, Places places = Places::kFailingCasts);
std::string AttrName(AttrId attr);

// The output's names, made unique without regard to case: n, n_1, ...
std::vector<std::string> UniqueNames(const std::vector<Attr>& output);

}  // namespace glovebox::query
