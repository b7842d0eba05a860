// SPDX-License-Identifier: Apache-2.0
//
// What the parser makes of a text: one struct per kind of statement. Names are as written, unresolved; positions are
// byte offsets into the text. Plain values.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "catalog/functions.h"
#include "catalog/privileges.h"
#include "catalog/securables.h"

namespace glovebox::statement {

using catalog::IfExists;
using catalog::IfNotEmpty;
using catalog::OnExisting;
using catalog::SecurableKind;

// One to three parts, without quotes.
struct ObjectName {
  std::vector<std::string> parts;
  std::size_t position = 0;
};

// SELECT, WITH, VALUES, FROM: for the engine.
struct Query {
  std::string sql;           // without a semicolon at the end
  std::size_t position = 0;  // of its first byte in the text
};

struct CreateContainer {
  SecurableKind kind = SecurableKind::kCatalog;  // catalog, schema or volume
  ObjectName name;
  IfExists if_exists = IfExists::kFail;
  std::string comment;
};

enum class IfMissing { kFail, kIgnore };

struct Drop {
  SecurableKind kind = SecurableKind::kCatalog;
  ObjectName name;
  IfMissing if_missing = IfMissing::kFail;
  IfNotEmpty if_not_empty = IfNotEmpty::kFail;
};

struct FunctionOnColumns {
  ObjectName function;
  std::vector<std::string> columns;
};

struct ColumnDefinition {
  std::string name;
  std::string type;  // as the engine spells it
  std::string comment;
  std::optional<FunctionOnColumns> mask;
  std::size_t position = 0;
};

struct CreateTable {
  ObjectName name;
  OnExisting on_existing = OnExisting::kFail;
  std::vector<ColumnDefinition> columns;  // empty if there is a query
  std::optional<Query> query;
  std::optional<FunctionOnColumns> row_filter;
  std::string comment;
};

struct CreateFunction {
  ObjectName name;
  OnExisting on_existing = OnExisting::kFail;
  std::vector<catalog::FunctionParameter> parameters;
  std::string return_type;
  std::string comment;
  std::string body;
  std::size_t body_position = 0;
};

struct SetRowFilter {
  ObjectName table;
  FunctionOnColumns filter;
};

struct DropRowFilter {
  ObjectName table;
};

struct SetMask {
  ObjectName table;
  std::string column;
  FunctionOnColumns mask;
};

struct DropMask {
  ObjectName table;
  std::string column;
};

struct SetColumnComment {
  ObjectName table;
  std::string column;
  std::string comment;
};

struct SetOwner {
  SecurableKind kind = SecurableKind::kTable;
  ObjectName name;
  std::string owner;
};

struct SetComment {
  SecurableKind kind = SecurableKind::kTable;
  ObjectName name;
  std::string comment;
};

struct ChangeGrants {
  enum class Direction { kGrant, kRevoke };
  Direction direction = Direction::kGrant;
  std::vector<catalog::Privilege> privileges;
  SecurableKind kind = SecurableKind::kTable;
  ObjectName name;  // no parts for the metastore
  std::string principal;
};

// SHOW CATALOGS, SCHEMAS, TABLES, VOLUMES, FUNCTIONS.
struct Show {
  SecurableKind kind = SecurableKind::kCatalog;
  ObjectName container;  // no parts: the default one
};

struct ShowGrants {
  SecurableKind kind = SecurableKind::kTable;
  ObjectName name;
  std::string principal;  // empty: everybody
};

struct DescribeTable {
  ObjectName name;
};

using Statement =
    std::variant<Query, CreateContainer, Drop, CreateTable, CreateFunction, SetRowFilter, DropRowFilter, SetMask,
                 DropMask, SetColumnComment, SetOwner, SetComment, ChangeGrants, Show, ShowGrants, DescribeTable>;

}  // namespace glovebox::statement
