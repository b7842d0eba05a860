// SPDX-License-Identifier: Apache-2.0
//
// What a query is given to work on. The text's tokens say which names may occur in it; of these, the tables, volume
// files and functions that the caller may use become inputs of the engine's job. What he may not use is not there for
// the job.
//
// A table with a row filter or masks is read through them: a governed copy is made first, in a scratch folder, and is
// deleted with the Inputs. Its job alone gets secrets, the table owner's; the query sees masked values.
// Threads: one Inputs belongs to one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "engine/engine.h"
#include "query/sql_rewrite.h"
#include "statement/names.h"

namespace glovebox::statement {

std::string ScratchFolder(const catalog::Context& context);

class Inputs {
 public:
  Inputs(const catalog::Catalog& catalog, engine::Engine& engine, const catalog::Caller& caller)
      : catalog_(catalog), engine_(engine), caller_(caller) {}
  ~Inputs();
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;

  // Fills tables, files, functions and the default names of `request`, whose sql is there. Errors have positions in it.
  Status Gather(const Defaults& defaults, engine::SelectRequest& request);
  // The status to give instead of the engine's: if a name was unknown to it that the caller knows but may not use,
  // that.
  [[nodiscard]] Status Explain(const Status& status) const;

 private:
  Status AddTables(const query::TokenSpan& text, const Defaults& defaults, engine::SelectRequest& request);
  Status AddTable(const std::string& full_name, std::size_t position, engine::SelectRequest& request);
  Status AddFunctions(const query::TokenSpan& text, const Defaults& defaults, engine::SelectRequest& request);
  Status AddFiles(const query::TokenSpan& text, engine::SelectRequest& request);
  // The full name of the function that the called name means. Empty if there is none, and the name is a built-in
  // function's or nobody's.
  Result<std::string> ChooseFunction(const std::vector<std::string>& parts, const Defaults& defaults) const;
  // Cancelled with the query that it is for.
  Result<engine::TableFile> GovernedCopy(const catalog::Table& table, const engine::SelectRequest& query);

  const catalog::Catalog& catalog_;
  engine::Engine& engine_;
  const catalog::Caller& caller_;
  std::vector<std::string> copies_;
  std::optional<Status> denied_;
};

}  // namespace glovebox::statement
