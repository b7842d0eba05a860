// SPDX-License-Identifier: Apache-2.0
//
// Small helpers over store::Transaction for this part's SQL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/database.h"

namespace glovebox::catalog {

// Execute without the number of rows.
Status Run(store::Transaction& transaction, std::string_view sql, const std::vector<store::Value>& parameters);
// The next number of a sequence; `first` if it is new.
Result<std::int64_t> NextNumber(store::Transaction& transaction, const std::string& sequence, std::int64_t first);

// Lists of names as JSON text, which is how columns hold them.
std::string NamesToText(const std::vector<std::string>& names);
Result<std::vector<std::string>> NamesFromText(const std::string& text);

inline TimeMs ToTime(std::int64_t value) { return TimeMs{value}; }

}  // namespace glovebox::catalog
