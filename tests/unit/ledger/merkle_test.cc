// SPDX-License-Identifier: Apache-2.0
#include "ledger/merkle.h"

#include <gtest/gtest.h>

#include <random>

#include "base/encoding.h"

namespace glovebox::ledger {
namespace {

// The eight leaves that implementations of Certificate Transparency are tried on, and their published roots.
const char* const kLeaves[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
const char* const kRoots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                              "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                              "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                              "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                              "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                              "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                              "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                              "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

Hash FromHex(const std::string& hex) { return *HashFromBytes(HexDecode(hex).value()); }

Tree CtTree() {
  Tree tree;
  for (const char* leaf : kLeaves) {
    tree.Append(LeafHash(HexDecode(leaf).value()));
  }
  return tree;
}

Tree NumberedTree(std::uint64_t size) {
  Tree tree;
  for (std::uint64_t i = 0; i < size; ++i) {
    tree.Append(LeafHash(std::to_string(i)));
  }
  return tree;
}

std::vector<std::string> Hexes(const Proof& proof) {
  std::vector<std::string> hexes;
  for (const Hash& hash : proof) {
    hexes.push_back(HashHex(hash));
  }
  return hexes;
}

using Strings = std::vector<std::string>;

TEST(Merkle, BaseVectors) {
  EXPECT_EQ(HashHex(EmptyRoot()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HashHex(LeafHash("")), kRoots[0]);
  EXPECT_EQ(HashHex(LeafHash("L123456")).substr(0, 8), "395aa064");
  EXPECT_EQ(Tree().Root(), EmptyRoot());
}

TEST(Merkle, PublishedRootsOfEightLeaves) {
  const Tree tree = CtTree();
  for (std::uint64_t size = 1; size <= 8; ++size) {
    EXPECT_EQ(HashHex(tree.Root(size)), kRoots[size - 1]) << size;
  }
}

TEST(Merkle, PublishedInclusionProofs) {
  const Tree tree = CtTree();
  EXPECT_EQ(Hexes(tree.InclusionProof(0, 8)),
            (Strings{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                     "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                     "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}));
  EXPECT_EQ(Hexes(tree.InclusionProof(5, 8)),
            (Strings{"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                     "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                     "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
  EXPECT_EQ(Hexes(tree.InclusionProof(2, 3)),
            (Strings{"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}));
}

TEST(Merkle, PublishedConsistencyProofs) {
  const Tree tree = CtTree();
  EXPECT_EQ(Hexes(tree.ConsistencyProof(6, 8)),
            (Strings{"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                     "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                     "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
  EXPECT_EQ(Hexes(tree.ConsistencyProof(2, 5)),
            (Strings{"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                     "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}));
  EXPECT_EQ(Hexes(tree.ConsistencyProof(4, 7)),
            (Strings{"837dbb152e9b079010717e84e865da4ebc0fa198a806d59d31bf15accef22d0e"}));
  EXPECT_TRUE(tree.ConsistencyProof(8, 8).empty());
}

TEST(Merkle, RootWithIsTheRootAfterAppend) {
  Tree tree;
  for (int i = 0; i < 300; ++i) {
    const Hash leaf = LeafHash(std::to_string(i));
    const Hash expected = tree.RootWith(leaf);
    tree.Append(leaf);
    ASSERT_EQ(tree.Root(), expected) << i;
  }
}

TEST(Merkle, EveryInclusionProofVerifiesAndNoOther) {
  constexpr std::uint64_t kSize = 200;
  const Tree tree = NumberedTree(kSize);
  for (std::uint64_t size = 1; size <= kSize; ++size) {
    const Hash root = tree.Root(size);
    for (std::uint64_t index = 0; index < size; ++index) {
      const Hash leaf = LeafHash(std::to_string(index));
      const Proof proof = tree.InclusionProof(index, size);
      ASSERT_TRUE(VerifyInclusion(index, size, leaf, proof, root)) << index << " of " << size;
      ASSERT_FALSE(VerifyInclusion(index, size, LeafHash("other"), proof, root));
      ASSERT_FALSE(VerifyInclusion(size, size, leaf, proof, root));
      if (size > 1) {
        ASSERT_FALSE(VerifyInclusion((index + 1) % size, size, leaf, proof, root)) << index << " of " << size;
      }
    }
  }
}

TEST(Merkle, EveryConsistencyProofVerifiesAndNoOther) {
  constexpr std::uint64_t kSize = 200;
  const Tree tree = NumberedTree(kSize);
  for (std::uint64_t size = 1; size <= kSize; ++size) {
    for (std::uint64_t old_size = 1; old_size <= size; ++old_size) {
      const Hash old_root = tree.Root(old_size);
      const Proof proof = tree.ConsistencyProof(old_size, size);
      ASSERT_TRUE(VerifyConsistency(old_size, size, old_root, tree.Root(size), proof)) << old_size << " " << size;
      ASSERT_FALSE(VerifyConsistency(old_size, size, LeafHash("other"), tree.Root(size), proof));
      ASSERT_FALSE(VerifyConsistency(old_size, size, old_root, LeafHash("other"), proof));
      if (old_size < size) {
        ASSERT_FALSE(VerifyConsistency(size, old_size, tree.Root(size), old_root, proof));
        ASSERT_FALSE(VerifyConsistency(old_size, size, old_root, tree.Root(size), {}));
      }
    }
  }
}

TEST(Merkle, ConsistencyWithTheEmptyTreeProvesNothing) {
  EXPECT_FALSE(VerifyConsistency(0, 4, EmptyRoot(), CtTree().Root(4), {}));
  EXPECT_FALSE(VerifyConsistency(0, 0, EmptyRoot(), EmptyRoot(), {}));
}

// Changes one bit, removes or adds a hash, in proofs of trees of random sizes.
TEST(Merkle, MutatedProofsFail) {
  std::mt19937_64 random(20261123);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a fixed sequence, so that a failure repeats
  const Tree tree = NumberedTree(2'000);
  for (int round = 0; round < 2'000; ++round) {
    const std::uint64_t size = 2 + random() % (tree.size() - 1);
    const std::uint64_t old_size = 1 + random() % (size - 1);
    const std::uint64_t index = random() % size;
    Proof inclusion = tree.InclusionProof(index, size);
    Proof consistency = tree.ConsistencyProof(old_size, size);
    ASSERT_TRUE(VerifyInclusion(index, size, tree.Node(0, index), inclusion, tree.Root(size)));
    ASSERT_TRUE(VerifyConsistency(old_size, size, tree.Root(old_size), tree.Root(size), consistency));

    Proof longer = inclusion;
    longer.push_back(tree.Root(size));
    EXPECT_FALSE(VerifyInclusion(index, size, tree.Node(0, index), longer, tree.Root(size)));
    const Proof shorter(inclusion.begin(), inclusion.end() - 1);
    EXPECT_FALSE(VerifyInclusion(index, size, tree.Node(0, index), shorter, tree.Root(size)));
    inclusion[random() % inclusion.size()][random() % kHashBytes] ^= static_cast<std::uint8_t>(1U << (random() % 8));
    EXPECT_FALSE(VerifyInclusion(index, size, tree.Node(0, index), inclusion, tree.Root(size)));

    consistency[random() % consistency.size()][random() % kHashBytes] ^=
        static_cast<std::uint8_t>(1U << (random() % 8));
    EXPECT_FALSE(VerifyConsistency(old_size, size, tree.Root(old_size), tree.Root(size), consistency));
  }
}

// A proof for a small tree is none for a larger one, although its hashes lead to the small one's root.
TEST(Merkle, ProofsHoldForTheirSizeOnly) {
  const Tree tree = CtTree();
  const Hash leaf = tree.Node(0, 0);
  EXPECT_TRUE(VerifyInclusion(0, 2, leaf, tree.InclusionProof(0, 2), tree.Root(2)));
  for (std::uint64_t size = 3; size <= 8; ++size) {
    EXPECT_FALSE(VerifyInclusion(0, size, leaf, tree.InclusionProof(0, 2), tree.Root(2))) << size;
  }
  EXPECT_TRUE(VerifyConsistency(2, 4, tree.Root(2), tree.Root(4), tree.ConsistencyProof(2, 4)));
  EXPECT_FALSE(VerifyConsistency(2, 8, tree.Root(2), tree.Root(4), tree.ConsistencyProof(2, 4)));
}

TEST(Merkle, ProofsOfMoreThan63HashesAreRefused) {
  const Proof proof(64, FromHex(kRoots[0]));
  EXPECT_FALSE(VerifyInclusion(0, ~std::uint64_t{0}, FromHex(kRoots[0]), proof, FromHex(kRoots[0])));
  EXPECT_FALSE(VerifyConsistency(1, ~std::uint64_t{0}, FromHex(kRoots[0]), FromHex(kRoots[0]), proof));
}

}  // namespace
}  // namespace glovebox::ledger
