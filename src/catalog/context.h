// SPDX-License-Identifier: Apache-2.0
//
// What every service of the catalogue works with; made once by the program's wiring. Everything that it points to
// outlives the services. Threads: all of it is thread-safe.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "crypto/aead.h"
#include "store/database.h"

namespace glovebox::catalog {

struct Context {
  store::Database* database;  // migrated with Migrations()
  const Clock* clock;
  Random* random;
  const crypto::MasterKey* master_key;
  std::string data_folder;  // absolute; tables/ and volumes/ are made in it
};

}  // namespace glovebox::catalog
