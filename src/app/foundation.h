// SPDX-License-Identifier: Apache-2.0
//
// What every use of a data folder stands on: the lock, clock, randomness, master key, migrated database, catalogue.
//
// Invariant: a stable address, because services keep pointers to it. Errors are written for the operator.
// Threads: made by one thread; the services in it are thread-safe.
#pragma once

#include <memory>
#include <string>

#include "app/data_folder.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "crypto/aead.h"
#include "store/database.h"

namespace glovebox::app {

class Foundation {
 public:
  static Result<std::unique_ptr<Foundation>> Open(const std::string& data_folder);
  Foundation(const Foundation&) = delete;
  Foundation& operator=(const Foundation&) = delete;

  [[nodiscard]] const std::string& data_folder() const { return folder_.path(); }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] store::Database& database() { return *database_; }
  [[nodiscard]] catalog::Catalog& catalog() { return catalog_; }

 private:
  Foundation(DataFolder folder, const crypto::MasterKey& master_key, std::unique_ptr<store::Database> database);

  DataFolder folder_;
  SystemClock clock_;
  SystemRandom random_;
  crypto::MasterKey master_key_;
  std::unique_ptr<store::Database> database_;
  catalog::Catalog catalog_;
};

}  // namespace glovebox::app
