// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/load_files.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "base/limits.h"
#include "base/strings.h"
#include "engine/duckdb/error_place.h"

namespace glovebox::engine::worker {
namespace {

using duckdb::QuoteIdentifier;
using duckdb::QuoteLiteral;

enum class Format { kCsv, kTsv, kJson, kParquet };
enum class OptionKind { kText, kFlag, kNotFlag, kCount };

struct CsvOption {
  std::string_view name;    // as the author writes it
  std::string_view duckdb;  // read_csv's
  OptionKind kind;
};

constexpr std::array kCsvOptions = {
    CsvOption{"header", "header", OptionKind::kFlag},
    CsvOption{"sep", "delim", OptionKind::kText},
    CsvOption{"delimiter", "delim", OptionKind::kText},
    CsvOption{"delim", "delim", OptionKind::kText},
    CsvOption{"quote", "quote", OptionKind::kText},
    CsvOption{"escape", "escape", OptionKind::kText},
    CsvOption{"nullvalue", "nullstr", OptionKind::kText},
    CsvOption{"nullstr", "nullstr", OptionKind::kText},
    CsvOption{"dateformat", "dateformat", OptionKind::kText},
    CsvOption{"timestampformat", "timestampformat", OptionKind::kText},
    CsvOption{"skiprows", "skip", OptionKind::kCount},
    CsvOption{"skip", "skip", OptionKind::kCount},
    CsvOption{"encoding", "encoding", OptionKind::kText},
    CsvOption{"inferschema", "all_varchar", OptionKind::kNotFlag},
    CsvOption{"all_varchar", "all_varchar", OptionKind::kFlag},
};

// What DuckDB would otherwise guess, and with a guess may drop rows.
const std::map<std::string_view, std::string>& CsvDefaults() {
  static const std::map<std::string_view, std::string> kDefaults = {
      {"header", "true"},
      {"delim", "','"},
      {"quote", "'\"'"},
      {"escape", "'\"'"},
      {"comment", "''"},
      {"skip", "0"},
      {"null_padding", "false"},
      {"ignore_errors", "false"},
      {"sample_size", "-1"},
      {"strict_mode", "true"},
      {"max_line_size", "16777216"},
      {"normalize_names", "false"},
  };
  return kDefaults;
}

// How a type of DuckDB's readers becomes one that a room has; {} stands for the column.
struct Conversion {
  std::string_view from;
  std::string_view to;
};
constexpr std::array kConversions = {
    Conversion{"UTINYINT", "SMALLINT"},      Conversion{"USMALLINT", "INTEGER"},
    Conversion{"UINTEGER", "BIGINT"},        Conversion{"UBIGINT", "DECIMAL(20,0)"},
    Conversion{"FLOAT", "DOUBLE"},           Conversion{"UUID", "VARCHAR"},
    Conversion{"TIMESTAMP_S", "TIMESTAMP"},  Conversion{"TIMESTAMP_MS", "TIMESTAMP"},
    Conversion{"TIMESTAMP_NS", "TIMESTAMP"},
};

Status Wrong(ErrorCode code, std::string message, const query::FileCall& call) {
  return Status(code, std::move(message)).At(call.position);
}

Result<Format> FormatOf(const query::FileCall& call) {
  const auto option = call.options.find("format");
  std::string name = option == call.options.end() ? AsciiLower(call.path) : AsciiLower(option->second);
  if (option == call.options.end()) {
    if (name.ends_with(".gz")) {
      name.resize(name.size() - 3);
    }
    name = name.substr(name.rfind('.') + 1);
  }
  if (name == "csv" || name == "txt") {
    return Format::kCsv;
  }
  if (name == "tsv") {
    return Format::kTsv;
  }
  if (name == "json" || name == "jsonl" || name == "ndjson") {
    return Format::kJson;
  }
  if (name == "parquet") {
    return Format::kParquet;
  }
  return Wrong(ErrorCode::kNotSupported, "the format of a file must be csv, tsv, json or parquet (format => '...')",
               call);
}

// The option's value as a constant for read_csv.
Result<std::string> OptionLiteral(const CsvOption& option, const std::string& text, const query::FileCall& call) {
  const std::string lower = AsciiLower(text);
  switch (option.kind) {
    case OptionKind::kText:
      return QuoteLiteral(text);
    case OptionKind::kFlag:
    case OptionKind::kNotFlag:
      if (lower == "true" || lower == "false") {
        return std::string((lower == "true") == (option.kind == OptionKind::kFlag) ? "true" : "false");
      }
      break;
    case OptionKind::kCount:
      if (!text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos) {
        return text;
      }
      break;
  }
  return Wrong(ErrorCode::kInvalidParameterValue, "the option " + std::string(option.name) + " has a wrong value",
               call);
}

// What becomes of a line that does not fit.
enum class BadLines { kFail, kRecord };

Result<std::string> CsvReader(const query::FileCall& call, const std::string& path, Format format, BadLines bad_lines) {
  std::map<std::string_view, std::string> options = CsvDefaults();
  if (bad_lines == BadLines::kRecord) {
    options["ignore_errors"] = "true";
    options["store_rejects"] = "true";
    options["rejects_limit"] = "1";
  }
  if (format == Format::kTsv) {
    options["delim"] = "'\t'";
  }
  for (const auto& [name, text] : call.options) {
    if (name == "format") {
      continue;
    }
    const auto* const option =
        std::find_if(kCsvOptions.begin(), kCsvOptions.end(), [&](const CsvOption& o) { return o.name == name; });
    if (option == kCsvOptions.end()) {
      return Wrong(ErrorCode::kNotSupported, "read_files has no option " + name + " for CSV", call);
    }
    GB_ASSIGN_OR_RETURN(options[option->duckdb], OptionLiteral(*option, text, call));
  }
  std::string sql = "read_csv(" + QuoteLiteral(path);
  for (const auto& [name, literal] : options) {
    sql += ", " + std::string(name) + " = " + literal;
  }
  return sql + ")";
}

Result<std::string> ReaderOf(const query::FileCall& call, const std::string& path) {
  GB_ASSIGN_OR_RETURN(const Format format, FormatOf(call));
  if (format == Format::kCsv || format == Format::kTsv) {
    return CsvReader(call, path, format, BadLines::kFail);
  }
  for (const auto& [name, text] : call.options) {
    if (name != "format") {
      return Wrong(ErrorCode::kNotSupported, "read_files has no option " + name + " for this format", call);
    }
  }
  return format == Format::kJson ? "read_json(" + QuoteLiteral(path) + ", sample_size = -1)"
                                 : "read_parquet(" + QuoteLiteral(path) + ")";
}

Result<query::ColumnDef> TargetColumn(const std::string& name, const std::string& type, const query::FileCall& call) {
  std::string target = type.starts_with("ENUM(") ? "VARCHAR" : type;
  for (const Conversion& conversion : kConversions) {
    target = conversion.from == type ? std::string(conversion.to) : target;
  }
  const std::optional<query::Type> known = query::ParseTypeName(target);
  if (known.has_value()) {
    return query::ColumnDef{.name = name, .type = *known};
  }
  const bool zoned = type == "TIMESTAMP WITH TIME ZONE";
  return Wrong(ErrorCode::kNotSupported,
               "column " + name + " has the type " + type + ", which is not supported" +
                   (zoned ? "; store it as UTC without a zone, or read it as text with inferSchema => false" : ""),
               call);
}

Status Unreadable(duckdb::Connection& connection, const Status& status, const query::FileCall& call,
                  const std::string& path) {
  if (status.code() != ErrorCode::kRunFailed) {
    return status;
  }
  std::string place = duckdb::PlaceInFile(connection.last_error_detail(), path);
  GB_ASSIGN_OR_RETURN(const Format format, FormatOf(call));
  if (format == Format::kCsv || format == Format::kTsv) {
    GB_ASSIGN_OR_RETURN(const std::string reader, CsvReader(call, path, format, BadLines::kRecord));
    const std::string reject = duckdb::FirstReject(connection, reader);
    place = reject.empty() ? place : reject;
  }
  return Wrong(ErrorCode::kInvalidParameterValue,
               "the file " + call.path + " cannot be read in this format" + place +
                   "; check format, header, sep, quote and encoding",
               call);
}

Result<query::FileTable> LoadFile(duckdb::Connection& connection, const query::FileCall& call, const std::string& path,
                                  const std::string& relation) {
  GB_ASSIGN_OR_RETURN(const std::string reader, ReaderOf(call, path));
  const auto described = connection.Query("DESCRIBE SELECT * FROM " + reader, limits::kSqlColumnsMax);
  if (!described.ok()) {
    return Unreadable(connection, described.status(), call, path);
  }
  query::FileTable table{.columns = {}, .relation = QuoteIdentifier(relation)};
  std::string items;
  for (std::size_t row = 0; row < described->rows; ++row) {
    const std::string& name = described->columns[0].texts[row];
    GB_ASSIGN_OR_RETURN(query::ColumnDef column, TargetColumn(name, described->columns[1].texts[row], call));
    const std::string cast = "CAST(" + QuoteIdentifier(name) + " AS " + query::TypeName(column.type) + ")";
    items += items.empty() ? "" : ", ";
    items += (column.type.kind == query::TypeKind::kText ? "nfc_normalize(" + cast + ")" : cast) + " AS " +
             QuoteIdentifier(name);
    table.columns.push_back(std::move(column));
  }
  const Status loaded =
      connection.Execute("CREATE TEMP TABLE " + table.relation + " AS SELECT " + items + " FROM " + reader);
  if (!loaded.ok()) {
    return Unreadable(connection, loaded, call, path);
  }
  return table;
}

}  // namespace

Result<std::vector<query::FileTable>> LoadFiles(duckdb::Connection& connection,
                                                const std::vector<query::FileCall>& calls,
                                                const std::vector<NamedFile>& files) {
  std::vector<query::FileTable> tables;
  for (const query::FileCall& call : calls) {
    const auto file = std::find_if(files.begin(), files.end(), [&](const NamedFile& f) { return f.name == call.path; });
    if (file == files.end()) {
      return Wrong(ErrorCode::kNotFound, "there is no file " + call.path, call);
    }
    GB_ASSIGN_OR_RETURN(query::FileTable table,
                        LoadFile(connection, call, file->path, "gb_file_" + std::to_string(tables.size())));
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace glovebox::engine::worker
