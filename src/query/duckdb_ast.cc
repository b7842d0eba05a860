// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "query/ast.h"
#include "query/duckdb_ast_reader.h"
#include "query/sql_front_end.h"
#include "query/sql_tokens.h"

namespace glovebox::query {
namespace {

constexpr std::size_t kParserMessageBytesMax = 200;

// The parser's own words, on one line and short. They quote nothing but the author's text.
std::string ShortMessage(std::string message) {
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F) {
      c = ' ';
    }
  }
  if (message.size() > kParserMessageBytesMax) {
    message.resize(kParserMessageBytesMax);
    while (!message.empty() && !IsValidUtf8(message)) {
      message.pop_back();
    }
    message += "...";
  }
  return message;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Puts quotes around the integers that int64 does not hold.
std::string QuoteWideIntegers(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    if (in_string || !IsDigit(text[i])) {
      const bool escape = in_string && text[i] == '\\';
      in_string = text[i] == '"' ? !in_string : in_string;
      const std::size_t used = escape ? 2 : 1;
      out += text.substr(i, used);
      i += used;
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of("0123456789.eE+-", i), text.size());
    const std::string_view number = text.substr(i, end - i);
    std::int64_t value = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
    const bool wide = parsed.ec == std::errc::result_out_of_range && parsed.ptr == number.data() + number.size() &&
                      (i == 0 || text[i - 1] != '-');
    out += wide ? '"' + std::string(number) + '"' : std::string(number);
    i = end;
  }
  return out;
}

}  // namespace

Result<json::Value> ParseDuckdbJson(std::string_view json_text) {
  Result<json::Value> tree = json::Parse(QuoteWideIntegers(json_text), limits::kSqlAstJsonDepthMax);
  if (!tree.ok()) {
    return SqlNotSupported(
        0, "the query nests deeper than " + std::to_string(limits::kSqlNestingMax) + ", or has a number out of range");
  }
  return tree;
}

Result<ast::QueryPtr> QueryFromDuckdbJson(const json::Value& tree, const TranslatedStatement& statement) {
  return DuckdbAstReader(statement).ReadStatement(tree);
}

Result<ast::QueryPtr> DuckdbAstReader::ReadStatement(const json::Value& tree) {
  if (!tree.is_object()) {
    return Unexpected(statement_.position);
  }
  if (tree.GetBool("error", true)) {
    return ParserError(tree);
  }
  GB_ASSIGN_OR_RETURN(const json::Array* statements, ReadArray(tree.Get("statements"), statement_.position));
  if (statements->size() != 1) {
    return SqlNotSupported(statement_.position, "one statement at a time is expected here");
  }
  return ReadWrappedQuery(&statements->front(), statement_.position);
}

Status DuckdbAstReader::ParserError(const json::Value& tree) const {
  std::size_t position = statement_.position;
  const std::string offset = tree.GetString("position");
  std::size_t translated = 0;
  const auto [end, error] = std::from_chars(offset.data(), offset.data() + offset.size(), translated);
  if (!offset.empty() && error == std::errc() && end == offset.data() + offset.size()) {
    position = statement_.positions.ToOriginal(std::min(translated, statement_.sql.size()));
  }
  const std::string message = tree.GetString("error_message");
  const auto says = [&](std::string_view words) { return message.find(words) != std::string::npos; };
  if (says("Max expression depth") || says("memory exhausted")) {
    return SqlNotSupported(position, "the query nests deeper than " + std::to_string(limits::kSqlNestingMax) +
                                         "; use WITH to give parts of it a name");
  }
  if (says("Only SELECT statements")) {
    return SqlNotSupported(position, "only queries are supported here, and PIVOT is not; write GROUP BY with FILTER");
  }
  if (tree.GetString("error_type") == "not implemented") {
    return SqlNotSupported(position, "the query has a construct that is not supported: " + ShortMessage(message));
  }
  if (says("NOT IMPLEMENTED")) {
    return SqlSyntaxError(position, "the query does not parse; a query has one WITH, one ORDER BY and one LIMIT");
  }
  return SqlSyntaxError(position, message.empty() ? "the query does not parse" : ShortMessage(message));
}

Result<ast::QueryPtr> DuckdbAstReader::ReadWrappedQuery(const json::Value* value, std::size_t fallback) {
  if (value == nullptr || !value->is_object()) {
    return Unexpected(fallback);
  }
  GB_RETURN_IF_ERROR(CheckMembers(*value, fallback, {"node", "named_param_map"}));
  return ReadQuery(value->Get("node"), fallback);
}

Result<ast::QueryPtr> DuckdbAstReader::ReadQuery(const json::Value* node, std::size_t fallback) {
  if (node == nullptr || !node->is_object()) {
    return Unexpected(fallback);
  }
  const Descent descent(*this);
  GB_RETURN_IF_ERROR(CountNode(fallback));
  auto query = std::make_unique<ast::Query>();
  query->position = fallback;
  GB_RETURN_IF_ERROR(ReadCommonTables(*node, fallback, *query));
  const std::string type = node->GetString("type");
  if (type == "SELECT_NODE") {
    GB_RETURN_IF_ERROR(ReadSelect(*node, fallback, *query));
    query->position = query->select.items.front().expr->position;
  } else if (type == "SET_OPERATION_NODE") {
    GB_RETURN_IF_ERROR(ReadSetOperation(*node, *query));
    query->position = query->left->position;
  } else if (type == "RECURSIVE_CTE_NODE") {
    return SqlNotSupported(PositionOfWord({"recursive"}, statement_.position),
                           "WITH RECURSIVE is not supported; write the steps that you need as one WITH each");
  } else {
    return SqlNotSupported(fallback, "this kind of query is not supported (" + ShortMessage(type) + ")");
  }
  GB_RETURN_IF_ERROR(ReadModifiers(*node, query->position, *query));
  return query;
}

Status DuckdbAstReader::ReadSetOperation(const json::Value& node, ast::Query& query) {
  GB_RETURN_IF_ERROR(
      CheckMembers(node, query.position, {"type", "modifiers", "cte_map", "setop_type", "left", "right", "setop_all"}));
  const std::string type = node.GetString("setop_type");
  const bool all = node.GetBool("setop_all");
  query.by_name = type == "UNION_BY_NAME";
  if (type == "UNION" || query.by_name) {
    query.op = all ? ast::SetOp::kUnionAll : ast::SetOp::kUnion;
  } else if (type == "INTERSECT") {
    query.op = all ? ast::SetOp::kIntersectAll : ast::SetOp::kIntersect;
  } else if (type == "EXCEPT") {
    query.op = all ? ast::SetOp::kExceptAll : ast::SetOp::kExcept;
  } else {
    return SqlNotSupported(query.position, "this set operation is not supported");
  }
  GB_ASSIGN_OR_RETURN(query.left, ReadQuery(node.Get("left"), query.position));
  GB_ASSIGN_OR_RETURN(query.right, ReadQuery(node.Get("right"), query.position));
  return {};
}

Status DuckdbAstReader::ReadSelect(const json::Value& node, std::size_t fallback, ast::Query& query) {
  GB_RETURN_IF_ERROR(
      CheckMembers(node, fallback,
                   {"type", "modifiers", "cte_map", "select_list", "from_table", "where_clause", "group_expressions",
                    "group_sets", "aggregate_handling", "having", "sample", "qualify"}));
  ast::Select& select = query.select;
  GB_RETURN_IF_ERROR(ReadSelectItems(node, fallback, select));
  const std::size_t here = select.items.front().expr->position;
  GB_ASSIGN_OR_RETURN(select.from, ReadFrom(node.Get("from_table"), here, select));
  GB_ASSIGN_OR_RETURN(select.where, ReadOptionalExpr(node.Get("where_clause"), here));
  GB_RETURN_IF_ERROR(ReadGroups(node, here, select));
  GB_ASSIGN_OR_RETURN(select.having, ReadOptionalExpr(node.Get("having"), here));
  GB_ASSIGN_OR_RETURN(select.qualify, ReadOptionalExpr(node.Get("qualify"), here));
  if (node.Get("sample") != nullptr) {
    select.sample = PositionOfWord({"sample", "tablesample"}, here);
  }
  return {};
}

Status DuckdbAstReader::ReadSelectItems(const json::Value& node, std::size_t fallback, ast::Select& select) {
  GB_ASSIGN_OR_RETURN(const json::Array* items, ReadArray(node.Get("select_list"), fallback));
  if (items->empty()) {
    return Unexpected(fallback);
  }
  if (items->size() > limits::kSqlColumnsMax) {
    return SqlNotSupported(fallback, "more than " + std::to_string(limits::kSqlColumnsMax) + " columns");
  }
  for (const json::Value& item : *items) {
    ast::SelectItem read;
    read.alias = item.GetString("alias");
    if (item.GetString("class") == "STAR") {
      GB_ASSIGN_OR_RETURN(read.expr, ReadStar(item, fallback));
    } else {
      GB_ASSIGN_OR_RETURN(read.expr, ReadExpr(&item, fallback));
    }
    select.items.push_back(std::move(read));
  }
  return {};
}

Status DuckdbAstReader::ReadGroups(const json::Value& node, std::size_t fallback, ast::Select& select) {
  GB_ASSIGN_OR_RETURN(select.group_by, ReadExprs(node.Get("group_expressions"), fallback));
  GB_RETURN_IF_ERROR(ReadGroupingSets(node, fallback, select));
  const std::string handling = node.GetString("aggregate_handling");
  const bool listed = !select.group_by.empty() || !select.grouping_sets.empty();
  if (handling == "FORCE_AGGREGATES" && !listed) {
    select.group_kind = ast::GroupKind::kAll;
  } else if (handling == "STANDARD_HANDLING") {
    select.group_kind = listed ? ast::GroupKind::kList : ast::GroupKind::kNone;
  } else {
    return SqlNotSupported(fallback, "this form of GROUP BY is not supported; list the keys, or write GROUP BY ALL");
  }
  return {};
}

// GROUP BY a, b is one set of all indices, and stays a plain list.
Status DuckdbAstReader::ReadGroupingSets(const json::Value& node, std::size_t fallback, ast::Select& select) {
  GB_ASSIGN_OR_RETURN(const json::Array* sets, ReadArray(node.Get("group_sets"), fallback));
  if (sets->size() > limits::kSqlListMax) {
    return SqlNotSupported(fallback, "more than " + std::to_string(limits::kSqlListMax) + " grouping sets");
  }
  for (const json::Value& set : *sets) {
    GB_ASSIGN_OR_RETURN(const json::Array* indices, ReadArray(&set, fallback));
    std::vector<std::size_t> read;
    for (const json::Value& index : *indices) {
      if (!index.is_int() || index.as_int() < 0 ||
          index.as_int() >= static_cast<std::int64_t>(select.group_by.size())) {
        return Unexpected(fallback);
      }
      read.push_back(static_cast<std::size_t>(index.as_int()));
    }
    select.grouping_sets.push_back(std::move(read));
  }
  const bool plain = select.grouping_sets.size() == 1 && !select.group_by.empty() &&
                     select.grouping_sets.front().size() == select.group_by.size();
  if (plain) {
    select.grouping_sets.clear();
  } else if (!select.grouping_sets.empty()) {
    select.grouping_position = PositionOfWord({"rollup", "cube", "grouping"}, fallback);
  } else if (!select.group_by.empty()) {
    return Unexpected(fallback);
  }
  return {};
}

Status DuckdbAstReader::ReadCommonTables(const json::Value& node, std::size_t fallback, ast::Query& query) {
  const json::Value* cte_map = node.Get("cte_map");
  if (cte_map == nullptr || !cte_map->is_object()) {
    return Unexpected(fallback);
  }
  GB_RETURN_IF_ERROR(CheckMembers(*cte_map, fallback, {"map"}));
  GB_ASSIGN_OR_RETURN(const json::Array* entries, ReadArray(cte_map->Get("map"), fallback));
  if (entries->size() > limits::kSqlListMax) {
    return SqlNotSupported(fallback, "more than " + std::to_string(limits::kSqlListMax) + " tables in WITH");
  }
  for (const json::Value& entry : *entries) {
    const json::Value* value = entry.Get("value");
    if (value == nullptr || !value->is_object()) {
      return Unexpected(fallback);
    }
    GB_RETURN_IF_ERROR(CheckMembers(entry, fallback, {"key", "value"}));
    GB_RETURN_IF_ERROR(CheckMembers(*value, fallback, {"aliases", "query", "materialized", "key_targets"}));
    ast::CommonTable table;
    table.name = entry.GetString("key");
    GB_ASSIGN_OR_RETURN(table.column_aliases, ReadNames(value->Get("aliases"), fallback));
    GB_ASSIGN_OR_RETURN(const json::Array* keys, ReadArray(value->Get("key_targets"), fallback));
    const std::string hint = value->GetString("materialized");
    if (!keys->empty() || hint != "CTE_MATERIALIZE_DEFAULT") {  // whatever the author's hint is
      return SqlNotSupported(fallback, "this form of WITH is not supported (USING KEY); write a plain query");
    }
    GB_ASSIGN_OR_RETURN(table.query, ReadWrappedQuery(value->Get("query"), fallback));
    table.position = table.query->position;
    query.with.push_back(std::move(table));
  }
  return {};
}

// The parser lists them in the order in which they apply; the tree knows this one only.
Status DuckdbAstReader::ReadModifiers(const json::Value& node, std::size_t fallback, ast::Query& query) {
  GB_ASSIGN_OR_RETURN(const json::Array* modifiers, ReadArray(node.Get("modifiers"), fallback));
  int last = 0;
  for (const json::Value& modifier : *modifiers) {
    const std::string type = modifier.GetString("type");
    int rank = 0;
    if (type == "DISTINCT_MODIFIER") {
      rank = 1;
      GB_RETURN_IF_ERROR(ReadDistinct(modifier, fallback, query));
    } else if (type == "ORDER_MODIFIER") {
      rank = 2;
      GB_RETURN_IF_ERROR(ReadQueryOrder(modifier, fallback, query));
    } else if (type == "LIMIT_MODIFIER") {
      rank = 3;
      GB_RETURN_IF_ERROR(ReadLimit(modifier, fallback, query));
    } else if (type == "LIMIT_PERCENT_MODIFIER") {
      return SqlNotSupported(PositionOfWord({"limit"}, fallback),
                             "LIMIT with a percentage is not supported; write a number of rows");
    } else {
      return SqlNotSupported(fallback, "this clause is not supported (" + ShortMessage(type) + ")");
    }
    if (rank <= last) {
      return SqlNotSupported(fallback, "DISTINCT, ORDER BY and LIMIT come once, in this order; use a derived table");
    }
    last = rank;
  }
  return {};
}

Status DuckdbAstReader::ReadDistinct(const json::Value& modifier, std::size_t fallback, ast::Query& query) {
  GB_RETURN_IF_ERROR(CheckMembers(modifier, fallback, {"type", "distinct_on_targets"}));
  if (query.op != ast::SetOp::kNone) {
    return SqlNotSupported(fallback, "DISTINCT over a set operation is not supported; use a derived table");
  }
  query.select.distinct = true;
  GB_ASSIGN_OR_RETURN(query.select.distinct_on, ReadExprs(modifier.Get("distinct_on_targets"), fallback));
  return {};
}

Status DuckdbAstReader::ReadQueryOrder(const json::Value& modifier, std::size_t fallback, ast::Query& query) {
  GB_RETURN_IF_ERROR(CheckMembers(modifier, fallback, {"type", "orders"}));
  GB_ASSIGN_OR_RETURN(const json::Array* orders, ReadArray(modifier.Get("orders"), fallback));
  if (orders->size() == 1) {
    const json::Value& only = orders->front();
    const json::Value* expression = only.Get("expression");
    if (expression != nullptr && expression->GetString("class") == "STAR") {
      const std::size_t here = PositionOf(*expression, fallback);
      // ORDER BY ALL is COLUMNS(*) to the parser.
      const bool all = expression->GetBool("columns") && expression->Get("expr") == nullptr &&
                       only.GetString("type") == "ORDER_DEFAULT" && only.GetString("null_order") == "ORDER_DEFAULT";
      json::Value plain = *expression;
      plain.as_object().Set("columns", false);
      const Result<ast::ExprPtr> star = ReadStar(plain, here);
      if (!all || !star.ok() || !star.value()->name.empty() || !star.value()->excluded.empty()) {
        return SqlNotSupported(here, "this form of ORDER BY is not supported; list the columns, or write ORDER BY ALL");
      }
      query.order_by_all = true;
      return {};
    }
  }
  GB_ASSIGN_OR_RETURN(query.order_by, ReadOrders(modifier.Get("orders"), fallback));
  return {};
}

Status DuckdbAstReader::ReadLimit(const json::Value& modifier, std::size_t fallback, ast::Query& query) {
  GB_RETURN_IF_ERROR(CheckMembers(modifier, fallback, {"type", "limit", "offset"}));
  GB_ASSIGN_OR_RETURN(query.limit, ReadOptionalExpr(modifier.Get("limit"), fallback));
  GB_ASSIGN_OR_RETURN(query.offset, ReadOptionalExpr(modifier.Get("offset"), fallback));
  for (ast::ExprPtr* bound : {&query.limit, &query.offset}) {
    const bool none = *bound != nullptr && (*bound)->kind == ast::ExprKind::kLiteral &&
                      std::holds_alternative<std::monostate>((*bound)->literal.value);
    if (none) {
      bound->reset();  // LIMIT ALL, LIMIT NULL
    }
  }
  return {};
}

// The parser has 2^64-1 for "nowhere".
bool DuckdbAstReader::HasPosition(const json::Value& node) const {
  const json::Value* location = node.Get("query_location");
  return location != nullptr && location->is_int() && location->as_int() >= 0 &&
         static_cast<std::size_t>(location->as_int()) <= statement_.sql.size();
}

std::size_t DuckdbAstReader::PositionOf(const json::Value& node, std::size_t fallback) const {
  if (!HasPosition(node)) {
    return fallback;
  }
  return statement_.positions.ToOriginal(static_cast<std::size_t>(node.Get("query_location")->as_int()));
}

Status DuckdbAstReader::CheckMembers(const json::Value& node, std::size_t position,
                                     std::initializer_list<std::string_view> allowed) {
  if (!node.is_object()) {
    return Unexpected(position);
  }
  for (const auto& [key, value] : node.as_object()) {
    if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
      return SqlNotSupported(position, "this parser says something new here (" + ShortMessage(key) + ")");
    }
  }
  return {};
}

Result<std::vector<std::string>> DuckdbAstReader::ReadNames(const json::Value* value, std::size_t position) {
  GB_ASSIGN_OR_RETURN(const json::Array* array, ReadArray(value, position));
  if (array->size() > limits::kSqlColumnsMax) {
    return SqlNotSupported(position, "more than " + std::to_string(limits::kSqlColumnsMax) + " names");
  }
  std::vector<std::string> names;
  for (const json::Value& name : *array) {
    if (!name.is_string()) {
      return Unexpected(position);
    }
    names.push_back(name.as_string());
  }
  return names;
}

Result<const json::Array*> DuckdbAstReader::ReadArray(const json::Value* value, std::size_t position) {
  if (value == nullptr || !value->is_array()) {
    return Unexpected(position);
  }
  return &value->as_array();
}

std::size_t DuckdbAstReader::PositionOfWord(std::initializer_list<std::string_view> words, std::size_t fallback) const {
  const Result<std::vector<Token>> tokens = Tokenize(statement_.sql);
  if (!tokens.ok()) {
    return fallback;
  }
  for (const Token& token : *tokens) {
    const std::size_t position = statement_.positions.ToOriginal(token.begin);
    if (token.kind == TokenKind::kWord && position >= fallback &&
        std::ranges::find(words, AsciiLower(TokenName(statement_.sql, token))) != words.end()) {
      return position;
    }
  }
  return fallback;
}

Status DuckdbAstReader::CountNode(std::size_t position) {
  if (depth_ > limits::kSqlNestingMax) {
    return SqlNotSupported(position, "the query nests deeper than " + std::to_string(limits::kSqlNestingMax) +
                                         "; use WITH to give parts of it a name");
  }
  if (++nodes_ > limits::kSqlExpressionNodesMax) {
    return SqlNotSupported(
        position, "the query has more than " + std::to_string(limits::kSqlExpressionNodesMax) + " expressions");
  }
  return {};
}

Status DuckdbAstReader::Unexpected(std::size_t position) {
  return SqlNotSupported(position, "the parser's answer has an unexpected shape here");
}

}  // namespace glovebox::query
