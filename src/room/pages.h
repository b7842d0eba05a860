// SPDX-License-Identifier: Apache-2.0
//
// Pages of lists that go down by a number: runs, versions of a notebook. The store reads one row more than a page has,
// which tells whether there is a next one; the token names the last row by its number. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "catalog/page.h"

namespace glovebox::room {

struct NumberPage {
  std::int64_t before = std::numeric_limits<std::int64_t>::max();  // rows with smaller numbers
  std::size_t size = 0;

  [[nodiscard]] std::int64_t rows_max() const { return static_cast<std::int64_t>(size) + 1; }
};

// INVALID_PARAMETER_VALUE for a negative size and for foreign tokens.
Result<NumberPage> NumberPageOf(const catalog::PageRequest& request);

// What the store read, cut to a page.
template <typename T, typename NumberOf>
catalog::Page<T> CutToPage(std::vector<T> rows, const NumberPage& page, NumberOf number_of) {
  catalog::Page<T> out;
  if (rows.size() > page.size) {
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(page.size), rows.end());
    out.next_token = catalog::PageToken(std::to_string(number_of(rows.back())));
  }
  out.items = std::move(rows);
  return out;
}

}  // namespace glovebox::room
