// SPDX-License-Identifier: Apache-2.0
//
// Output contracts as authors send them: what is accepted is in normal form, and is asked about outputs without harm.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/json.h"
#include "room/contract.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace glovebox;  // NOLINT(google-build-using-namespace): a program of one function
  const Result<json::Value> given = json::Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!given.ok()) {
    return 0;
  }
  const Result<json::Value> contract = room::NormalisedContract(*given);
  if (!contract.ok()) {
    GB_ASSERT(contract.status().code() == ErrorCode::kInvalidParameterValue);
    return 0;
  }
  const Result<json::Value> again = room::NormalisedContract(*contract);
  GB_ASSERT(again.ok() && room::ContractDigest(*again) == room::ContractDigest(*contract));
  engine::OutputTable output;
  output.name = "out";
  output.file.columns = {{"a", "VARCHAR"}};
  static_cast<void>(room::WhyNotConforming(*contract, output, 50));
  return 0;
}
