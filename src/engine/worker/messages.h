// SPDX-License-Identifier: Apache-2.0
//
// Requests and results of engine.h as JSON, for the socket between the server and a worker.
//
// A worker first gets a WorkerSetup, confines itself to it, and only then reads its Job. It answers with one reply: a
// result or a Status. Reading is strict on both sides: a missing member or a wrong kind is an error. What comes from a
// worker is judged as if its author had written it; paths in it are checked or replaced by the reader.
//
// Secrets are base64 in the job alone and in nothing that is logged.
// Errors: MALFORMED_REQUEST, naming the member. Threads: pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"
#include "engine/worker/barrier.h"

namespace glovebox::engine::worker {

enum class JobKind { kSelfTest, kSelect, kCheckFunction, kPrepare, kRun };
// What a worker does when files or the network are not held.
enum class Unconfined { kRefuse, kAllow };

struct WorkerSetup {
  Confinement confinement;
  Unconfined unconfined = Unconfined::kRefuse;
  std::int64_t address_space_bytes = 0;
  std::int64_t cpu_seconds = 0;
};

// How much of the machine the job's database may use, and where it may spill ("" for nowhere).
struct JobLimits {
  std::int64_t memory_bytes = 0;
  std::int64_t threads = 0;
  std::string spill_folder;
};

struct Job {
  JobKind kind = JobKind::kSelfTest;
  JobLimits limits;
  json::Value request;
};

struct FunctionCheck {
  Function function;
  std::vector<Function> others;
};

// T is one of: WorkerSetup, Job, SelectRequest, SelectResult, FunctionCheck, PrepareRequest, PreparedAsset, RunRequest,
// RunResult.
template <typename T>
json::Value ToJson(const T& value);
template <typename T>
Result<T> FromJson(const json::Value& value);

// Replies: {"ok": result} or {"error": {...}} with code, message, rule and position.
std::string EncodeReply(const Result<json::Value>& result);
// The result, or the Status that the worker sent. RUN_FAILED if the text is no reply.
Result<json::Value> DecodeReply(std::string_view text);

// Parse with the limits of messages.
Result<json::Value> ParseMessage(std::string_view text);

}  // namespace glovebox::engine::worker
