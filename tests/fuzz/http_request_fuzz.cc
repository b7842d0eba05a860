// SPDX-License-Identifier: Apache-2.0
//
// Requests on the wire: how the bytes are cut into packets changes nothing, and what is accepted is
// within the limits. The first byte of the input says how they are cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "http/request_parser.h"

namespace {

using glovebox::Result;
using glovebox::http::RequestParser;

constexpr std::size_t kHeadMax = 4'096;
constexpr std::uint64_t kBodyMax = 10'000;

struct Outcome {
  bool done = false;
  std::string target;
  std::string body;
};

Outcome Parse(std::string_view bytes, std::size_t step) {
  RequestParser parser(kHeadMax, kBodyMax);
  Outcome outcome;
  std::string input;
  while (!bytes.empty() && !parser.done()) {
    input.append(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
    std::size_t used = 1;
    while (used != 0 && !input.empty() && !parser.done()) {
      const Result<std::size_t> result =
          parser.head_done() ? parser.ParseBody(input, outcome.body) : parser.ParseHead(input);
      if (!result.ok()) {
        return {};
      }
      used = *result;
      GB_ASSERT(used <= input.size());
      input.erase(0, used);
    }
  }
  if (!parser.done()) {
    return {};
  }
  outcome.done = true;
  outcome.target = parser.head().target;
  GB_ASSERT(outcome.body.size() <= kBodyMax && outcome.target.size() <= kHeadMax);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome stepwise = Parse(bytes, std::size_t{data[0]} + 1);
  const Outcome whole = Parse(bytes, bytes.size());
  // A request whose head is near its limit may be refused in one of the two only.
  if (stepwise.done && whole.done) {
    GB_ASSERT(stepwise.body == whole.body && stepwise.target == whole.target);
  }
  return 0;
}
