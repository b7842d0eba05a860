// SPDX-License-Identifier: Apache-2.0
#include "query/print_rel.h"

#include <set>

#include "base/strings.h"
#include "query/print_expr.h"

namespace glovebox::query {
namespace {

class RelPrinterImpl {
 public:
  RelPrinterImpl(const RelNames& names, Places places)
      : names_(names), places_(places), rels_([this](const Rel& rel) { return Print(rel); }) {}

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
  std::string Print(const Rel& rel) const {
    switch (rel.kind) {
      case RelKind::kOneRow:
        return "SELECT 1 AS one";
      case RelKind::kScan:
        return Leaf(rel, names_.scan(rel.table),
                    [&](std::size_t i) { return names_.scan_column(rel.table, rel.columns[i]); });
      case RelKind::kGoverned:
        return Leaf(rel, names_.released(rel.table),
                    [&](std::size_t i) { return names_.released_column(rel.table, rel.columns[i]); });
      case RelKind::kValues:
        return Values(rel);
      case RelKind::kFilter:
        return "SELECT * FROM " + Input(rel, 0) + " WHERE " + PrintE(*rel.predicate);
      case RelKind::kProject:
        return Project(rel);
      case RelKind::kJoin:
        return Join(rel);
      case RelKind::kAggregate:
        return Aggregate(rel);
      case RelKind::kWindow:
        return Window(rel);
      case RelKind::kDistinct:
        return "SELECT DISTINCT * FROM " + Input(rel, 0);
      case RelKind::kSetOp:
        return SetOp(rel);
      case RelKind::kSort:
        return "SELECT * FROM " + Input(rel, 0) + " ORDER BY " + Order(rel.order);
      case RelKind::kLimit:
        return "SELECT * FROM " + Input(rel, 0) + (rel.limit ? " LIMIT " + std::to_string(*rel.limit) : "") +
               (rel.offset > 0 ? " OFFSET " + std::to_string(rel.offset) : "");
    }
    return "";
  }

 private:
  std::string PrintE(const Expr& expr) const { return PrintExpr(expr, &AttrName, rels_, places_); }
  [[nodiscard]] std::string Place(std::size_t position) const {
    return places_ == Places::kAll ? PlaceMark(position) : "";
  }
  std::string Input(const Rel& rel, std::size_t i) const { return "(" + Print(*rel.inputs[i]) + ")"; }

  template <typename ColumnName>
  static std::string Leaf(const Rel& rel, const std::string& relation, const ColumnName& column) {
    std::string out;
    for (std::size_t i = 0; i < rel.output.size(); ++i) {
      out += (i == 0 ? "" : ", ") + column(i) + " AS " + AttrName(rel.output[i].id);
    }
    return "SELECT " + (out.empty() ? "1 AS one" : out) + " FROM " + relation;
  }

  std::string List(const std::vector<ExprPtr>& exprs) const {
    std::string out;
    for (std::size_t i = 0; i < exprs.size(); ++i) {
      out += (i == 0 ? "" : ", ") + PrintE(*exprs[i]);
    }
    return out;
  }

  std::string Values(const Rel& rel) const {
    std::string rows;
    for (const auto& row : rel.rows) {
      rows += (rows.empty() ? "(" : ", (") + List(row) + ")";
    }
    std::string columns;
    for (const Attr& attr : rel.output) {
      columns += (columns.empty() ? "" : ", ") + AttrName(attr.id);
    }
    return "SELECT * FROM (VALUES " + rows + ") AS v(" + columns + ")";
  }

  std::string Project(const Rel& rel) const {
    std::string out;
    for (std::size_t i = 0; i < rel.exprs.size(); ++i) {
      out += (i == 0 ? "" : ", ") + PrintE(*rel.exprs[i]) + " AS " + AttrName(rel.output[i].id);
    }
    return "SELECT " + out + " FROM " + Input(rel, 0);
  }

  std::string Join(const Rel& rel) const {
    const char* word = " JOIN ";
    switch (rel.join) {
      case RelJoin::kInner:
        break;
      case RelJoin::kLeft:
        word = " LEFT JOIN ";
        break;
      case RelJoin::kRight:
        word = " RIGHT JOIN ";
        break;
      case RelJoin::kFull:
        word = " FULL JOIN ";
        break;
      case RelJoin::kCross:
        word = rel.predicate == nullptr ? " CROSS JOIN " : " JOIN ";
        break;
      case RelJoin::kSemi:
        word = " SEMI JOIN ";
        break;
      case RelJoin::kAnti:
        word = " ANTI JOIN ";
        break;
    }
    const bool cross = rel.predicate == nullptr && rel.join == RelJoin::kCross;
    return "SELECT * FROM " + Input(rel, 0) + " AS l" + word + Input(rel, 1) + " AS r" +
           (cross ? "" : " ON " + (rel.predicate == nullptr ? "TRUE" : PrintE(*rel.predicate)));
  }

  std::string Aggregate(const Rel& rel) const {
    std::string out;
    for (std::size_t i = 0; i < rel.output.size(); ++i) {
      out += i == 0 ? "" : ", ";
      if (i < rel.exprs.size()) {
        out += PrintE(*rel.exprs[i]);
      } else {
        const AggregateCall& call = rel.calls[i - rel.exprs.size()];
        const bool star = call.function->name == "count_star";
        out += star ? "count(*)"
                    : Place(call.position) + std::string(call.function->duckdb) + "(" +
                          (call.distinct ? "DISTINCT " : "") + List(call.args) + ")";
        out += call.filter == nullptr ? "" : " FILTER (WHERE " + PrintE(*call.filter) + ")";
      }
      out += " AS " + AttrName(rel.output[i].id);
    }
    return "SELECT " + (out.empty() ? "1 AS one" : out) + " FROM " + Input(rel, 0) + GroupBySql(rel.exprs.size());
  }

  static std::string Bound(ast::FrameBound bound, std::int64_t offset) {
    switch (bound) {
      case ast::FrameBound::kUnboundedPreceding:
        return "UNBOUNDED PRECEDING";
      case ast::FrameBound::kPreceding:
        return std::to_string(offset) + " PRECEDING";
      case ast::FrameBound::kCurrentRow:
        return "CURRENT ROW";
      case ast::FrameBound::kFollowing:
        return std::to_string(offset) + " FOLLOWING";
      case ast::FrameBound::kUnboundedFollowing:
        return "UNBOUNDED FOLLOWING";
    }
    return "";
  }

  std::string Window(const Rel& rel) const {
    std::string out = "SELECT *";
    const std::size_t first = rel.output.size() - rel.windows.size();
    for (std::size_t i = 0; i < rel.windows.size(); ++i) {
      const WindowCall& call = rel.windows[i];
      const bool star = call.function->name == "count_star";
      out += ", " +
             (star ? "count(*" : Place(call.position) + std::string(call.function->duckdb) + "(" + List(call.args)) +
             (call.ignore_nulls ? " IGNORE NULLS" : "") + ") OVER (";
      out += call.partition_by.empty() ? "" : "PARTITION BY " + List(call.partition_by) + " ";
      out += call.order_by.empty() ? "" : "ORDER BY " + Order(call.order_by) + " ";
      if (call.frame) {
        out += (call.frame->rows ? "ROWS BETWEEN " : "RANGE BETWEEN ") +
               Bound(call.frame->start, call.frame->start_offset) + " AND " +
               Bound(call.frame->end, call.frame->end_offset);
      }
      out += ") AS " + AttrName(rel.output[first + i].id);
    }
    return out + " FROM " + Input(rel, 0);
  }

  std::string SetOp(const Rel& rel) const {
    const char* word = " UNION ";
    switch (rel.set_op) {
      case ast::SetOp::kUnionAll:
        word = " UNION ALL ";
        break;
      case ast::SetOp::kIntersect:
        word = " INTERSECT ";
        break;
      case ast::SetOp::kIntersectAll:
        word = " INTERSECT ALL ";
        break;
      case ast::SetOp::kExcept:
        word = " EXCEPT ";
        break;
      case ast::SetOp::kExceptAll:
        word = " EXCEPT ALL ";
        break;
      default:
        break;
    }
    const auto side = [&](std::size_t input) {
      std::string columns;
      for (std::size_t i = 0; i < rel.output.size(); ++i) {
        columns +=
            (i == 0 ? "" : ", ") + AttrName(rel.inputs[input]->output[i].id) + " AS " + AttrName(rel.output[i].id);
      }
      return "(SELECT " + columns + " FROM " + Input(rel, input) + ")";
    };
    return Place(rel.position) + side(0) + word + side(1);
  }

  std::string Order(const std::vector<SortItem>& items) const {
    std::string out;
    for (const SortItem& item : items) {
      out += (out.empty() ? "" : ", ") + PrintE(*item.expr) + (item.descending ? " DESC" : " ASC") +
             (item.nulls == ast::NullsOrder::kFirst ? " NULLS FIRST" : " NULLS LAST");
    }
    return out;
  }

  const RelNames& names_;
  Places places_;
  RelPrinter rels_;
};

}  // namespace

std::string AttrName(AttrId attr) { return "a" + std::to_string(static_cast<int>(attr)); }

std::string PrintRel(const Rel& rel, const RelNames& names, Places places) {
  return RelPrinterImpl(names, places).Print(rel);
}

std::vector<std::string> UniqueNames(const std::vector<Attr>& output) {
  std::vector<std::string> out;
  std::set<std::string> taken;
  for (const Attr& attr : output) {
    std::string name = attr.name;
    for (int n = 1; !taken.insert(AsciiLower(name)).second; ++n) {
      name = attr.name + "_" + std::to_string(n);
    }
    out.push_back(std::move(name));
  }
  return out;
}

}  // namespace glovebox::query
