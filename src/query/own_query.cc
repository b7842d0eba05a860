// SPDX-License-Identifier: Apache-2.0
#include "query/own_query.h"

#include "base/strings.h"
#include "query/analyzer.h"
#include "query/literal.h"
#include "query/print_expr.h"
#include "query/print_rel.h"

namespace glovebox::query {
namespace {

// The calls of read_files in a query, wherever they stand, in the order of the text.
class FileCalls {
 public:
  std::vector<const ast::From*> nodes;

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
  void Find(const ast::Query& query) {
    for (const ast::CommonTable& common : query.with) {
      Find(*common.query);
    }
    if (query.op != ast::SetOp::kNone) {
      Find(*query.left);
      Find(*query.right);
    } else {
      const ast::Select& select = query.select;
      for (const ast::SelectItem& item : select.items) {
        Find(item.expr);
      }
      Find(*select.from);
      Find(select.where);
      FindAll(select.group_by);
      Find(select.having);
      Find(select.qualify);
    }
    for (const ast::OrderItem& item : query.order_by) {
      Find(item.expr);
    }
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion)
  void FindAll(const std::vector<ast::ExprPtr>& exprs) {
    for (const ast::ExprPtr& expr : exprs) {
      Find(expr);
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  void Find(const ast::ExprPtr& expr) {
    if (expr == nullptr) {
      return;
    }
    FindAll(expr->children);
    FindAll(expr->partition_by);
    Find(expr->filter);
    for (const ast::OrderItem& item : expr->order_by) {
      Find(item.expr);
    }
    if (expr->query != nullptr) {
      Find(*expr->query);
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  void Find(const ast::From& from) {
    switch (from.kind) {
      case ast::FromKind::kSubquery:
        Find(*from.query);
        break;
      case ast::FromKind::kJoin:
        Find(*from.left);
        Find(*from.right);
        Find(from.on);
        break;
      case ast::FromKind::kValues:
        for (const std::vector<ast::ExprPtr>& row : from.rows) {
          FindAll(row);
        }
        break;
      case ast::FromKind::kTableFunction:
        if (from.call->name == "read_files") {  // the analyzer refuses others by name
          nodes.push_back(&from);
        }
        break;
      default:
        break;
    }
  }
};

Result<FileCall> ReadCall(const ast::From& from) {
  FileCall call;
  call.position = from.position;
  for (std::size_t i = 0; i < from.call->children.size(); ++i) {
    const ast::Expr& argument = *from.call->children[i];
    const std::string name = i < from.argument_names.size() ? AsciiLower(from.argument_names[i]) : "";
    if (argument.kind != ast::ExprKind::kLiteral || IsNull(argument.literal) ||
        std::holds_alternative<ast::Interval>(argument.literal.value)) {
      return Status(ErrorCode::kNotSupported, "the arguments of read_files are constants").At(argument.position);
    }
    const std::string text = LiteralText(argument.literal);
    if (name.empty() && i == 0) {
      call.path = text;
    } else if (name.empty() || !call.options.emplace(name, text).second) {
      return Status(ErrorCode::kSqlType, "read_files takes a path and then named options, each once")
          .At(argument.position);
    }
  }
  return call;
}

bool IsSecret(const Expr& expr) { return expr.op == ExprOp::kCall && expr.function->name == "secret"; }

Status CheckSecrets(const Rel& rel);

// A secret is the key of a hash and nothing else: it can never be part of a value.
// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
Status CheckSecretsBelow(const Expr& expr) {
  const bool is_hash = expr.op == ExprOp::kCall && expr.function->name == "hmac_sha256";
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    const Expr& arg = *expr.args[i];
    if (IsSecret(arg) != (is_hash && i == 0)) {
      return Status(ErrorCode::kNotSupported,
                    "a secret is used as hmac_sha256(secret('scope', 'key'), text), and nowhere else")
          .WithRule("P11")
          .At(arg.position);
    }
    if (!IsSecret(arg)) {
      GB_RETURN_IF_ERROR(CheckSecretsBelow(arg));
      continue;
    }
    for (const ExprPtr& part : arg.args) {
      if (part->op != ExprOp::kLiteral || part->literal.type.kind != TypeKind::kText) {
        return Status(ErrorCode::kNotSupported, "secret takes two text constants").WithRule("P11").At(arg.position);
      }
    }
  }
  return expr.rel == nullptr ? Status() : CheckSecrets(*expr.rel);
}

// NOLINTNEXTLINE(misc-no-recursion)
Status CheckSecrets(const Expr& expr) {
  if (IsSecret(expr)) {
    return Status(ErrorCode::kNotSupported, "a secret is no value").WithRule("P11").At(expr.position);
  }
  return CheckSecretsBelow(expr);
}

// NOLINTNEXTLINE(misc-no-recursion)
Status CheckSecrets(const Rel& rel) {
  Status checked;
  ForEachExpr(rel, [&checked](const Expr& expr) {
    if (checked.ok()) {
      checked = CheckSecrets(expr);
    }
  });
  return checked;
}

}  // namespace

Result<std::vector<FileCall>> FindFileCalls(const ast::Query& query) {
  FileCalls found;
  found.Find(query);
  std::vector<FileCall> out;
  for (const ast::From* node : found.nodes) {
    GB_ASSIGN_OR_RETURN(FileCall call, ReadCall(*node));
    out.push_back(std::move(call));
  }
  return out;
}

Result<CompiledQuery> CompileOwnQuery(const ast::Query& query, const std::vector<OwnTable>& tables,
                                      const std::vector<FileTable>& files, const std::vector<FunctionDef>& functions,
                                      const std::vector<ParameterDef>& parameters, const Namespace& names,
                                      const OwnQueryOptions& options) {
  AnalyzerInput input;
  for (const OwnTable& table : tables) {
    input.tables.push_back({table.name, table.columns});
  }
  FileCalls calls;
  calls.Find(query);
  for (std::size_t i = 0; i < files.size() && i < calls.nodes.size(); ++i) {
    input.files.push_back({calls.nodes[i], files[i].columns});
  }
  input.functions = functions;
  input.parameters = parameters;
  input.default_namespace = names.default_parts;
  input.secrets = options.secrets;
  input.bad_cast = options.bad_cast;
  Analyzer analyzer(std::move(input));
  GB_ASSIGN_OR_RETURN(const RelPtr rel, analyzer.Analyze(query));
  GB_RETURN_IF_ERROR(CheckSecrets(*rel));

  const auto columns_of = [&](std::size_t table) -> const std::vector<ColumnDef>& {
    return table < tables.size() ? tables[table].columns : files[table - tables.size()].columns;
  };
  RelNames print;
  print.scan = [&](std::size_t table) {
    return table < tables.size() ? tables[table].relation : files[table - tables.size()].relation;
  };
  print.scan_column = [&](std::size_t table, std::size_t column) { return QuoteName(columns_of(table)[column].name); };
  CompiledQuery out;
  const std::vector<std::string> unique = UniqueNames(rel->output);
  std::string select;
  for (std::size_t i = 0; i < rel->output.size(); ++i) {
    select += (i == 0 ? "" : ", ") + AttrName(rel->output[i].id) + " AS " + QuoteName(unique[i]);
    const Type* type = analyzer.AttrType(rel->output[i].id);
    out.columns.push_back({unique[i], type != nullptr ? *type : Type::Null()});
  }
  out.sql = "SELECT " + select + " FROM (" + PrintRel(*rel, print) + ")";
  return out;
}

Result<CompiledScalar> CompileCall(const FunctionDef& function, const std::vector<ColumnDef>& arguments,
                                   const std::vector<FunctionDef>& functions, Secrets secrets) {
  AnalyzerInput input;
  input.functions = functions;
  input.secrets = secrets;
  Analyzer analyzer(std::move(input));
  GB_ASSIGN_OR_RETURN(const Analyzer::Scalar scalar, analyzer.AnalyzeCall(function, arguments));
  GB_RETURN_IF_ERROR(CheckSecrets(*scalar.expr));
  CompiledScalar out;
  out.sql = PrintExpr(*scalar.expr, [&scalar](AttrId attr) {
    for (const Attr& column : scalar.columns) {
      if (column.id == attr) {
        return QuoteName(column.name);
      }
    }
    return std::string("NULL");
  });
  out.type = scalar.expr->op == ExprOp::kCast ? scalar.expr->type : Type::Null();
  return out;
}

}  // namespace glovebox::query
