// SPDX-License-Identifier: Apache-2.0
#include "app/foundation.h"

#include <utility>
#include <vector>

#include "catalog/migrations.h"
#include "room/migrations.h"

namespace glovebox::app {

Foundation::Foundation(DataFolder folder, const crypto::MasterKey& master_key,
                       std::unique_ptr<store::Database> database)
    : folder_(std::move(folder)),
      master_key_(master_key),
      database_(std::move(database)),
      catalog_(catalog::Context{.database = database_.get(),
                                .clock = &clock_,
                                .random = &random_,
                                .master_key = &master_key_,
                                .data_folder = folder_.path()}) {}

Result<std::unique_ptr<Foundation>> Foundation::Open(const std::string& data_folder) {
  GB_ASSIGN_OR_RETURN(DataFolder folder, DataFolder::Open(data_folder));
  SystemRandom random;
  GB_ASSIGN_OR_RETURN(const crypto::MasterKey master_key,
                      crypto::MasterKey::LoadOrCreate(folder.File("master.key"), random));
  GB_ASSIGN_OR_RETURN(std::unique_ptr<store::Database> database, store::OpenSqlite(folder.File("glovebox.db")));
  std::vector<store::Migration> migrations = catalog::Migrations();
  for (const store::Migration& migration : room::Migrations()) {
    migrations.push_back(migration);
  }
  GB_RETURN_IF_ERROR(store::Migrate(*database, migrations));
  return std::unique_ptr<Foundation>(new Foundation(std::move(folder), master_key, std::move(database)));
}

}  // namespace glovebox::app
