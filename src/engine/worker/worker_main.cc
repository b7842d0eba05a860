// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/worker_main.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/limits.h"
#include "engine/worker/dispatch.h"
#include "engine/worker/frames.h"
#include "engine/worker/job_database.h"
#include "engine/worker/messages.h"

namespace glovebox::engine::worker {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitBadStart = 2;
constexpr int kExitNoReply = 3;
constexpr rlim_t kCpuSecondsGrace = 1;  // between the signal that can be told apart and the end

bool Limit(int resource, std::uint64_t soft, std::uint64_t hard) {
  const rlimit limit{.rlim_cur = soft, .rlim_max = hard};
  return setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

// What holds before anything is read.
bool HardenStart() {
  int type = 0;
  socklen_t size = sizeof(type);
  if (getsockopt(kWorkerSocket, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
      clearenv() != 0) {  // NOLINT(concurrency-mt-unsafe): nothing else runs yet
    return false;
  }
  umask(077);
  return close_range(kWorkerSocket + 1, ~0U, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
         Limit(RLIMIT_CORE, 0, 0) && Limit(RLIMIT_NOFILE, limits::kWorkerOpenFilesMax, limits::kWorkerOpenFilesMax) &&
         Limit(RLIMIT_FSIZE, limits::kWorkerFileBytesMax, limits::kWorkerFileBytesMax);
}

// Opens the job's database and touches what the job will need while there is time: the library's pages, the parser.
Result<JobDatabase> WarmUp() {
  GB_ASSIGN_OR_RETURN(JobDatabase database, JobDatabase::Open());
  GB_RETURN_IF_ERROR(database.connection().ParseToJson("SELECT 1").status());
  return database;
}

Status ApplyLimits(const WorkerSetup& setup) {
  const auto address_space = static_cast<rlim_t>(setup.address_space_bytes);
  const auto cpu_seconds = static_cast<rlim_t>(setup.cpu_seconds);
  if (setup.address_space_bytes <= 0 || setup.cpu_seconds <= 0 || !Limit(RLIMIT_AS, address_space, address_space) ||
      !Limit(RLIMIT_CPU, cpu_seconds, cpu_seconds + kCpuSecondsGrace)) {
    return {ErrorCode::kInternal, "a worker cannot set its limits"};
  }
  return {};
}

Result<json::Value> ReadMessage(std::size_t bytes_max) {
  GB_ASSIGN_OR_RETURN(std::string text, ReadFrame(kWorkerSocket, bytes_max, kNoDeadline));
  Result<json::Value> message = ParseMessage(text);
  explicit_bzero(text.data(), text.size());  // secrets may be in it
  return message;
}

Result<json::Value> DoJob(JobDatabase& database) {
  GB_ASSIGN_OR_RETURN(const json::Value setup_message, ReadMessage(limits::kWorkerSetupBytesMax));
  GB_ASSIGN_OR_RETURN(const WorkerSetup setup, FromJson<WorkerSetup>(setup_message));
  GB_RETURN_IF_ERROR(ApplyLimits(setup));
  GB_ASSIGN_OR_RETURN(const BarrierReport report, Confine(setup.confinement));
  if (setup.unconfined == Unconfined::kRefuse && !(report.HoldsFiles() && report.HoldsNetwork())) {
    return Status(ErrorCode::kUnavailable,
                  "this machine offers neither Landlock nor namespaces to confine a job; runs are refused");
  }
  GB_ASSIGN_OR_RETURN(const json::Value job_message, ReadMessage(limits::kWorkerMessageBytesMax));
  GB_ASSIGN_OR_RETURN(const Job job, FromJson<Job>(job_message));
  return Dispatch(job, report, database);
}

}  // namespace

int WorkerMain() {
  if (!HardenStart()) {
    return kExitBadStart;
  }
  Result<JobDatabase> database = WarmUp();
  if (!database.ok() || !WriteFrame(kWorkerSocket, kReady, End::kWorker, kNoDeadline).ok()) {
    return kExitBadStart;
  }
  std::string reply = EncodeReply(DoJob(*database));
  if (reply.size() > limits::kWorkerMessageBytesMax) {
    reply = EncodeReply(Status(ErrorCode::kResourceExhausted, "the result is too large to be handed back"));
  }
  const bool written = WriteFrame(kWorkerSocket, reply, End::kWorker, kNoDeadline).ok();
  // Without destructors of static objects: there is nothing left to save, and the parent waits.
  _exit(written ? kExitOk : kExitNoReply);
}

}  // namespace glovebox::engine::worker
