// SPDX-License-Identifier: Apache-2.0
#include "query/print_expr.h"

#include "base/limits.h"
#include "query/literal.h"
#include "query/plan.h"

namespace glovebox::query {
namespace {

class Printer {
 public:
  Printer(const AttrNames& names, const RelPrinter& rels, Places places)
      : names_(names), rels_(rels), places_(places) {}

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
  std::string Print(const Expr& e) const {
    switch (e.op) {
      case ExprOp::kLiteral:
        return LiteralSql(e.literal);
      case ExprOp::kAttr:
        return names_(e.attr);
      case ExprOp::kCall:
        return Call(e);
      case ExprOp::kCompare:
        return "(" + Print(*e.args[0]) + Place(e) + Symbol(e.compare) + Print(*e.args[1]) + ")";
      case ExprOp::kAnd:
        return List(e, " AND ");
      case ExprOp::kOr:
        return List(e, " OR ");
      case ExprOp::kNot:
        return "(NOT " + Place(e) + Print(*e.args[0]) + ")";
      case ExprOp::kIsNull:
        return "(" + Print(*e.args[0]) + " IS NULL)";
      case ExprOp::kIn:
        return "(" + Print(*e.args[0]) + Place(e) + " IN (" + Args(e, 1) + "))";
      case ExprOp::kLike: {
        const std::string escape = e.args.size() > 2 ? " ESCAPE " + Print(*e.args[2]) : "";
        return "(" + Print(*e.args[0]) + Place(e) + (e.case_insensitive ? " ILIKE " : " LIKE ") + Print(*e.args[1]) +
               escape + ")";
      }
      case ExprOp::kCase:
        return Case(e);
      case ExprOp::kCast:
        return (e.fails ? "CAST(" + PlaceMark(e.position) : "TRY_CAST(") + Print(*e.args[0]) + " AS " +
               TypeName(e.type) + ")";
      case ExprOp::kScalarSubquery:
        return "(" + rels_(*e.rel) + ")";
      case ExprOp::kExists:
        return "EXISTS (" + rels_(*e.rel) + ")";
      case ExprOp::kInSubquery:
        return "(" + Print(*e.args[0]) + " IN (" + rels_(*e.rel) + "))";
    }
    return "NULL";
  }

 private:
  [[nodiscard]] std::string Place(const Expr& e) const { return places_ == Places::kAll ? PlaceMark(e.position) : ""; }

  static const char* Symbol(CompareOp op) {
    switch (op) {
      case CompareOp::kEq:
        return " = ";
      case CompareOp::kNe:
        return " <> ";
      case CompareOp::kLt:
        return " < ";
      case CompareOp::kLe:
        return " <= ";
      case CompareOp::kGt:
        return " > ";
      case CompareOp::kGe:
        return " >= ";
      case CompareOp::kDistinct:
        return " IS DISTINCT FROM ";
      case CompareOp::kNotDistinct:
        return " IS NOT DISTINCT FROM ";
    }
    return " = ";
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  std::string List(const Expr& e, const char* separator) const {
    std::string out = "(";
    for (std::size_t i = 0; i < e.args.size(); ++i) {
      out += (i == 0 ? "" : separator) + Print(*e.args[i]);
    }
    return out + ")";
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  std::string Args(const Expr& e, std::size_t from) const {
    std::string out;
    for (std::size_t i = from; i < e.args.size(); ++i) {
      out += (i == from ? "" : ", ") + Print(*e.args[i]);
    }
    return out;
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  std::string Case(const Expr& e) const {
    std::string out = Place(e) + "CASE";
    for (std::size_t i = 0; i + 1 < e.args.size(); i += 2) {
      out += " WHEN " + Print(*e.args[i]) + " THEN " + Print(*e.args[i + 1]);
    }
    return out + (e.has_else ? " ELSE " + Print(*e.args.back()) : "") + " END";
  }

  // secret('scope', 'key') stands for the name under which the worker holds the key.
  static std::string KeyName(const Expr& secret) {
    std::string name;
    for (const ExprPtr& part : secret.args) {
      name += (name.empty() ? "" : "/") + LiteralText(part->literal);
    }
    return LiteralSql({.type = Type::Text(), .value = name});
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  std::string Call(const Expr& e) const {
    const ScalarFunction& f = *e.function;
    if (f.duckdb == "gb_hmac_sha256") {
      return "gb_hmac_sha256(" + KeyName(*e.args[0]) + ", " + Print(*e.args[1]) + ")";
    }
    // DuckDB has no subqueries inside TRY: they become the columns of a row that TRY reads.
    std::string apart;
    const auto arg = [&](std::size_t i) {
      if (!f.can_raise || !ContainsSubquery(*e.args[i])) {
        return Print(*e.args[i]);
      }
      std::string name = "s" + std::to_string(i);
      apart += (apart.empty() ? "" : ", ") + Print(*e.args[i]) + " AS " + name;
      return name;
    };
    std::string out;
    if (!f.is_operator) {
      for (std::size_t i = 0; i < e.args.size(); ++i) {
        out += (i == 0 ? "" : ", ") + arg(i);
      }
      out = Place(e) + std::string(f.duckdb) + "(" + out + ")";
    } else if (e.args.size() == 1) {
      out = "(" + Place(e) + std::string(f.duckdb) + " " + arg(0) + ")";
    } else {
      const bool divides = f.duckdb == "/" || f.duckdb == "//" || f.duckdb == "%";
      const std::string left = arg(0);
      const std::string right = divides ? "nullif(" + arg(1) + ", 0)" : arg(1);
      out = "(" + left + " " + Place(e) + std::string(f.duckdb) + " " + right + ")";
    }
    if (f.grows_text) {
      out = "left(" + out + ", " + std::to_string(limits::kTextCharactersMax) + ")";
    }
    out = f.can_raise ? "TRY(" + out + ")" : out;
    return apart.empty() ? out : "(SELECT " + out + " FROM (SELECT " + apart + ") AS s)";
  }

  const AttrNames& names_;
  const RelPrinter& rels_;
  Places places_;
};

}  // namespace

std::string PrintExpr(const Expr& expr, const AttrNames& names, const RelPrinter& rels, Places places) {
  return Printer(names, rels, places).Print(expr);
}

std::string PlaceMark(std::size_t position) { return "/*" + std::to_string(position) + "*/"; }

std::string QuoteName(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    out += c;
    if (c == '"') {
      out += c;
    }
  }
  return out + "\"";
}

std::string GroupBySql(std::size_t keys) {
  std::string out;
  for (std::size_t i = 1; i <= keys; ++i) {
    out += (i == 1 ? " GROUP BY " : ", ") + std::to_string(i);
  }
  return out;
}

}  // namespace glovebox::query
