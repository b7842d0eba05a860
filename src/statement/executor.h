// SPDX-License-Identifier: Apache-2.0
//
// Carries out one statement for one caller. Rights are checked by the catalogue's services; a query sees only the
// tables, files and functions that the caller may use, so that everything else does not exist for it.
//
// Who learns what: everything here is one organisation's own. Errors have positions in the statement's text.
// Threads: thread-safe; Execute blocks until the statement has ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "engine/engine.h"
#include "statement/statement.h"

namespace glovebox::statement {

struct StatementRequest {
  std::string text;
  std::vector<engine::Parameter> parameters;  // for queries and CREATE TABLE AS
  std::string catalog;                        // for names of fewer than three parts; may be empty
  std::string schema;
  std::int64_t row_limit = 0;  // 0: limits::kRunInlineRowsMax
  // As in engine::SelectRequest.
  std::string cancel_key = {};
  std::shared_ptr<const std::atomic<bool>> canceled = nullptr;
};

struct StatementResult {
  std::vector<engine::Column> columns;  // empty if the statement gives no rows
  std::vector<std::vector<json::Value>> rows;
  bool truncated = false;
  std::optional<std::int64_t> affected;  // rows that CREATE TABLE AS wrote
};

class Executor {
 public:
  // Both outlive the executor.
  Executor(const catalog::Catalog& catalog, engine::Engine& engine) : catalog_(&catalog), engine_(&engine) {}

  // With the rights that the caller has now, not those of when he was authenticated; UNAUTHENTICATED if he is not
  // active any more or his token was revoked or expired, ABORTED if it was cancelled: then it has changed nothing.
  Result<StatementResult> Execute(const catalog::Caller& caller, const StatementRequest& request) const;
  // Ends the engine's job of the statement with this key, if it has one now; after that it goes on to its end.
  void Cancel(const std::string& cancel_key) const { engine_->Cancel(cancel_key); }

  // What CREATE FUNCTION does, also for the REST interface: the body is checked by the engine, and its name must not be
  // that of a built-in function, whose place it would take. `types` are as authors write them or as the engine does.
  Result<catalog::Function> CreateFunction(const catalog::Caller& caller, const catalog::NewFunction& function,
                                           catalog::OnExisting on_existing) const;

  // At start, before the server takes requests: files that a crash left.
  Status RemoveLeftovers() const;

 private:
  const catalog::Catalog* catalog_;
  engine::Engine* engine_;
};

}  // namespace glovebox::statement
