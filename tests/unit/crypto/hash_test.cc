// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/encoding.h"

namespace glovebox::crypto {
namespace {

TEST(Sha256Test, KnownDigests) {
  EXPECT_EQ(ToHex(Sha256::Of("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Sha256::Of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Sha256::Of(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, PartsAreAsGoodAsTheWhole) {
  const std::string text(300, 'x');
  for (std::size_t cut = 0; cut <= text.size(); cut += 7) {
    Sha256 hash;
    hash.Update(text.substr(0, cut)).Update(text.substr(cut));
    EXPECT_EQ(hash.Finish(), Sha256::Of(text));
  }
}

TEST(Sha256Test, ACopyGoesOnFromThere) {
  Sha256 hash;
  hash.Update("ab");
  Sha256 copy = hash;
  copy.Update("c");
  hash.Update("d");
  EXPECT_EQ(copy.Finish(), Sha256::Of("abc"));
  EXPECT_EQ(hash.Finish(), Sha256::Of("abd"));
  copy.Update("abc");  // as new after Finish
  hash = copy;
  EXPECT_EQ(hash.Finish(), Sha256::Of("abc"));
}

TEST(Sha256Test, ThreadsDoNotDisturbEachOther) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      const std::string text(static_cast<std::size_t>(t) * 40, 'x');
      Sha256 expected;
      const Digest digest = expected.Update(text).Finish();
      for (int i = 0; i < 2'000; ++i) {
        ASSERT_EQ(Sha256::Of(text), digest);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

struct HmacVector {
  std::string key;
  std::string message;
  const char* digest;
};

TEST(HmacTest, VectorsOfRfc4231) {
  std::string counting;
  for (char c = 1; c <= 25; ++c) {
    counting += c;
  }
  const HmacVector vectors[] = {
      {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {counting, std::string(50, '\xcd'), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
       "hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const HmacVector& vector : vectors) {
    EXPECT_EQ(ToHex(HmacSha256(vector.key, vector.message)), vector.digest);
    const HmacKey key(vector.key);
    EXPECT_EQ(ToHex(key.Of(vector.message)), vector.digest);
    EXPECT_EQ(ToHex(key.Of(vector.message)), vector.digest);
  }
}

TEST(HmacTest, EdgesOfTheBlock) {
  EXPECT_EQ(ToHex(HmacSha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  // A key is filled up with zeros; one of more than a block is hashed first.
  EXPECT_EQ(HmacSha256(std::string(63, 'k'), "m"), HmacSha256(std::string(63, 'k') + std::string(1, '\0'), "m"));
  EXPECT_NE(HmacSha256(std::string(64, 'k'), "m"), HmacSha256(std::string(65, 'k'), "m"));
  EXPECT_EQ(HmacSha256(std::string(65, 'k'), "m"), HmacSha256(ToString(Sha256::Of(std::string(65, 'k'))), "m"));
}

}  // namespace
}  // namespace glovebox::crypto
