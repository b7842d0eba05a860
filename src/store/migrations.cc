// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/errors.h"
#include "base/result.h"
#include "base/strings.h"
#include "store/database.h"

namespace glovebox::store {
namespace {

constexpr std::string_view kCreateRecord =
    "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL)";

// The end of the quoted text or comment that starts at `at`, or `at` if none does.
std::size_t SkipQuoted(std::string_view sql, std::size_t at) {
  const char c = sql[at];
  if (c == '\'' || c == '"') {
    const std::size_t end = sql.find(c, at + 1);
    return end == std::string_view::npos ? sql.size() : end + 1;
  }
  if (sql.substr(at, 2) == "--") {
    const std::size_t end = sql.find('\n', at);
    return end == std::string_view::npos ? sql.size() : end + 1;
  }
  return at;
}

std::vector<std::string_view> SplitStatements(std::string_view sql) {
  std::vector<std::string_view> statements;
  std::size_t begin = 0;
  std::size_t at = 0;
  while (at < sql.size()) {
    if (const std::size_t skipped = SkipQuoted(sql, at); skipped != at) {
      at = skipped;
      continue;
    }
    if (sql[at] == ';') {
      statements.push_back(TrimAscii(sql.substr(begin, at - begin)));
      begin = at + 1;
    }
    ++at;
  }
  statements.push_back(TrimAscii(sql.substr(begin)));
  std::erase_if(statements, [](std::string_view statement) { return statement.empty(); });
  return statements;
}

Result<std::map<std::int64_t, std::string>> AppliedMigrations(Database& database) {
  GB_ASSIGN_OR_RETURN(auto transaction, database.Begin(Access::kWrite));
  GB_RETURN_IF_ERROR([&]() -> Status {
    auto created = transaction->Execute(kCreateRecord);
    return created.ok() ? Status() : created.status();
  }());
  GB_ASSIGN_OR_RETURN(const std::vector<Row> rows, transaction->Query("SELECT number, name FROM schema_migrations"));
  GB_RETURN_IF_ERROR(transaction->Commit());
  std::map<std::int64_t, std::string> applied;
  for (const Row& row : rows) {
    applied.emplace(row.Int(0), row.Text(1));
  }
  return applied;
}

Status Apply(Database& database, const Migration& migration) {
  GB_ASSIGN_OR_RETURN(auto transaction, database.Begin(Access::kWrite));
  for (const std::string_view statement : SplitStatements(migration.sql)) {
    if (auto done = transaction->Execute(statement); !done.ok()) {
      return done.status();
    }
  }
  auto recorded = transaction->Execute("INSERT INTO schema_migrations (number, name) VALUES (?, ?)",
                                       {std::int64_t{migration.number}, std::string(migration.name)});
  if (!recorded.ok()) {
    return recorded.status();
  }
  return transaction->Commit();
}

}  // namespace

Status Migrate(Database& database, const std::vector<Migration>& migrations) {
  std::map<std::int64_t, const Migration*> known;
  for (const Migration& migration : migrations) {
    const bool is_new = known.emplace(migration.number, &migration).second;
    GB_ASSERT(is_new);
  }
  GB_ASSIGN_OR_RETURN(const auto applied, AppliedMigrations(database));
  for (const auto& [number, name] : applied) {
    const auto found = known.find(number);
    if (found == known.end() || found->second->name != name) {
      return Status(ErrorCode::kInvalidState,
                    "The database has schema step " + std::to_string(number) + " (" + name +
                        "), which this version does not know: it was written by another one. Use that version.");
    }
  }
  for (const auto& [number, migration] : known) {
    if (!applied.contains(number)) {
      GB_RETURN_IF_ERROR(Apply(database, *migration));
    }
  }
  return Status();
}

}  // namespace glovebox::store
