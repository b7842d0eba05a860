// SPDX-License-Identifier: Apache-2.0
//
// Queries of one organisation over its own tables and files: statements, CREATE TABLE AS, row filters and masks.
// Nothing is protected from their author here, but the way is the same as for a room: the text is resolved against
// schemas by allow-list, and what reaches the engine is printed from the IR.
//
// Pure: no files, no database; everything comes in as arguments. Threads: no state.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/ast.h"
#include "query/expr.h"
#include "query/type.h"

namespace glovebox::query {

struct ColumnDef {
  std::string name;
  Type type;
};

// A table that the query may name.
struct OwnTable {
  std::vector<std::string> name;  // catalog, schema, table
  std::vector<ColumnDef> columns;
  std::string relation;  // the relation to print: a quoted identifier of the worker's database
};

// A call of read_files('path', format => 'csv', header => true, ...) in FROM. The engine loads the file first (its
// schema is sniffed) and gives the relation back in the same order.
struct FileCall {
  std::string path;
  std::map<std::string, std::string> options;  // lower case names; constants as text
  std::size_t position = 0;
};
struct FileTable {
  std::vector<ColumnDef> columns;
  std::string relation;
};

// A SQL function of the owner: CREATE FUNCTION name(parameters) RETURN body. Inlined where it is called.
struct FunctionDef {
  std::string name;  // catalog.schema.function
  std::vector<ColumnDef> parameters;
  const ast::Expr* body = nullptr;  // not owned; outlives the call
};

struct ParameterDef {
  std::string name;
  Type type;
  std::string text;  // the value in the type's literal form
  bool is_null = false;
};

struct Namespace {
  std::vector<std::string> default_parts;  // catalog, schema for unqualified names; may be empty
};

// Where secret('scope', 'key') may stand: nowhere, or as the first argument of hmac_sha256.
enum class Secrets { kForbidden, kAsHmacKey };

struct OwnQueryOptions {
  Secrets secrets = Secrets::kForbidden;
  BadCast bad_cast = BadCast::kNull;
};

struct CompiledQuery {
  std::string sql;                 // one SELECT for DuckDB
  std::vector<ColumnDef> columns;  // of its result; names made unique
};

// The file calls of a query, in the order in which CompileOwnQuery expects their tables: each once, wherever it stands.
Result<std::vector<FileCall>> FindFileCalls(const ast::Query& query);

// `secret` becomes a call of gb_hmac_sha256('scope/key', text), whose key the worker holds.
// Returns SQL_UNKNOWN_NAME, SQL_TYPE_ERROR, NOT_SUPPORTED with a position in the author's text.
Result<CompiledQuery> CompileOwnQuery(const ast::Query& query, const std::vector<OwnTable>& tables,
                                      const std::vector<FileTable>& files, const std::vector<FunctionDef>& functions,
                                      const std::vector<ParameterDef>& parameters, const Namespace& names,
                                      const OwnQueryOptions& options);

// A call of `function` on columns of a relation, compiled to an expression over them: a row filter (BOOLEAN) or a mask.
// `arguments` are columns of the relation by name. Unknown names are errors.
struct CompiledScalar {
  std::string sql;
  Type type;
};
Result<CompiledScalar> CompileCall(const FunctionDef& function, const std::vector<ColumnDef>& arguments,
                                   const std::vector<FunctionDef>& functions, Secrets secrets);

}  // namespace glovebox::query
