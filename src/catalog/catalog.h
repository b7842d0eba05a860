// SPDX-License-Identifier: Apache-2.0
//
// All services of the catalogue over one database, for those who need several of them. Threads: thread-safe.
#pragma once

#include "catalog/context.h"
#include "catalog/functions.h"
#include "catalog/grants.h"
#include "catalog/organisations.h"
#include "catalog/principals.h"
#include "catalog/secrets.h"
#include "catalog/securables.h"
#include "catalog/tables.h"
#include "catalog/tokens.h"
#include "catalog/volumes.h"

namespace glovebox::catalog {

struct Catalog {
  explicit Catalog(const Context& where)
      : context(where),
        organisations(where),
        principals(where),
        tokens(where),
        securables(where),
        grants(where),
        tables(where),
        functions(where),
        volumes(where),
        secrets(where) {}

  Context context;
  Organisations organisations;
  Principals principals;
  Tokens tokens;
  Securables securables;
  Grants grants;
  Tables tables;
  Functions functions;
  Volumes volumes;
  Secrets secrets;
};

}  // namespace glovebox::catalog
