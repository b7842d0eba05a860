// SPDX-License-Identifier: Apache-2.0
//
// The Merkle tree of RFC 6962 (and 9162): hashes, a tree that only grows, proofs and their
// verification. Pure: no files, no clock.
//
//   leaf(entry) = SHA-256(0x00 || entry)      node(l, r) = SHA-256(0x01 || l || r)
//   root of nothing = SHA-256("")             root of n leaves splits at the largest power of two < n
//
// Errors: verification answers yes or no; it never explains, so that no caller builds on a reason.
// Threads: a Tree is a plain value; const methods may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/hash.h"

namespace glovebox::ledger {

inline constexpr std::size_t kHashBytes = crypto::kSha256Bytes;
using Hash = crypto::Digest;
using Proof = std::vector<Hash>;

// SHA-256 of the bytes as they are.
[[nodiscard]] Hash RawHash(std::string_view bytes);
[[nodiscard]] Hash LeafHash(std::string_view entry);
[[nodiscard]] Hash NodeHash(const Hash& left, const Hash& right);
[[nodiscard]] Hash EmptyRoot();

// The hash as 32 bytes of text, and back; nullopt unless there are exactly 32.
[[nodiscard]] std::string HashBytes(const Hash& hash);
[[nodiscard]] std::optional<Hash> HashFromBytes(std::string_view bytes);
[[nodiscard]] std::string HashHex(const Hash& hash);

// All hashes of a growing tree: 64 bytes an entry.
//
// Invariant: level l holds, in order, the hash of every complete subtree of 2^l leaves. The root and
// the proofs of any size up to size() come from these; what was once a node never changes.
class Tree {
 public:
  // Amortised O(1) hashes, O(log n) at most.
  void Append(const Hash& leaf);
  [[nodiscard]] std::uint64_t size() const { return levels_.empty() ? 0 : levels_[0].size(); }
  // The complete subtree of 2^level leaves that starts at leaf index * 2^level.
  // REQUIRES: it lies within size().
  [[nodiscard]] const Hash& Node(std::size_t level, std::uint64_t index) const;

  // REQUIRES: size <= size().
  [[nodiscard]] Hash Root(std::uint64_t size) const;
  [[nodiscard]] Hash Root() const { return Root(size()); }
  // The root after Append(leaf), without appending.
  [[nodiscard]] Hash RootWith(const Hash& leaf) const;
  // That leaf `index` is in the tree of `size`. REQUIRES: index < size <= size().
  [[nodiscard]] Proof InclusionProof(std::uint64_t index, std::uint64_t size) const;
  // That the tree of `old_size` is a prefix of that of `size`. REQUIRES: 0 < old_size <= size <= size().
  [[nodiscard]] Proof ConsistencyProof(std::uint64_t old_size, std::uint64_t size) const;

 private:
  // The hash of leaves [begin, end). REQUIRES: begin is a multiple of the smallest power of two >= end - begin.
  [[nodiscard]] Hash RangeHash(std::uint64_t begin, std::uint64_t end) const;

  std::vector<std::vector<Hash>> levels_;
};

[[nodiscard]] bool VerifyInclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf, const Proof& proof,
                                   const Hash& root);
// False for old_size 0: that the empty tree is a prefix of every tree is no statement about anything.
[[nodiscard]] bool VerifyConsistency(std::uint64_t old_size, std::uint64_t size, const Hash& old_root, const Hash& root,
                                     const Proof& proof);

}  // namespace glovebox::ledger
