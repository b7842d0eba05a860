// SPDX-License-Identifier: Apache-2.0
#include "tests/property/choices.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string_view>

namespace glovebox::property {
namespace {

using Numbers = std::vector<int>;

constexpr int kNumberBound = 1 << 16;
constexpr std::uint64_t kSeed = 20'261'123;
constexpr std::size_t kShrinksMax = 250;  // a case takes a second on a busy machine

// Plainer lists: halves, quarters, ..., single numbers that are nought.
rc::Seq<Numbers> Plainer(const Numbers& numbers) {
  std::vector<Numbers> out;
  for (std::size_t size = (numbers.size() + 1) / 2; size > 0; size /= 2) {
    for (std::size_t first = 0; first < numbers.size(); first += size) {
      Numbers plainer = numbers;
      const auto begin = plainer.begin() + static_cast<std::ptrdiff_t>(first);
      std::fill(begin, begin + static_cast<std::ptrdiff_t>(std::min(size, numbers.size() - first)), 0);
      if (plainer != numbers) {
        out.push_back(std::move(plainer));
      }
    }
  }
  return rc::seq::fromContainer(std::move(out));
}

// Refuted cases, so that each is tried once, and an end of the search for a plainer one.
class Refutations {
 public:
  explicit Refutations(Property property) : property_(property) {}

  // Empty: the case holds, or is not tried any more.
  std::string Try(const Numbers& numbers) {
    if (const auto known = known_.find(numbers); known != known_.end()) {
      return known->second;
    }
    if (!known_.empty() && ++shrinks_ > kShrinksMax) {
      return "";
    }
    try {
      property_(Choices(numbers));
    } catch (const Refuted& refuted) {
      known_[numbers] = refuted.why;
      return refuted.why;
    }
    return "";
  }

 private:
  Property property_;
  std::map<Numbers, std::string> known_;
  std::size_t shrinks_ = 0;
};

}  // namespace

void Check(int cases, std::size_t numbers, Property property) {
  const char* given = std::getenv("RC_PARAMS");  // NOLINT(concurrency-mt-unsafe): tests have one thread
  const std::string_view asked = given == nullptr ? "" : given;
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.seed = asked.find("seed=") == std::string_view::npos ? kSeed : params.seed;
  params.maxSuccess = asked.find("max_success=") == std::string_view::npos ? cases : params.maxSuccess;
  const auto number = rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, kNumberBound));
  const auto list = rc::gen::shrink(rc::gen::noShrink(rc::gen::container<Numbers>(numbers, number)),
                                    [](const Numbers& refuted) { return Plainer(refuted); });
  Refutations refutations(property);
  const auto testable = [&] {
    if (const std::string why = refutations.Try(*list); !why.empty()) {
      RC_FAIL(why);
    }
  };
  const auto result = rc::detail::checkTestable(testable, rc::detail::TestMetadata(), params);
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  EXPECT_TRUE(result.template is<rc::detail::SuccessResult>()) << text.str();
}

}  // namespace glovebox::property
