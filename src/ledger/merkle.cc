// SPDX-License-Identifier: Apache-2.0
#include "ledger/merkle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "crypto/hash.h"

namespace glovebox::ledger {
namespace {

constexpr char kLeafPrefix = '\x00';
constexpr char kNodePrefix = '\x01';

// The largest power of two that is smaller than n. REQUIRES: n >= 2.
std::uint64_t SplitPoint(std::uint64_t n) { return std::bit_floor(n - 1); }

// One step up on the path of RFC 9162 section 2.1.3.2: `index` is a node's number in its level, `last`
// that of the level's last node.
struct Path {
  std::uint64_t index;
  std::uint64_t last;

  [[nodiscard]] bool IsRightOrLast() const { return (index & 1U) != 0 || index == last; }
  void Up() {
    index >>= 1U;
    last >>= 1U;
  }
  // A last node without a sibling moves up unhashed until it is a right child.
  void SkipLonelyLevels() {
    while (index != 0 && (index & 1U) == 0) {
      Up();
    }
  }
};

}  // namespace

Hash RawHash(std::string_view bytes) { return crypto::Sha256::Of(bytes); }

Hash LeafHash(std::string_view entry) {
  return crypto::Sha256().Update(std::string_view(&kLeafPrefix, 1)).Update(entry).Finish();
}

Hash NodeHash(const Hash& left, const Hash& right) {
  std::array<char, 1 + 2 * kHashBytes> input{};
  input[0] = kNodePrefix;
  std::copy(left.begin(), left.end(), input.begin() + 1);
  std::copy(right.begin(), right.end(), input.begin() + 1 + kHashBytes);
  return RawHash(std::string_view(input.data(), input.size()));
}

Hash EmptyRoot() { return RawHash(""); }

std::string HashBytes(const Hash& hash) { return crypto::ToString(hash); }

std::optional<Hash> HashFromBytes(std::string_view bytes) {
  if (bytes.size() != kHashBytes) {
    return std::nullopt;
  }
  Hash hash{};
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

std::string HashHex(const Hash& hash) { return HexEncode(crypto::Bytes(hash)); }

void Tree::Append(const Hash& leaf) {
  Hash hash = leaf;
  for (std::size_t level = 0;; ++level) {
    if (level == levels_.size()) {
      levels_.emplace_back();
    }
    std::vector<Hash>& nodes = levels_[level];
    nodes.push_back(hash);
    if (nodes.size() % 2 != 0) {
      return;
    }
    hash = NodeHash(nodes[nodes.size() - 2], nodes[nodes.size() - 1]);
  }
}

const Hash& Tree::Node(std::size_t level, std::uint64_t index) const {
  GB_ASSERT(level < levels_.size() && index < levels_[level].size());
  return levels_[level][index];
}

Hash Tree::RangeHash(std::uint64_t begin, std::uint64_t end) const {
  GB_ASSERT(begin < end && end <= size());
  const std::uint64_t count = end - begin;
  if (std::has_single_bit(count)) {
    const auto level = static_cast<std::size_t>(std::countr_zero(count));
    return Node(level, begin >> level);
  }
  const std::uint64_t middle = begin + SplitPoint(count);
  return NodeHash(RangeHash(begin, middle), RangeHash(middle, end));
}

Hash Tree::Root(std::uint64_t size) const { return size == 0 ? EmptyRoot() : RangeHash(0, size); }

Hash Tree::RootWith(const Hash& leaf) const {
  // The complete subtrees of size() follow the bits of it; the new leaf hangs to the right of all.
  Hash root = leaf;
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    if (((size() >> level) & 1U) != 0) {
      root = NodeHash(levels_[level].back(), root);
    }
  }
  return root;
}

Proof Tree::InclusionProof(std::uint64_t index, std::uint64_t size) const {
  GB_ASSERT(index < size && size <= this->size());
  Proof proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const std::uint64_t middle = begin + SplitPoint(end - begin);
    if (index < middle) {
      proof.push_back(RangeHash(middle, end));
      end = middle;
    } else {
      proof.push_back(RangeHash(begin, middle));
      begin = middle;
    }
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

Proof Tree::ConsistencyProof(std::uint64_t old_size, std::uint64_t size) const {
  GB_ASSERT(old_size > 0 && old_size <= size && size <= this->size());
  Proof proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (old_size != end) {
    const std::uint64_t middle = begin + SplitPoint(end - begin);
    if (old_size <= middle) {
      proof.push_back(RangeHash(middle, end));
      end = middle;
    } else {
      proof.push_back(RangeHash(begin, middle));
      begin = middle;
    }
  }
  // The verifier holds the old root already; any other shared subtree it has to be told.
  if (begin != 0) {
    proof.push_back(RangeHash(begin, end));
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

bool VerifyInclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf, const Proof& proof, const Hash& root) {
  if (index >= size || size > limits::kLedgerSizeMax || proof.size() > limits::kLedgerProofHashesMax) {
    return false;
  }
  Path path{index, size - 1};
  Hash hash = leaf;
  for (const Hash& sibling : proof) {
    if (path.last == 0) {
      return false;
    }
    if (path.IsRightOrLast()) {
      hash = NodeHash(sibling, hash);
      path.SkipLonelyLevels();
    } else {
      hash = NodeHash(hash, sibling);
    }
    path.Up();
  }
  return path.last == 0 && hash == root;
}

bool VerifyConsistency(std::uint64_t old_size, std::uint64_t size, const Hash& old_root, const Hash& root,
                       const Proof& proof) {
  if (old_size == 0 || old_size > size || size > limits::kLedgerSizeMax ||
      proof.size() > limits::kLedgerProofHashesMax) {
    return false;
  }
  if (old_size == size) {
    return proof.empty() && old_root == root;
  }
  if (proof.empty()) {
    return false;
  }
  Path path{old_size - 1, size - 1};
  while ((path.index & 1U) != 0) {
    path.Up();
  }
  const bool starts_at_old_root = std::has_single_bit(old_size);
  Hash old_hash = starts_at_old_root ? old_root : proof.front();
  Hash new_hash = old_hash;
  for (std::size_t i = starts_at_old_root ? 0 : 1; i < proof.size(); ++i) {
    if (path.last == 0) {
      return false;
    }
    if (path.IsRightOrLast()) {
      old_hash = NodeHash(proof[i], old_hash);
      new_hash = NodeHash(proof[i], new_hash);
      path.SkipLonelyLevels();
    } else {
      new_hash = NodeHash(new_hash, proof[i]);
    }
    path.Up();
  }
  return path.last == 0 && old_hash == old_root && new_hash == root;
}

}  // namespace glovebox::ledger
