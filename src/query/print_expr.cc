// SPDX-License-Identifier: Apache-2.0
#include "query/print_expr.h"

#include "base/limits.h"
#include "query/literal.h"
#include "query/plan.h"

namespace glovebox::query {
namespace {

class Printer {
 public:
  Printer(const AttrNames& names, const RelPrinter& rels) : names_(names), rels_(rels) {}

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
        return "(" + Print(*e.args[0]) + Symbol(e.compare) + Print(*e.args[1]) + ")";
      case ExprOp::kAnd:
        return List(e, " AND ");
      case ExprOp::kOr:
        return List(e, " OR ");
      case ExprOp::kNot:
        return "(NOT " + Print(*e.args[0]) + ")";
      case ExprOp::kIsNull:
        return "(" + Print(*e.args[0]) + " IS NULL)";
      case ExprOp::kIn:
        return "(" + Print(*e.args[0]) + " IN (" + Args(e, 1) + "))";
      case ExprOp::kLike: {
        const std::string escape = e.args.size() > 2 ? " ESCAPE " + Print(*e.args[2]) : "";
        return "(" + Print(*e.args[0]) + (e.case_insensitive ? " ILIKE " : " LIKE ") + Print(*e.args[1]) + escape + ")";
      }
      case ExprOp::kCase:
        return Case(e);
      case ExprOp::kCast:
        return "TRY_CAST(" + Print(*e.args[0]) + " AS " + TypeName(e.type) + ")";
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
    std::string out = "CASE";
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
    std::string out;
    if (!f.is_operator) {
      out = std::string(f.duckdb) + "(" + Args(e, 0) + ")";
    } else if (e.args.size() == 1) {
      out = "(" + std::string(f.duckdb) + " " + Print(*e.args[0]) + ")";
    } else {
      std::string right = Print(*e.args[1]);
      if (f.duckdb == "/" || f.duckdb == "//" || f.duckdb == "%") {
        right = "nullif(" + right + ", 0)";
      }
      out = "(" + Print(*e.args[0]) + " " + std::string(f.duckdb) + " " + right + ")";
    }
    if (f.grows_text) {
      out = "left(" + out + ", " + std::to_string(limits::kTextCharactersMax) + ")";
    }
    return f.can_raise ? "TRY(" + out + ")" : out;
  }

  const AttrNames& names_;
  const RelPrinter& rels_;
};

}  // namespace

std::string PrintExpr(const Expr& expr, const AttrNames& names, const RelPrinter& rels) {
  return Printer(names, rels).Print(expr);
}

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

}  // namespace glovebox::query
