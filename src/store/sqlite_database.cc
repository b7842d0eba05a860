// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>  // mkdtemp

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/errors.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/result.h"
#include "store/database.h"
#include "store/sqlite_connection.h"

namespace glovebox::store {
namespace {

// Connections that are not in use. A transaction takes one and gives it back when it has ended cleanly.
class Pool {
 public:
  explicit Pool(std::string path) : path_(std::move(path)) {}

  Result<std::unique_ptr<SqliteConnection>> Take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    return SqliteConnection::Open(path_);
  }

  void Give(std::unique_ptr<SqliteConnection> connection) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < limits::kStoreIdleConnectionsMax) {
      idle_.push_back(std::move(connection));
    }
  }

 private:
  const std::string path_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_;
};

class SqliteTransaction final : public Transaction {
 public:
  SqliteTransaction(Pool& pool, std::unique_ptr<SqliteConnection> connection, Access access,
                    std::unique_lock<std::timed_mutex> write_lock)
      : pool_(pool), connection_(std::move(connection)), access_(access), write_lock_(std::move(write_lock)) {}

  ~SqliteTransaction() override {
    if (connection_ != nullptr && connection_->Simple("ROLLBACK").ok()) {
      pool_.Give(std::move(connection_));
    }
  }

  Result<std::int64_t> Execute(std::string_view sql, const std::vector<Value>& parameters) override {
    GB_ASSERT(connection_ != nullptr);
    std::int64_t changes = 0;
    auto rows = connection_->Run(sql, parameters, access_, &changes);
    if (!rows.ok()) {
      return rows.status();
    }
    return changes;
  }

  Result<std::vector<Row>> Query(std::string_view sql, const std::vector<Value>& parameters) override {
    GB_ASSERT(connection_ != nullptr);
    return connection_->Run(sql, parameters, access_, nullptr);
  }

  Status Commit() override {
    GB_ASSERT(connection_ != nullptr);
    GB_RETURN_IF_ERROR(connection_->Simple("COMMIT"));
    pool_.Give(std::move(connection_));
    if (write_lock_.owns_lock()) {
      write_lock_.unlock();
    }
    return Status();
  }

 private:
  Pool& pool_;
  std::unique_ptr<SqliteConnection> connection_;  // null once committed
  const Access access_;
  std::unique_lock<std::timed_mutex> write_lock_;
};

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(std::string path, std::string private_folder)
      : private_folder_(std::move(private_folder)), pool_(std::make_unique<Pool>(std::move(path))) {}

  ~SqliteDatabase() override {
    pool_.reset();
    if (!private_folder_.empty()) {
      static_cast<void>(RemoveTree(private_folder_));
    }
  }

  Result<std::unique_ptr<Transaction>> Begin(Access access) override {
    std::unique_lock<std::timed_mutex> lock(write_mutex_, std::defer_lock);
    if (access == Access::kWrite && !lock.try_lock_for(std::chrono::milliseconds(limits::kStoreWriteWaitMs))) {
      return Status(ErrorCode::kUnavailable, "Too many changes are waiting for the metadata database; retry later.");
    }
    GB_ASSIGN_OR_RETURN(auto connection, pool_->Take());
    GB_RETURN_IF_ERROR(connection->Simple(access == Access::kWrite ? "BEGIN IMMEDIATE" : "BEGIN"));
    return std::unique_ptr<Transaction>(
        std::make_unique<SqliteTransaction>(*pool_, std::move(connection), access, std::move(lock)));
  }

 private:
  const std::string private_folder_;
  std::timed_mutex write_mutex_;
  std::unique_ptr<Pool> pool_;
};

// SQLite's own databases in memory know no WAL, so that readers and writers would wait for each other as they never do
// on a file. A private file on a file system in memory behaves like the real thing.
Result<std::string> MakePrivateFolder() {
  std::string folder = FileExists("/dev/shm") ? "/dev/shm/glovebox-XXXXXX" : "/tmp/glovebox-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    return Status(ErrorCode::kUnavailable, "No private folder can be made for a database in memory.");
  }
  return folder;
}

}  // namespace

Result<std::unique_ptr<Database>> OpenSqlite(const std::string& path) {
  std::string private_folder;
  std::string file = path;
  if (path == ":memory:") {
    GB_ASSIGN_OR_RETURN(private_folder, MakePrivateFolder());
    file = private_folder + "/metadata.db";
  }
  auto database = std::make_unique<SqliteDatabase>(file, private_folder);
  // The first transaction shows at once whether the file can be used.
  GB_ASSIGN_OR_RETURN(auto transaction, database->Begin(Access::kWrite));
  GB_RETURN_IF_ERROR(transaction->Commit());
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace glovebox::store
