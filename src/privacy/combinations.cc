// SPDX-License-Identifier: Apache-2.0
#include "privacy/combinations.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "base/assert.h"
#include "base/limits.h"

namespace glovebox::privacy {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61U) - 1;

std::uint64_t Multiply(std::uint64_t a, std::uint64_t b) { return static_cast<std::uint64_t>(Wide{a} * b % kPrime); }

// Any order that has nothing to do with the atoms will do (the finaliser of SplitMix64).
std::uint64_t Scatter(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

std::uint64_t Add(std::uint64_t a, std::uint64_t b) { return (a + b) % kPrime; }

std::uint64_t Negative(std::uint64_t a) { return a == 0 ? 0 : kPrime - a; }

// By Fermat: a^(p-2).
std::uint64_t Inverse(std::uint64_t a) {
  std::uint64_t out = 1;
  for (std::uint64_t exponent = kPrime - 2; exponent > 0; exponent >>= 1U) {
    out = (exponent & 1U) != 0 ? Multiply(out, a) : out;
    a = Multiply(a, a);
  }
  return out;
}

using Vector = std::vector<std::pair<std::size_t, std::uint64_t>>;

// a + factor * b
Vector Plus(const Vector& a, const Vector& b, std::uint64_t factor) {
  Vector out;
  out.reserve(a.size() + b.size());
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (j == b.size() || (i < a.size() && a[i].first < b[j].first)) {
      out.push_back(a[i++]);
    } else if (i == a.size() || b[j].first < a[i].first) {
      out.emplace_back(b[j].first, Multiply(b[j].second, factor));
      ++j;
    } else {
      if (const std::uint64_t sum = Add(a[i].second, Multiply(b[j].second, factor)); sum != 0) {
        out.emplace_back(a[i].first, sum);
      }
      ++i;
      ++j;
    }
  }
  return out;
}

std::uint64_t At(const Vector& vector, std::size_t index) {
  const auto found = std::ranges::lower_bound(vector, index, {}, &Vector::value_type::first);
  return found != vector.end() && found->first == index ? found->second : 0;
}

}  // namespace

// The combinations of a basis, by parameter.
struct Combinations::Basis {
  std::map<std::size_t, Vector> weights;  // of bundles
  std::map<std::size_t, Vector> factors;  // of cells
};

Combinations::Combinations(std::size_t cells, std::size_t steps_max) : steps_max_(steps_max) {
  for (std::size_t cell = 0; cell < cells; ++cell) {
    rows_.push_back({{cell, 1}});
    holders_.push_back({cell});
  }
}

Vector Combinations::WeightOf(const std::vector<CellIndex>& cells) const {
  Vector out;
  for (const CellIndex cell : cells) {
    GB_ASSERT(cell < rows_.size());
    steps_ += 1 + out.size() + rows_[cell].size();
    out = Plus(out, rows_[cell], 1);
  }
  return out;
}

void Combinations::Cancel(const std::vector<CellIndex>& cells) {
  if (IsExhausted()) {
    return;
  }
  const Vector weight = WeightOf(cells);
  if (weight.empty()) {
    return;
  }
  const auto pivot = std::ranges::min_element(
      weight, {}, [this](const Vector::value_type& entry) { return holders_[entry.first].size(); });
  Substitute(weight, pivot->first, Keep::kNothing);
}

void Combinations::Substitute(const Vector& weight, std::size_t pivot, Keep keep) {
  const std::uint64_t inverse = Inverse(At(weight, pivot));
  const std::vector<CellIndex> holders = std::move(holders_[pivot]);
  holders_[pivot].clear();
  for (const CellIndex cell : holders) {
    const std::uint64_t factor = Multiply(At(rows_[cell], pivot), inverse);
    if (factor == 0) {
      continue;
    }
    steps_ += rows_[cell].size() + weight.size();
    rows_[cell] = Plus(rows_[cell], weight, Negative(factor));
    if (keep == Keep::kWeight) {
      rows_[cell] = Plus(rows_[cell], {{pivot, factor}}, 1);
      holders_[pivot].push_back(cell);
    }
    for (const auto& [parameter, value] : weight) {
      if (parameter != pivot) {
        holders_[parameter].push_back(cell);
      }
    }
  }
  for (const auto& [parameter, value] : weight) {
    std::vector<CellIndex>& of = holders_[parameter];
    std::ranges::sort(of);
    const auto [first, last] = std::ranges::unique(of);
    of.erase(first, last);
  }
}

std::vector<Combinations::Bundle> Combinations::BundlesOf(const std::vector<Atom>& atoms) const {
  std::vector<Bundle> out;
  std::map<Vector, std::size_t> known;
  for (std::size_t a = 0; a < atoms.size() && !IsExhausted(); ++a) {
    Vector weight = atoms[a].large ? Vector() : WeightOf(atoms[a].cells);
    if (weight.empty()) {
      continue;
    }
    const std::uint64_t inverse = Inverse(weight.front().second);
    for (auto& [parameter, value] : weight) {
      value = Multiply(value, inverse);
    }
    const auto [entry, is_new] = known.try_emplace(std::move(weight), out.size());
    if (is_new) {
      out.push_back({atoms[a].cells, {}, 0});
    }
    out[entry->second].atoms.push_back(a);
    out[entry->second].weight += atoms[a].weight;
  }
  return out;
}

Combinations::Basis Combinations::Reduce(const std::vector<Bundle>& bundles,
                                         const std::vector<std::size_t>& order) const {
  Combinations reduced = *this;
  Basis out;
  for (const std::size_t b : order) {
    const Vector weight = reduced.WeightOf(bundles[b].cells);
    const auto pivot = std::ranges::find_if(
        weight, [&out](const Vector::value_type& entry) { return !out.weights.contains(entry.first); });
    if (pivot == weight.end() || reduced.IsExhausted()) {
      continue;
    }
    const std::size_t parameter = pivot->first;
    reduced.Substitute(weight, parameter, Keep::kWeight);
    out.weights[parameter];
  }
  for (std::size_t b = 0; b < bundles.size() && !reduced.IsExhausted(); ++b) {
    for (const auto& [parameter, value] : reduced.WeightOf(bundles[b].cells)) {
      out.weights[parameter].emplace_back(b, value);
    }
  }
  for (CellIndex cell = 0; cell < rows_.size(); ++cell) {
    for (const auto& [parameter, value] : reduced.rows_[cell]) {
      out.factors[parameter].emplace_back(cell, value);
    }
  }
  steps_ = reduced.steps_;
  return out;
}

namespace {

// Factors of b with which the sum of both has a zero more.
std::set<std::uint64_t> FactorsOf(const Vector& a, const Vector& b) {
  std::set<std::uint64_t> out;
  for (const auto& [index, value] : a) {
    if (const std::uint64_t other = At(b, index); other != 0) {
      out.insert(Negative(Multiply(value, Inverse(other))));
    }
  }
  return out;
}

}  // namespace

Result<std::optional<Telling>> Combinations::Find(
    const std::vector<Atom>& atoms, const std::function<Result<bool>(const std::vector<std::size_t>&)>& is_few,
    const std::function<bool(CellIndex)>& is_ours) const {
  const std::vector<Bundle> bundles = BundlesOf(atoms);
  std::vector<std::size_t> order(bundles.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t b) { return bundles[b].weight; });

  const auto look = [&](const Vector& weights, const Vector& factors) -> Result<std::optional<Telling>> {
    Telling telling;
    for (const auto& [cell, factor] : factors) {
      telling.cells.push_back(cell);
    }
    if (weights.empty() || std::ranges::none_of(telling.cells, is_ours)) {
      return std::optional<Telling>();
    }
    for (const auto& [bundle, weight] : weights) {
      telling.atoms.insert(telling.atoms.end(), bundles[bundle].atoms.begin(), bundles[bundle].atoms.end());
    }
    steps_ += telling.atoms.size();
    GB_ASSIGN_OR_RETURN(const bool few, is_few(telling.atoms));
    return few ? std::optional(std::move(telling)) : std::nullopt;
  };

  for (std::size_t round = 0; round <= limits::kCombinationOrders; ++round) {
    const Basis basis = Reduce(bundles, order);
    if (IsExhausted()) {
      break;
    }
    for (const auto& [parameter, weights] : basis.weights) {
      GB_ASSIGN_OR_RETURN(auto telling, look(weights, basis.factors.at(parameter)));
      if (telling) {
        return telling;
      }
    }
    if (basis.weights.size() <= 1) {
      break;
    }
    if (round == 0) {
      GB_ASSIGN_OR_RETURN(auto telling, LookAtPairs(basis, look));
      if (telling) {
        return telling;
      }
    }
    std::ranges::sort(order, {}, [round](std::size_t b) { return Scatter(round * kPrime + b); });
  }
  return std::optional<Telling>();
}

Result<std::optional<Telling>> Combinations::LookAtPairs(const Basis& basis, const Look& look) const {
  for (auto one = basis.weights.begin(); one != basis.weights.end(); ++one) {
    for (auto other = std::next(one); other != basis.weights.end(); ++other) {
      steps_ += one->second.size();
      for (const std::uint64_t factor : FactorsOf(one->second, other->second)) {
        if (IsExhausted()) {
          return std::optional<Telling>();
        }
        const Vector& factors = basis.factors.at(one->first);
        const Vector& others = basis.factors.at(other->first);
        steps_ += one->second.size() + other->second.size() + factors.size() + others.size();
        GB_ASSIGN_OR_RETURN(auto telling,
                            look(Plus(one->second, other->second, factor), Plus(factors, others, factor)));
        if (telling) {
          return telling;
        }
      }
    }
  }
  return std::optional<Telling>();
}

}  // namespace glovebox::privacy
