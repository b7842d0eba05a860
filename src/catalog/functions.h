// SPDX-License-Identifier: Apache-2.0
//
// SQL functions: CREATE FUNCTION name(parameters) RETURN body. The body is an expression's text; who creates one has
// checked that it compiles (the statement part does, with the engine).
//
// Replacing a function changes what row filters and masks that call it mean, so it advances the policy version of every
// table of the organisation that has any. Threads: thread-safe.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/page.h"
#include "catalog/securables.h"

namespace glovebox::catalog {

struct FunctionParameter {
  std::string name;
  std::string type;
  std::string comment;
  bool operator==(const FunctionParameter&) const = default;
};

struct Function {
  Securable info;
  std::vector<FunctionParameter> parameters;
  std::string return_type;  // empty if it was not declared
  std::string body;
  PrincipalId author;  // who wrote this body; empty if that is not known
};

struct NewFunction {
  std::string schema;  // "catalog.schema"
  std::string name;
  std::vector<FunctionParameter> parameters;
  std::string return_type;
  std::string body;
  std::string comment;
};

enum class OnExisting { kFail, kKeep, kReplace };

class Functions {
 public:
  explicit Functions(const Context& context) : context_(context) {}

  // Needs CREATE_FUNCTION on the schema; ownership or MANAGE to replace. A function that a policy uses can only be
  // replaced by one with the same parameters.
  Result<Function> Create(const Caller& caller, const NewFunction& function, OnExisting on_existing) const;
  // Needs EXECUTE to see the body; without it, the body is empty.
  Result<Function> Get(const Caller& caller, const std::string& full_name) const;
  Result<Page<Function>> List(const Caller& caller, const std::string& schema, const PageRequest& page) const;
  // The functions with these full names, and those that their bodies may call: a body's name means the function of the
  // same schema that was there when the body was written and that its author might execute, and no other that takes the
  // name later. Nothing else is handed to the engine, so that a function of the same name elsewhere cannot take the
  // place of one that a policy means. Needs EXECUTE; what is called without it is left out. Returns INVALID_STATE if
  // two functions of the result have the same name in different schemas, or one has the name of one that another still
  // calls and that was dropped, or may not be executed.
  Result<std::vector<Function>> Closure(const Caller& caller, const std::vector<std::string>& full_names) const;
  static Result<std::vector<Function>> Closure(store::Transaction& transaction, const Caller& caller,
                                               const std::vector<std::string>& full_names);
  // What a body in that schema may call, with what that calls.
  Result<std::vector<Function>> CalledBy(const Caller& caller, const std::string& schema,
                                         const std::string& body) const;
  // The full names of the functions of this name, in whatever schema, that the caller may execute.
  Result<std::vector<std::string>> FullNames(const Caller& caller, const std::string& name) const;
  static Result<Function> Load(store::Transaction& transaction, const Securable& securable,
                               const OrganisationId& organisation);

 private:
  Context context_;
};

}  // namespace glovebox::catalog
