// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>  // mkdtemp

#include <chrono>
#include <condition_variable>
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

// The right to write, which one transaction has at a time. Not a timed mutex: the thread sanitizer of GCC 12 does not
// see when one of those is taken.
class WriteTurns {
 public:
  struct GiveBack {
    void operator()(WriteTurns* turns) const { turns->Return(); }
  };
  using Turn = std::unique_ptr<WriteTurns, GiveBack>;  // REQUIRES: its WriteTurns outlives it

  // Null if nobody gives it back in time.
  Turn Take(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, timeout, [this] { return !taken_; })) {
      return nullptr;
    }
    taken_ = true;
    return Turn(this);
  }

 private:
  void Return() {
    {
      const std::lock_guard lock(mutex_);
      taken_ = false;
    }
    returned_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable returned_;
  bool taken_ = false;
};

class SqliteTransaction final : public Transaction {
 public:
  SqliteTransaction(Pool& pool, std::unique_ptr<SqliteConnection> connection, Access access, WriteTurns::Turn turn)
      : pool_(pool), turn_(std::move(turn)), connection_(std::move(connection)), access_(access) {}

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
    turn_.reset();
    return Status();
  }

 private:
  Pool& pool_;
  WriteTurns::Turn turn_;                         // null for a reader, and once committed
  std::unique_ptr<SqliteConnection> connection_;  // null once committed
  const Access access_;
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
    WriteTurns::Turn turn;
    if (access == Access::kWrite) {
      turn = write_turns_.Take(std::chrono::milliseconds(limits::kStoreWriteWaitMs));
      if (turn == nullptr) {
        return Status(ErrorCode::kUnavailable, "Too many changes are waiting for the metadata database; retry later.");
      }
    }
    GB_ASSIGN_OR_RETURN(auto connection, pool_->Take());
    GB_RETURN_IF_ERROR(connection->Simple(access == Access::kWrite ? "BEGIN IMMEDIATE" : "BEGIN"));
    return std::unique_ptr<Transaction>(
        std::make_unique<SqliteTransaction>(*pool_, std::move(connection), access, std::move(turn)));
  }

 private:
  const std::string private_folder_;
  WriteTurns write_turns_;
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
