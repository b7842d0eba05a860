// SPDX-License-Identifier: Apache-2.0
#include "statement/parser.h"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "base/result.h"
#include "catalog/functions.h"
#include "catalog/privileges.h"
#include "statement/cursor.h"
#include "statement/statement.h"

namespace glovebox::statement {
namespace {

using catalog::Privilege;

// Statements that people know and that are refused, with what to do instead.
struct Refused {
  std::string_view keyword;
  std::string_view message;
};

constexpr std::array kRefused = {
    Refused{"USE",
            "USE is not supported, because statements share no session. Give `catalog` and `schema` with the "
            "statement, or write catalog.schema.name."},
    Refused{"SET", "SET is not supported: statements share no session, and the engine's settings are fixed."},
    Refused{"INSERT", "INSERT is not supported. Replace the table: CREATE OR REPLACE TABLE ... AS SELECT ..."},
    Refused{"UPDATE", "UPDATE is not supported. Replace the table: CREATE OR REPLACE TABLE ... AS SELECT ..."},
    Refused{"DELETE", "DELETE is not supported. Replace the table: CREATE OR REPLACE TABLE ... AS SELECT ..."},
    Refused{"MERGE", "MERGE is not supported. Replace the table: CREATE OR REPLACE TABLE ... AS SELECT ..."},
    Refused{"COPY", "COPY is not supported. Use CREATE TABLE ... AS SELECT * FROM read_files('/Volumes/...')."},
    Refused{"TRUNCATE", "TRUNCATE is not supported. Replace the table: CREATE OR REPLACE TABLE ... AS SELECT ..."},
    Refused{"EXPLAIN", "EXPLAIN is not supported."},
    Refused{"CALL", "CALL is not supported."},
    Refused{"PRAGMA", "PRAGMA is not supported."},
    Refused{"ATTACH", "ATTACH is not supported. Upload files to a volume and read them with read_files."},
    Refused{"DETACH", "DETACH is not supported."},
    Refused{"INSTALL", "INSTALL is not supported."},
    Refused{"LOAD", "LOAD is not supported."},
    Refused{"EXPORT", "EXPORT is not supported."},
    Refused{"IMPORT", "IMPORT is not supported."},
    Refused{"OPTIMIZE", "OPTIMIZE is not supported, and not needed."},
    Refused{"VACUUM", "VACUUM is not supported, and not needed."},
    Refused{"BEGIN", "BEGIN is not supported: every statement is a transaction of its own."},
    Refused{"COMMIT", "COMMIT is not supported: every statement is a transaction of its own."},
    Refused{"ROLLBACK", "ROLLBACK is not supported: every statement is a transaction of its own."},
};

Result<SecurableKind> ExpectKind(Cursor& cursor) {
  if (cursor.Accept({"CLEAN", "ROOM"})) {
    return SecurableKind::kCleanRoom;
  }
  if (cursor.Accept({"DATABASE"})) {
    return SecurableKind::kSchema;
  }
  for (const auto kind : {SecurableKind::kMetastore, SecurableKind::kCatalog, SecurableKind::kSchema,
                          SecurableKind::kTable, SecurableKind::kVolume, SecurableKind::kFunction}) {
    if (cursor.Accept({catalog::WireName(kind)})) {
      return kind;
    }
  }
  return cursor.Expected("CATALOG, SCHEMA, TABLE, VOLUME, FUNCTION, CLEAN ROOM or METASTORE");
}

Result<std::string> OptionalComment(Cursor& cursor) {
  if (!cursor.Accept({"COMMENT"})) {
    return std::string();
  }
  return cursor.ExpectString("the comment");
}

Result<FunctionOnColumns> ExpectRowFilter(Cursor& cursor) {
  FunctionOnColumns filter;
  GB_ASSIGN_OR_RETURN(filter.function, cursor.ExpectName("a function's name"));
  GB_RETURN_IF_ERROR(cursor.Expect({"ON"}));
  GB_ASSIGN_OR_RETURN(filter.columns, cursor.ExpectColumns());
  return filter;
}

Result<FunctionOnColumns> ExpectMask(Cursor& cursor) {
  FunctionOnColumns mask;
  GB_ASSIGN_OR_RETURN(mask.function, cursor.ExpectName("a function's name"));
  if (cursor.Accept({"USING", "COLUMNS"})) {
    GB_ASSIGN_OR_RETURN(mask.columns, cursor.ExpectColumns());
  }
  return mask;
}

Result<Statement> ParseCreateContainer(Cursor& cursor, SecurableKind kind) {
  CreateContainer create;
  create.kind = kind;
  if (cursor.Accept({"IF", "NOT", "EXISTS"})) {
    create.if_exists = IfExists::kKeep;
  }
  GB_ASSIGN_OR_RETURN(create.name, cursor.ExpectName("a name"));
  GB_ASSIGN_OR_RETURN(create.comment, OptionalComment(cursor));
  if (cursor.Looks({"MANAGED", "LOCATION"}) || cursor.Looks({"LOCATION"})) {
    return cursor.NotSupported("LOCATION is not supported: the server keeps what it manages in its own folder.");
  }
  GB_RETURN_IF_ERROR(cursor.ExpectEnd());
  return Statement(std::move(create));
}

Result<ColumnDefinition> ExpectColumnDefinition(Cursor& cursor) {
  ColumnDefinition column;
  column.position = cursor.position();
  GB_ASSIGN_OR_RETURN(column.name, cursor.ExpectIdentifier("a column's name"));
  GB_ASSIGN_OR_RETURN(column.type, cursor.ExpectType());
  while (true) {
    if (cursor.Looks({"COMMENT"})) {
      GB_ASSIGN_OR_RETURN(column.comment, OptionalComment(cursor));
    } else if (cursor.Accept({"MASK"})) {
      GB_ASSIGN_OR_RETURN(column.mask, ExpectMask(cursor));
    } else if (cursor.Looks({"NOT"}) || cursor.Looks({"DEFAULT"}) || cursor.Looks({"GENERATED"}) ||
               cursor.Looks({"PRIMARY"}) || cursor.Looks({"CONSTRAINT"})) {
      return cursor.NotSupported("Constraints, defaults and generated columns are not supported.");
    } else {
      return column;
    }
  }
}

Result<std::vector<ColumnDefinition>> ExpectColumnDefinitions(Cursor& cursor) {
  std::vector<ColumnDefinition> columns;
  do {
    if (columns.size() == limits::kSqlColumnsMax) {
      return cursor.NotSupported("A table has at most " + std::to_string(limits::kSqlColumnsMax) + " columns.");
    }
    GB_ASSIGN_OR_RETURN(ColumnDefinition column, ExpectColumnDefinition(cursor));
    columns.push_back(std::move(column));
  } while (cursor.AcceptSymbol(","));
  GB_RETURN_IF_ERROR(cursor.ExpectSymbol(")"));
  return columns;
}

Result<Statement> ParseCreateTable(Cursor& cursor, OnExisting on_existing) {
  CreateTable create;
  create.on_existing = on_existing;
  if (on_existing == OnExisting::kFail && cursor.Accept({"IF", "NOT", "EXISTS"})) {
    create.on_existing = OnExisting::kKeep;
  }
  GB_ASSIGN_OR_RETURN(create.name, cursor.ExpectName("a table's name"));
  if (cursor.AcceptSymbol("(")) {
    GB_ASSIGN_OR_RETURN(create.columns, ExpectColumnDefinitions(cursor));
  }
  while (!cursor.AtEnd() && !cursor.Looks({"AS"})) {
    if (cursor.Looks({"COMMENT"})) {
      GB_ASSIGN_OR_RETURN(create.comment, OptionalComment(cursor));
    } else if (cursor.Accept({"USING", "DELTA"}) || cursor.Accept({"USING", "PARQUET"})) {
      // Managed tables have the engine's own format, whatever a script says.
    } else if (cursor.Accept({"WITH", "ROW", "FILTER"})) {
      GB_ASSIGN_OR_RETURN(create.row_filter, ExpectRowFilter(cursor));
    } else {
      const Status unexpected = cursor.Expected("AS, COMMENT or WITH ROW FILTER");
      return cursor.Looks({"PARTITIONED"}) || cursor.Looks({"CLUSTER"}) || cursor.Looks({"TBLPROPERTIES"}) ||
                     cursor.Looks({"LOCATION"}) || cursor.Looks({"OPTIONS"}) || cursor.Looks({"USING"})
                 ? cursor.NotSupported("This clause of CREATE TABLE is not supported; leave it out.")
                 : unexpected;
    }
  }
  if (cursor.Accept({"AS"})) {
    if (!create.columns.empty()) {
      return cursor.NotSupported("A table has a list of columns or a query, not both.");
    }
    GB_ASSIGN_OR_RETURN(create.query, cursor.Rest("a query"));
  } else if (create.columns.empty()) {
    return cursor.Expected("a list of columns or AS SELECT ...");
  }
  return Statement(std::move(create));
}

Result<std::vector<catalog::FunctionParameter>> ExpectParameters(Cursor& cursor) {
  GB_RETURN_IF_ERROR(cursor.ExpectSymbol("("));
  std::vector<catalog::FunctionParameter> parameters;
  if (cursor.AcceptSymbol(")")) {
    return parameters;
  }
  do {
    if (parameters.size() == limits::kFunctionParametersMax) {
      return cursor.NotSupported("A function has at most " + std::to_string(limits::kFunctionParametersMax) +
                                 " parameters.");
    }
    catalog::FunctionParameter parameter;
    GB_ASSIGN_OR_RETURN(parameter.name, cursor.ExpectIdentifier("a parameter's name"));
    GB_ASSIGN_OR_RETURN(parameter.type, cursor.ExpectType());
    if (cursor.Looks({"DEFAULT"})) {
      return cursor.NotSupported("Defaults of parameters are not supported.");
    }
    GB_ASSIGN_OR_RETURN(parameter.comment, OptionalComment(cursor));
    parameters.push_back(std::move(parameter));
  } while (cursor.AcceptSymbol(","));
  GB_RETURN_IF_ERROR(cursor.ExpectSymbol(")"));
  return parameters;
}

Result<Statement> ParseCreateFunction(Cursor& cursor, OnExisting on_existing) {
  CreateFunction create;
  create.on_existing = on_existing;
  if (on_existing == OnExisting::kFail && cursor.Accept({"IF", "NOT", "EXISTS"})) {
    create.on_existing = OnExisting::kKeep;
  }
  GB_ASSIGN_OR_RETURN(create.name, cursor.ExpectName("a function's name"));
  GB_ASSIGN_OR_RETURN(create.parameters, ExpectParameters(cursor));
  if (cursor.Accept({"RETURNS"})) {
    if (cursor.Looks({"TABLE"})) {
      return cursor.NotSupported("Functions that return tables are not supported.");
    }
    GB_ASSIGN_OR_RETURN(create.return_type, cursor.ExpectType());
  }
  while (!cursor.Accept({"RETURN"})) {
    if (cursor.Looks({"COMMENT"})) {
      GB_ASSIGN_OR_RETURN(create.comment, OptionalComment(cursor));
    } else if (cursor.Looks({"LANGUAGE"}) && !cursor.Looks({"LANGUAGE", "SQL"})) {
      return cursor.NotSupported("Functions are written in SQL: RETURN <expression>.");
    } else if (!cursor.Accept({"LANGUAGE", "SQL"}) && !cursor.Accept({"DETERMINISTIC"}) &&
               !cursor.Accept({"NOT", "DETERMINISTIC"}) && !cursor.Accept({"CONTAINS", "SQL"}) &&
               !cursor.Accept({"READS", "SQL", "DATA"})) {
      return cursor.Expected("RETURNS, COMMENT or RETURN");
    }
  }
  GB_ASSIGN_OR_RETURN(Query body, cursor.Rest("an expression"));
  create.body = std::move(body.sql);
  create.body_position = body.position;
  return Statement(std::move(create));
}

Result<Statement> ParseCreate(Cursor& cursor) {
  const bool replaces = cursor.Accept({"OR", "REPLACE"});
  const OnExisting on_existing = replaces ? OnExisting::kReplace : OnExisting::kFail;
  if (cursor.Looks({"TEMP"}) || cursor.Looks({"TEMPORARY"}) || cursor.Looks({"GLOBAL"})) {
    return cursor.NotSupported("Temporary objects are not supported: statements share no session.");
  }
  if (cursor.Looks({"VIEW"}) || cursor.Looks({"MATERIALIZED"})) {
    return cursor.NotSupported("Views are not supported. Use CREATE TABLE ... AS SELECT ...");
  }
  if (cursor.Looks({"EXTERNAL"}) || cursor.Looks({"FOREIGN"})) {
    return cursor.NotSupported("External objects are not supported. Upload files to a volume.");
  }
  if (cursor.Accept({"TABLE"})) {
    return ParseCreateTable(cursor, on_existing);
  }
  if (cursor.Accept({"FUNCTION"})) {
    return ParseCreateFunction(cursor, on_existing);
  }
  if (replaces) {
    return cursor.Expected("TABLE or FUNCTION");
  }
  if (cursor.Accept({"CATALOG"})) {
    return ParseCreateContainer(cursor, SecurableKind::kCatalog);
  }
  if (cursor.Accept({"SCHEMA"}) || cursor.Accept({"DATABASE"})) {
    return ParseCreateContainer(cursor, SecurableKind::kSchema);
  }
  if (cursor.Accept({"VOLUME"})) {
    return ParseCreateContainer(cursor, SecurableKind::kVolume);
  }
  return cursor.Expected("CATALOG, SCHEMA, VOLUME, TABLE or FUNCTION");
}

Result<Statement> ParseDrop(Cursor& cursor) {
  Drop drop;
  GB_ASSIGN_OR_RETURN(drop.kind, ExpectKind(cursor));
  if (drop.kind == SecurableKind::kMetastore || drop.kind == SecurableKind::kCleanRoom) {
    return cursor.NotSupported("This is not dropped by SQL.");
  }
  if (cursor.Accept({"IF", "EXISTS"})) {
    drop.if_missing = IfMissing::kIgnore;
  }
  GB_ASSIGN_OR_RETURN(drop.name, cursor.ExpectName("a name"));
  if (cursor.Accept({"CASCADE"})) {
    drop.if_not_empty = IfNotEmpty::kDeleteAll;
  } else {
    cursor.Accept({"RESTRICT"});
  }
  GB_RETURN_IF_ERROR(cursor.ExpectEnd());
  return Statement(std::move(drop));
}

Result<Statement> ParseAlterColumn(Cursor& cursor, ObjectName table) {
  cursor.Accept({"COLUMN"});
  GB_ASSIGN_OR_RETURN(std::string column, cursor.ExpectIdentifier("a column's name"));
  if (cursor.Accept({"SET", "MASK"})) {
    SetMask set{.table = std::move(table), .column = std::move(column), .mask = {}};
    GB_ASSIGN_OR_RETURN(set.mask, ExpectMask(cursor));
    return Statement(std::move(set));
  }
  if (cursor.Accept({"DROP", "MASK"})) {
    return Statement(DropMask{.table = std::move(table), .column = std::move(column)});
  }
  if (cursor.Accept({"COMMENT"})) {
    GB_ASSIGN_OR_RETURN(std::string comment, cursor.ExpectString("the comment"));
    return Statement(
        SetColumnComment{.table = std::move(table), .column = std::move(column), .comment = std::move(comment)});
  }
  return cursor.Expected("SET MASK, DROP MASK or COMMENT");
}

Result<Statement> ParseAlterTable(Cursor& cursor, ObjectName table) {
  if (cursor.Accept({"SET", "ROW", "FILTER"})) {
    SetRowFilter set{.table = std::move(table), .filter = {}};
    GB_ASSIGN_OR_RETURN(set.filter, ExpectRowFilter(cursor));
    return Statement(std::move(set));
  }
  if (cursor.Accept({"DROP", "ROW", "FILTER"})) {
    return Statement(DropRowFilter{.table = std::move(table)});
  }
  if (cursor.Accept({"ALTER"})) {
    return ParseAlterColumn(cursor, std::move(table));
  }
  if (cursor.Looks({"ADD"}) || cursor.Looks({"RENAME"}) || cursor.Looks({"DROP"})) {
    return cursor.NotSupported("Columns and names are not altered. Use CREATE OR REPLACE TABLE ... AS SELECT ...");
  }
  return cursor.Expected("SET ROW FILTER, DROP ROW FILTER, ALTER COLUMN or OWNER TO");
}

Result<Statement> ParseAlter(Cursor& cursor) {
  GB_ASSIGN_OR_RETURN(const SecurableKind kind, ExpectKind(cursor));
  if (kind == SecurableKind::kMetastore) {
    return cursor.NotSupported("The metastore is not altered by SQL.");
  }
  GB_ASSIGN_OR_RETURN(ObjectName name, cursor.ExpectName("a name"));
  if (cursor.Accept({"SET", "OWNER", "TO"}) || cursor.Accept({"OWNER", "TO"})) {
    GB_ASSIGN_OR_RETURN(std::string owner, cursor.ExpectPrincipal());
    GB_RETURN_IF_ERROR(cursor.ExpectEnd());
    return Statement(SetOwner{.kind = kind, .name = std::move(name), .owner = std::move(owner)});
  }
  if (kind != SecurableKind::kTable) {
    return cursor.Expected("OWNER TO");
  }
  GB_ASSIGN_OR_RETURN(Statement statement, ParseAlterTable(cursor, std::move(name)));
  GB_RETURN_IF_ERROR(cursor.ExpectEnd());
  return statement;
}

Result<Statement> ParseComment(Cursor& cursor) {
  SetComment set;
  GB_RETURN_IF_ERROR(cursor.Expect({"ON"}));
  GB_ASSIGN_OR_RETURN(set.kind, ExpectKind(cursor));
  GB_ASSIGN_OR_RETURN(set.name, cursor.ExpectName("a name"));
  GB_RETURN_IF_ERROR(cursor.Expect({"IS"}));
  if (!cursor.Accept({"NULL"})) {
    GB_ASSIGN_OR_RETURN(set.comment, cursor.ExpectString("the comment"));
  }
  GB_RETURN_IF_ERROR(cursor.ExpectEnd());
  return Statement(std::move(set));
}

Result<std::vector<Privilege>> ExpectPrivileges(Cursor& cursor) {
  std::vector<Privilege> privileges;
  do {
    const std::size_t start = cursor.position();
    std::string words;
    while (!cursor.AtEnd() && !cursor.Looks({"ON"}) && cursor.Peek() != ",") {
      GB_ASSIGN_OR_RETURN(const std::string word, cursor.ExpectWord("a privilege"));
      words += (words.empty() ? "" : " ") + word;
    }
    const auto privilege = catalog::ParsePrivilege(words);
    if (!privilege.has_value()) {
      return Status(ErrorCode::kSqlSyntax, "'" + words.substr(0, limits::kNameBytesMax) + "' is no privilege.")
          .At(start);
    }
    privileges.push_back(*privilege);
  } while (cursor.AcceptSymbol(","));
  return privileges;
}

// `ON kind name`; the kind TABLE may be left out.
Status ExpectObject(Cursor& cursor, SecurableKind& kind, ObjectName& name) {
  GB_RETURN_IF_ERROR(cursor.Expect({"ON"}));
  auto written = ExpectKind(cursor);
  kind = written.ok() ? *written : SecurableKind::kTable;
  if (kind == SecurableKind::kMetastore) {
    return Status();
  }
  GB_ASSIGN_OR_RETURN(name, cursor.ExpectName("a name"));
  return Status();
}

Result<Statement> ParseChangeGrants(Cursor& cursor, ChangeGrants::Direction direction) {
  ChangeGrants change;
  change.direction = direction;
  GB_ASSIGN_OR_RETURN(change.privileges, ExpectPrivileges(cursor));
  GB_RETURN_IF_ERROR(ExpectObject(cursor, change.kind, change.name));
  GB_RETURN_IF_ERROR(cursor.Expect({direction == ChangeGrants::Direction::kGrant ? "TO" : "FROM"}));
  GB_ASSIGN_OR_RETURN(change.principal, cursor.ExpectPrincipal());
  GB_RETURN_IF_ERROR(cursor.ExpectEnd());
  return Statement(std::move(change));
}

Result<Statement> ParseShowGrants(Cursor& cursor) {
  ShowGrants show;
  if (!cursor.Looks({"ON"})) {
    GB_ASSIGN_OR_RETURN(show.principal, cursor.ExpectPrincipal());
  }
  GB_RETURN_IF_ERROR(ExpectObject(cursor, show.kind, show.name));
  GB_RETURN_IF_ERROR(cursor.ExpectEnd());
  return Statement(std::move(show));
}

Result<Statement> ParseShow(Cursor& cursor) {
  if (cursor.Accept({"GRANTS"}) || cursor.Accept({"GRANT"})) {
    return ParseShowGrants(cursor);
  }
  Show show;
  cursor.Accept({"USER"});
  if (cursor.Accept({"CATALOGS"})) {
    show.kind = SecurableKind::kCatalog;
  } else if (cursor.Accept({"SCHEMAS"}) || cursor.Accept({"DATABASES"})) {
    show.kind = SecurableKind::kSchema;
  } else if (cursor.Accept({"TABLES"})) {
    show.kind = SecurableKind::kTable;
  } else if (cursor.Accept({"VOLUMES"})) {
    show.kind = SecurableKind::kVolume;
  } else if (cursor.Accept({"FUNCTIONS"})) {
    show.kind = SecurableKind::kFunction;
  } else {
    return cursor.Expected("CATALOGS, SCHEMAS, TABLES, VOLUMES, FUNCTIONS or GRANTS");
  }
  if (show.kind != SecurableKind::kCatalog && (cursor.Accept({"IN"}) || cursor.Accept({"FROM"}))) {
    GB_ASSIGN_OR_RETURN(show.container, cursor.ExpectName("a name"));
  }
  GB_RETURN_IF_ERROR(cursor.ExpectEnd());
  return Statement(std::move(show));
}

Result<Statement> ParseDescribe(Cursor& cursor) {
  DescribeTable describe;
  cursor.Accept({"TABLE"});
  cursor.Accept({"EXTENDED"});
  GB_ASSIGN_OR_RETURN(describe.name, cursor.ExpectName("a table's name"));
  GB_RETURN_IF_ERROR(cursor.ExpectEnd());
  return Statement(std::move(describe));
}

}  // namespace

Result<Statement> Parse(std::string_view text) {
  GB_ASSIGN_OR_RETURN(Cursor cursor, Cursor::Of(text));
  const bool is_query = cursor.Looks({"SELECT"}) || cursor.Looks({"WITH"}) || cursor.Looks({"VALUES"}) ||
                        cursor.Looks({"FROM"}) || cursor.Peek() == "(";
  if (is_query) {
    GB_ASSIGN_OR_RETURN(Query query, cursor.Rest("a query"));
    return Statement(std::move(query));
  }
  if (cursor.Accept({"CREATE"})) {
    return ParseCreate(cursor);
  }
  if (cursor.Accept({"DROP"})) {
    return ParseDrop(cursor);
  }
  if (cursor.Accept({"ALTER"})) {
    return ParseAlter(cursor);
  }
  if (cursor.Accept({"COMMENT"})) {
    return ParseComment(cursor);
  }
  if (cursor.Accept({"GRANT"})) {
    return ParseChangeGrants(cursor, ChangeGrants::Direction::kGrant);
  }
  if (cursor.Accept({"REVOKE"})) {
    return ParseChangeGrants(cursor, ChangeGrants::Direction::kRevoke);
  }
  if (cursor.Accept({"SHOW"})) {
    return ParseShow(cursor);
  }
  if (cursor.Accept({"DESCRIBE"}) || cursor.Accept({"DESC"})) {
    return ParseDescribe(cursor);
  }
  for (const Refused& refused : kRefused) {
    if (cursor.Looks({refused.keyword})) {
      return cursor.NotSupported(std::string(refused.message));
    }
  }
  return cursor.Expected("a statement: SELECT, WITH, CREATE, DROP, ALTER, GRANT, REVOKE, SHOW or DESCRIBE");
}

}  // namespace glovebox::statement
