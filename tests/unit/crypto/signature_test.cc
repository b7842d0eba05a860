// SPDX-License-Identifier: Apache-2.0
#include "crypto/signature.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/encoding.h"

namespace glovebox::crypto {
namespace {

std::string FromHex(std::string_view hex) { return HexDecode(hex).value(); }

struct Vector {
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};

// RFC 8032, section 7.1, tests 1 to 3.
const Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
     "655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
     "b00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
     "c027beceea1ec40a"},
};

TEST(SignatureTest, VectorsOfRfc8032) {
  for (const Vector& vector : kVectors) {
    const PrivateKey key = PrivateKey::FromSeed(FromHex(vector.seed)).value();
    EXPECT_EQ(HexEncode(key.public_key().bytes()), vector.public_key);
    EXPECT_EQ(HexEncode(key.Sign(FromHex(vector.message))), vector.signature);
    const PublicKey public_key = PublicKey::FromBytes(FromHex(vector.public_key)).value();
    EXPECT_EQ(public_key, key.public_key());
    EXPECT_TRUE(public_key.Verify(FromHex(vector.message), FromHex(vector.signature)));
  }
}

TEST(SignatureTest, AnyChangeBreaksTheSignature) {
  const PrivateKey key = PrivateKey::FromSeed(std::string(32, '\x01')).value();
  const std::string message = "checkpoint";
  const std::string signature = key.Sign(message);
  ASSERT_TRUE(key.public_key().Verify(message, signature));
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    std::string changed = signature;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(key.public_key().Verify(message, changed)) << bit;
  }
  EXPECT_FALSE(key.public_key().Verify("checkpoint ", signature));
  EXPECT_FALSE(key.public_key().Verify(message, signature.substr(1)));
  EXPECT_FALSE(key.public_key().Verify(message, signature + "x"));
  EXPECT_FALSE(key.public_key().Verify(message, ""));
  const PrivateKey other = PrivateKey::FromSeed(std::string(32, '\x02')).value();
  EXPECT_FALSE(other.public_key().Verify(message, signature));
}

// S and S + L (the order of the group) satisfy the same equation; only the smaller is a signature.
TEST(SignatureTest, RefusesAMalleatedSignature) {
  const PrivateKey key = PrivateKey::FromSeed(std::string(32, '\x01')).value();
  std::string signature = key.Sign("m");
  const std::string order = FromHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry +=
        static_cast<unsigned char>(signature[32 + i]) + static_cast<unsigned>(static_cast<unsigned char>(order[i]));
    signature[32 + i] = static_cast<char>(carry & 0xFFU);
    carry >>= 8U;
  }
  ASSERT_EQ(carry, 0U);
  EXPECT_FALSE(key.public_key().Verify("m", signature));
}

TEST(PublicKeyTest, RefusesWeakAndNonCanonicalKeys) {
  const std::string tail_ff(60, 'f');
  std::vector<std::string> weak = {
      std::string(64, '0'),                                                // order 4
      "01" + std::string(62, '0'),                                         // order 1
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  // order 8
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",  // order 8
      "ec" + tail_ff + "7f",                                               // p - 1: order 2
      "ed" + tail_ff + "7f",                                               // p: zero, not canonical
      "ee" + tail_ff + "7f",                                               // p + 1: one, not canonical
      "f0" + tail_ff + "7f",                                               // p + 3: not canonical
      "ff" + tail_ff + "7f",                                               // 2^255 - 1
      "02" + std::string(62, '0'),                                         // y = 2 is on no point
  };
  for (const std::string& hex : weak) {
    for (const unsigned sign : {0U, 0x80U}) {
      std::string bytes = FromHex(hex);
      bytes[31] = static_cast<char>(static_cast<unsigned char>(bytes[31]) | sign);
      const Result<PublicKey> key = PublicKey::FromBytes(bytes);
      ASSERT_FALSE(key.ok()) << hex;
      EXPECT_EQ(key.status().code(), ErrorCode::kInvalidParameterValue);
    }
  }
}

// The first key of RFC 8032 plus a point of order 8: whether it verifies depends on who checks, and how.
TEST(PublicKeyTest, RefusesAKeyOutsideTheMainSubgroup) {
  EXPECT_FALSE(PublicKey::FromBytes(FromHex("3b5b475c4b82dd1572799fc546f4c6c03e478c6654aa4c7f945b347ea32af60d")).ok());
}

TEST(PublicKeyTest, WantsThirtyTwoBytes) {
  const std::string good = FromHex(kVectors[0].public_key);
  EXPECT_TRUE(PublicKey::FromBytes(good).ok());
  EXPECT_FALSE(PublicKey::FromBytes(good.substr(1)).ok());
  EXPECT_FALSE(PublicKey::FromBytes(good + "x").ok());
  EXPECT_FALSE(PublicKey::FromBytes("").ok());
}

TEST(PrivateKeyTest, SeedComesBackAndHasThirtyTwoBytes) {
  SystemRandom random;
  const PrivateKey key = PrivateKey::Generate(random);
  const PrivateKey again = PrivateKey::FromSeed(key.seed()).value();
  EXPECT_EQ(again.public_key(), key.public_key());
  EXPECT_TRUE(key.public_key().Verify("m", again.Sign("m")));
  EXPECT_NE(PrivateKey::Generate(random).public_key(), key.public_key());
  EXPECT_FALSE(PrivateKey::FromSeed(std::string(31, 'x')).ok());
  EXPECT_FALSE(PrivateKey::FromSeed(std::string(64, 'x')).ok());
}

}  // namespace
}  // namespace glovebox::crypto
