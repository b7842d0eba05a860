// SPDX-License-Identifier: Apache-2.0
//
// What a worker that was taken over could send to the server, and what the server sends to a worker.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/worker/messages.h"

namespace {

// Whatever is accepted must survive a round trip.
template <typename T>
void Check(const glovebox::json::Value& value) {
  using glovebox::engine::worker::FromJson;
  using glovebox::engine::worker::ToJson;
  const auto message = FromJson<T>(value);
  if (message.ok()) {
    const glovebox::json::Value once = ToJson(*message);
    const auto again = FromJson<T>(once);
    if (!again.ok() || !(ToJson(*again) == once)) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace engine = glovebox::engine;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)engine::worker::DecodeReply(text);
  const auto value = engine::worker::ParseMessage(text);
  if (!value.ok()) {
    return 0;
  }
  Check<engine::worker::WorkerSetup>(*value);
  Check<engine::worker::Job>(*value);
  Check<engine::worker::FunctionCheck>(*value);
  Check<engine::SelectRequest>(*value);
  Check<engine::SelectResult>(*value);
  Check<engine::PrepareRequest>(*value);
  Check<engine::PreparedAsset>(*value);
  Check<engine::RunRequest>(*value);
  Check<engine::RunResult>(*value);
  return 0;
}
