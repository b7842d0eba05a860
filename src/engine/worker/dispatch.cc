// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/dispatch.h"

#include "engine/worker/jobs.h"
#include "engine/worker/self_test.h"

namespace glovebox::engine::worker {
namespace {

// Reads the request, does the job, writes its result.
template <typename Request, typename Do>
auto With(const Job& job, Do run) -> decltype(run(std::declval<const Request&>())) {
  GB_ASSIGN_OR_RETURN(const Request request, FromJson<Request>(job.request));
  return run(request);
}

template <typename T>
Result<json::Value> AsJson(const Result<T>& result) {
  return result.ok() ? Result<json::Value>(ToJson(*result)) : Result<json::Value>(result.status());
}

}  // namespace

Result<json::Value> Dispatch(const Job& job, const BarrierReport& report, JobDatabase& database) {
  if (job.kind != JobKind::kSelfTest) {
    GB_RETURN_IF_ERROR(database.SetLimits(job.limits));
  }
  switch (job.kind) {
    case JobKind::kSelfTest: {
      GB_ASSIGN_OR_RETURN(const BarrierReport tried, TryToGetOut(report));
      return ToJson(tried);
    }
    case JobKind::kSelect:
      return With<SelectRequest>(job, [&](const SelectRequest& r) { return AsJson(RunSelectJob(r, database)); });
    case JobKind::kCheckFunction:
      return With<FunctionCheck>(job, [&](const FunctionCheck& r) {
        const Status checked = RunCheckFunctionJob(r, database);
        return checked.ok() ? Result<json::Value>(json::Value()) : Result<json::Value>(checked);
      });
    case JobKind::kPrepare:
      return With<PrepareRequest>(job, [&](const PrepareRequest& r) { return AsJson(RunPrepareJob(r, database)); });
    case JobKind::kRun:
      return With<RunRequest>(job, [&](const RunRequest& r) { return AsJson(RunGovernedRunJob(r, database)); });
  }
  return Status(ErrorCode::kInternal, "a worker was given a job of no kind");
}

}  // namespace glovebox::engine::worker
