// SPDX-License-Identifier: Apache-2.0
//
// How cases are made: a property draws a list of numbers, and everything else (tables, rules, queries, spellings) is
// computed from them. Nought is the plainest choice everywhere, and what reads numbers reads always as many: so a case
// that fails shrinks to a room and queries with one oddity each.
//
// RC_PARAMS="max_success=500 seed=7" asks for other cases than the few fixed ones of a normal run.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace glovebox::property {

class Choices {
 public:
  explicit Choices(std::vector<int> numbers) : numbers_(std::move(numbers)) {}

  // Below `bound`; 0 where the numbers have run out.
  std::size_t Below(std::size_t bound) {
    return next_ < numbers_.size() ? static_cast<std::size_t>(numbers_[next_++]) % bound : 0;
  }
  bool OneIn(std::size_t count) { return Below(count) == count - 1; }
  const std::string& Of(const std::vector<std::string>& list) { return list[Below(list.size())]; }
  // The numbers for one part of the case, so that its shrinking moves nothing behind it.
  Choices Part(std::size_t count) {
    std::vector<int> part;
    for (std::size_t i = 0; i < count; ++i, ++next_) {
      part.push_back(next_ < numbers_.size() ? numbers_[next_] : 0);
    }
    return Choices(std::move(part));
  }

 private:
  std::vector<int> numbers_;
  std::size_t next_ = 0;
};

// Runs `property` for `cases` lists of `numbers` numbers (RC_PARAMS may ask for more); it fails the case by throwing
// Refuted. A failure of GoogleTest for the smallest list that is refuted.
using Property = void (*)(Choices choices);
void Check(int cases, std::size_t numbers, Property property);

struct Refuted {
  std::string why;
};

}  // namespace glovebox::property
