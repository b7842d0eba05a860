// SPDX-License-Identifier: Apache-2.0
#include "engine/process_engine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "engine/worker/messages.h"
#include "engine/worker/pool.h"

namespace glovebox::engine {
namespace {

using worker::JobKind;
using worker::Task;

constexpr mode_t kResultMode = 0600;

// Absolute and without links, as the worker will know it once its root is its own.
Result<std::string> RealPath(const std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  if (error) {
    return Status(ErrorCode::kDataLoss, "a table's or volume's file is missing");
  }
  return real.string();
}

// Makes a file that a worker wrote the server's own. An error if it is anything but a plain file.
Status TakeFile(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat found{};
  if (!file.valid() || fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode) || found.st_nlink != 1) {
    return {ErrorCode::kRunFailed, "a job did not leave the file that it should have written"};
  }
  if ((found.st_uid != geteuid() && fchown(file.get(), geteuid(), getegid()) != 0) ||
      fchmod(file.get(), kResultMode) != 0 || fsync(file.get()) != 0) {
    return {ErrorCode::kInternal, "the file of a job cannot be taken over"};
  }
  return {};
}

Status SyncFolder(const std::string& path) {
  const UniqueFd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid() || fsync(folder.get()) != 0) {
    return {ErrorCode::kInternal, "a folder cannot be synced"};
  }
  return {};
}

// A folder beside a table file that is to be written: all that the job may write to. Gone afterwards.
class WorkFolder {
 public:
  static Result<std::unique_ptr<WorkFolder>> Beside(const std::string& target_path) {
    const std::string folder = target_path + ".job";
    GB_RETURN_IF_ERROR(RemoveIfThere(folder));
    GB_RETURN_IF_ERROR(MakeDirectories(folder));
    GB_ASSIGN_OR_RETURN(std::string real, RealPath(folder));
    return std::unique_ptr<WorkFolder>(new WorkFolder(std::move(real), target_path));
  }
  ~WorkFolder() { (void)RemoveIfThere(folder_); }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return folder_; }
  [[nodiscard]] std::string file() const { return folder_ + "/table"; }
  [[nodiscard]] std::string spill() const { return folder_ + "/spill"; }
  // The file that the job wrote becomes the target, durably.
  Status Publish() {
    GB_RETURN_IF_ERROR(TakeFile(file()));
    if (std::rename(file().c_str(), target_path_.c_str()) != 0) {
      return {ErrorCode::kInternal, "a table's file cannot be put into its place"};
    }
    return SyncFolder(std::filesystem::path(target_path_).parent_path().string());
  }

 private:
  WorkFolder(std::string folder, std::string target_path)
      : folder_(std::move(folder)), target_path_(std::move(target_path)) {}
  static Status RemoveIfThere(const std::string& path) { return FileExists(path) ? RemoveTree(path) : Status(); }

  std::string folder_;
  std::string target_path_;
};

// A worker that keeps to its part sends no more; the server would hold it for long.
Status CheckSize(const SelectResult& result) {
  std::size_t cells = 0;
  std::size_t text_bytes = 0;
  for (const std::vector<json::Value>& row : result.rows) {
    cells += row.size();
    for (const json::Value& cell : row) {
      text_bytes += cell.is_string() ? cell.as_string().size() : 0;
    }
  }
  return cells > limits::kResultCellsMax || text_bytes > limits::kResultTextBytesMax
             ? Status(ErrorCode::kRunFailed, "a worker sent a wrong result")
             : Status();
}

bool ReadsRowsOf(const RunAsset& asset, RunMode mode) {
  switch (mode) {
    case RunMode::kPlanOnly:
      return false;
    case RunMode::kPlanAndCheck:
      return asset.role == Role::kOwn;
    case RunMode::kExecute:
      return true;
  }
  return true;
}

// What a recipient may be told of a run that failed (PLANNER.md P13).
bool IsForRecipients(ErrorCode code) {
  // ABORTED is Cancel's; UNAVAILABLE comes before anything ran.
  return IsPlannersRefusal(code) || code == ErrorCode::kAborted || code == ErrorCode::kUnavailable;
}

}  // namespace

class ProcessEngine::Impl {
 public:
  explicit Impl(const ProcessEngineOptions& options)
      : options_(options),
        pool_({.executable = options.executable,
               .size = options.pool_size,
               .unconfined =
                   options.allow_unconfined_workers ? worker::Unconfined::kAllow : worker::Unconfined::kRefuse}) {}

  [[nodiscard]] Task NewTask(JobKind kind) const {
    Task task;
    task.job.kind = kind;
    task.job.limits.memory_bytes = static_cast<std::int64_t>(options_.memory_bytes);
    task.job.limits.threads = static_cast<std::int64_t>(options_.threads);
    task.timeout_ms = options_.timeout_ms;
    return task;
  }
  template <typename T>
  Result<T> Execute(const Task& task) {
    GB_ASSIGN_OR_RETURN(const json::Value reply, pool_.Execute(task));
    Result<T> result = worker::FromJson<T>(reply);
    return result.ok() ? std::move(result) : Result<T>(Status(ErrorCode::kRunFailed, "a worker sent a wrong result"));
  }
  Result<RunResult> Run(const RunRequest& request);

  worker::WorkerPool& pool() { return pool_; }

 private:
  const ProcessEngineOptions options_;
  worker::WorkerPool pool_;
};

ProcessEngine::ProcessEngine(const ProcessEngineOptions& options) : impl_(std::make_unique<Impl>(options)) {}
ProcessEngine::~ProcessEngine() = default;

Result<ConfinementReport> ProcessEngine::SelfTest() { return impl_->pool().SelfTest(); }

Result<SelectResult> ProcessEngine::Select(const SelectRequest& request) {
  Task task = impl_->NewTask(JobKind::kSelect);
  task.cancel_key = request.cancel_key;
  task.cancelled = request.canceled;
  SelectRequest inner = request;
  for (NamedTable& table : inner.tables) {
    GB_ASSIGN_OR_RETURN(table.file.path, RealPath(table.file.path));
    task.confinement.readable_files.push_back(table.file.path);
  }
  for (NamedFile& file : inner.files) {
    GB_ASSIGN_OR_RETURN(file.path, RealPath(file.path));
    task.confinement.readable_files.push_back(file.path);
  }
  std::unique_ptr<WorkFolder> work;
  if (!request.target_path.empty()) {
    GB_ASSIGN_OR_RETURN(work, WorkFolder::Beside(request.target_path));
    inner.target_path = work->file();
    task.job.limits.spill_folder = work->spill();
    task.confinement.writable_folders = {work->path()};
  }
  task.job.request = worker::ToJson(inner);
  GB_ASSIGN_OR_RETURN(SelectResult result, impl_->Execute<SelectResult>(task));
  GB_RETURN_IF_ERROR(CheckSize(result));
  result.file.path = request.target_path;
  if (work != nullptr) {
    GB_RETURN_IF_ERROR(work->Publish());
  }
  return result;
}

Status ProcessEngine::CheckFunction(const Function& function, const std::vector<Function>& others) {
  Task task = impl_->NewTask(JobKind::kCheckFunction);
  task.timeout_ms = limits::kFunctionCheckTimeoutMs;
  task.job.request = worker::ToJson(worker::FunctionCheck{.function = function, .others = others});
  return impl_->pool().Execute(task).status();
}

Result<PreparedAsset> ProcessEngine::Prepare(const PrepareRequest& request) {
  Task task = impl_->NewTask(JobKind::kPrepare);
  PrepareRequest inner = request;
  if (request.target_path.empty()) {
    inner.table.path.clear();
    inner.secrets.clear();
    inner.unit_secret.clear();
    task.timeout_ms = limits::kPlanTimeoutMs;
    task.job.request = worker::ToJson(inner);
    return impl_->Execute<PreparedAsset>(task);
  }
  GB_ASSIGN_OR_RETURN(inner.table.path, RealPath(request.table.path));
  GB_ASSIGN_OR_RETURN(const std::unique_ptr<WorkFolder> work, WorkFolder::Beside(request.target_path));
  inner.target_path = work->file();
  task.confinement = {.readable_files = {inner.table.path}, .writable_folders = {work->path()}};
  task.job.limits.spill_folder = work->spill();
  task.job.request = worker::ToJson(inner);
  GB_ASSIGN_OR_RETURN(PreparedAsset asset, impl_->Execute<PreparedAsset>(task));
  GB_RETURN_IF_ERROR(work->Publish());
  asset.file.path = request.target_path;
  return asset;
}

Result<RunResult> ProcessEngine::Impl::Run(const RunRequest& request) {
  Task task = NewTask(JobKind::kRun);
  task.timeout_ms = request.timeout_ms > 0 ? request.timeout_ms : options_.timeout_ms;
  task.cancel_key = request.output_folder;
  task.cancelled = request.canceled;
  RunRequest inner = request;
  for (std::vector<RunAsset>* assets : {&inner.assets, &inner.earlier_assets}) {
    for (RunAsset& asset : *assets) {
      if (ReadsRowsOf(asset, request.mode)) {
        GB_ASSIGN_OR_RETURN(asset.prepared.file.path, RealPath(asset.prepared.file.path));
        task.confinement.readable_files.push_back(asset.prepared.file.path);
      } else {
        asset.prepared = {.file = {.path = "", .columns = std::move(asset.prepared.file.columns)}, .statistics = {}};
      }
    }
  }
  if (request.mode != RunMode::kExecute) {
    inner.output_folder.clear();
  } else {
    GB_RETURN_IF_ERROR(MakeDirectories(request.output_folder));
    GB_ASSIGN_OR_RETURN(inner.output_folder, RealPath(request.output_folder));
    task.confinement.writable_folders = {inner.output_folder};
    task.job.limits.spill_folder = inner.output_folder + "/.spill";
  }
  task.job.request = worker::ToJson(inner);
  Result<RunResult> result = Execute<RunResult>(task);
  if (!task.job.limits.spill_folder.empty() && FileExists(task.job.limits.spill_folder)) {
    GB_RETURN_IF_ERROR(RemoveTree(task.job.limits.spill_folder));
  }
  const std::string record = inner.output_folder + "/" + kRecordFileName;
  if (request.mode == RunMode::kExecute && FileExists(record) && (result.ok() || !TakeFile(record).ok())) {
    GB_RETURN_IF_ERROR(RemoveTree(record));
  }
  if (!result.ok() || request.mode != RunMode::kExecute) {
    return result;
  }
  for (OutputTable& output : result->outputs) {
    const std::string name = std::filesystem::path(output.file.path).filename().string();
    if (name.empty() || output.file.path != inner.output_folder + "/" + name) {
      return Status(ErrorCode::kRunFailed, "a worker named a file that is not its own");
    }
    GB_RETURN_IF_ERROR(TakeFile(output.file.path));
    output.file.path = request.output_folder + "/" + name;
  }
  if (!result->outputs.empty()) {
    GB_RETURN_IF_ERROR(SyncFolder(inner.output_folder));
  }
  return result;
}

Result<RunResult> ProcessEngine::Run(const RunRequest& request) {
  Result<RunResult> result = impl_->Run(request);
  if (!result.ok() && !IsForRecipients(result.status().code())) {
    return Status(ErrorCode::kRunFailed, "the run failed after it had started");
  }
  return result;
}

void ProcessEngine::Cancel(const std::string& key) { impl_->pool().Cancel(key); }

}  // namespace glovebox::engine
