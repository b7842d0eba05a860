// SPDX-License-Identifier: Apache-2.0
#include "app/foundation.h"

#include <utility>
#include <vector>

#include "base/file.h"
#include "catalog/migrations.h"
#include "room/migrations.h"

namespace glovebox::app {
namespace {

constexpr std::string_view kKeyCheck = "glovebox master key";

const store::Migration kServer = {200, "server", R"(
CREATE TABLE server (id INTEGER PRIMARY KEY CHECK (id = 1), key_check BLOB NOT NULL);
)"};

// What is sealed opens under the key that it was sealed with and no other, so a fresh key next to an old database would
// lose all of it.
Result<crypto::MasterKey> ReadMasterKey(const DataFolder& folder, Random& random) {
  const std::string path = folder.File("master.key");
  if (FileExists(path)) {
    return crypto::MasterKey::Load(path);
  }
  if (FileExists(folder.File("glovebox.db"))) {
    return Status(ErrorCode::kDataLoss,
                  "The master key '" + path +
                      "' is missing, and the database beside it is sealed with it: restore master.key from its backup. "
                      "Without it the secrets and signing keys of this data folder cannot be read.");
  }
  return crypto::MasterKey::Create(path, random);
}

// A value that only the right key opens. Sealed at the first start.
Status CheckMasterKey(store::Database& database, const crypto::MasterKey& key, Random& random,
                      const std::string& path) {
  GB_ASSIGN_OR_RETURN(const auto transaction, database.Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const auto row, transaction->QueryOne("SELECT key_check FROM server WHERE id = 1", {}));
  if (!row.has_value()) {
    const store::Blob sealed{key.Seal(kKeyCheck, kKeyCheck, random)};
    GB_RETURN_IF_ERROR(transaction->Execute("INSERT INTO server (id, key_check) VALUES (1, ?)", {sealed}).status());
    return transaction->Commit();
  }
  if (!key.Open(row->Bytes(0), kKeyCheck).ok()) {
    return Status(ErrorCode::kDataLoss, "The master key '" + path +
                                            "' is not the one that the database beside it is sealed with: restore the "
                                            "right one from its backup.");
  }
  return {};
}

}  // namespace

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
  GB_ASSIGN_OR_RETURN(const crypto::MasterKey master_key, ReadMasterKey(folder, random));
  GB_ASSIGN_OR_RETURN(std::unique_ptr<store::Database> database, store::OpenSqlite(folder.File("glovebox.db")));
  std::vector<store::Migration> migrations = catalog::Migrations();
  for (const store::Migration& migration : room::Migrations()) {
    migrations.push_back(migration);
  }
  migrations.push_back(kServer);
  GB_RETURN_IF_ERROR(store::Migrate(*database, migrations));
  GB_RETURN_IF_ERROR(CheckMasterKey(*database, master_key, random, folder.File("master.key")));
  return std::unique_ptr<Foundation>(new Foundation(std::move(folder), master_key, std::move(database)));
}

}  // namespace glovebox::app
