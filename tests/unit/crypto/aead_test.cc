// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/encoding.h"
#include "base/file.h"

namespace glovebox::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Counting(int first, int last) {
  std::string bytes;
  for (int i = first; i <= last; ++i) {
    bytes += static_cast<char>(i);
  }
  return bytes;
}

// Gives the bytes 40, 41, ... of the RFC draft's nonce.
class NonceOfTheVector final : public Random {
 public:
  void Fill(std::span<std::uint8_t> bytes) override {
    const std::string nonce = Counting(0x40, 0x57);
    ASSERT_EQ(bytes.size(), nonce.size());
    std::copy(nonce.begin(), nonce.end(), bytes.begin());
  }
};

TEST(AeadTest, VectorOfTheXChaChaDraft) {
  const MasterKey key = MasterKey::FromBytes(Counting(0x80, 0x9f)).value();
  const std::string content =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
      "it.";
  const std::string associated = HexDecode("50515253c0c1c2c3c4c5c6c7").value();
  NonceOfTheVector nonce;
  const std::string sealed = key.Seal(content, associated, nonce);
  EXPECT_EQ(
      HexEncode(sealed),
      "404142434445464748494a4b4c4d4e4f5051525354555657"
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54"
      "c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f6"
      "15c68b13b52e"
      "c0875924c1c7987947deafd8780acf49");
  EXPECT_EQ(key.Open(sealed, associated).value(), content);
}

TEST(AeadTest, OpensOnlyWhatItSealed) {
  SystemRandom random;
  const MasterKey key = MasterKey::FromBytes(random.Bytes(kMasterKeyBytes)).value();
  const MasterKey other = MasterKey::FromBytes(random.Bytes(kMasterKeyBytes)).value();
  const std::string sealed = key.Seal("secret", "scope/a", random);
  EXPECT_EQ(sealed.size(), 6 + kSealedOverheadBytes);
  EXPECT_EQ(key.Open(sealed, "scope/a").value(), "secret");
  EXPECT_EQ(key.Open(sealed, "scope/b").status().code(), ErrorCode::kDataLoss);
  EXPECT_EQ(other.Open(sealed, "scope/a").status().code(), ErrorCode::kDataLoss);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(key.Open(changed, "scope/a").ok()) << i;
    EXPECT_FALSE(key.Open(sealed.substr(0, i), "scope/a").ok()) << i;
  }
}

TEST(AeadTest, EmptyContentAndFreshNonces) {
  SystemRandom random;
  const MasterKey key = MasterKey::FromBytes(random.Bytes(kMasterKeyBytes)).value();
  EXPECT_EQ(key.Open(key.Seal("", "", random), "").value(), "");
  EXPECT_NE(key.Seal("x", "", random), key.Seal("x", "", random));
  EXPECT_FALSE(MasterKey::FromBytes(random.Bytes(31)).ok());
}

class MasterKeyFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/glovebox_key_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/master.key";
  }
  void TearDown() override { EXPECT_TRUE(RemoveTree(folder_).ok()); }

  SystemRandom random_;
  std::string folder_;
  std::string path_;
};

TEST_F(MasterKeyFileTest, CreatesOnceAndLoadsAfterwards) {
  EXPECT_EQ(MasterKey::Load(path_).status().code(), ErrorCode::kDataLoss);
  const MasterKey created = MasterKey::Create(path_, random_).value();
  struct stat info{};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_EQ(info.st_size, 32);
  EXPECT_EQ(MasterKey::Create(path_, random_).status().code(), ErrorCode::kAlreadyExists);
  const MasterKey loaded = MasterKey::Load(path_).value();
  EXPECT_EQ(loaded.Open(created.Seal("x", "a", random_), "a").value(), "x");
}

TEST_F(MasterKeyFileTest, NeverReplacesADamagedKey) {
  for (const std::string& content : {std::string(), std::string(31, 'k'), std::string(33, 'k')}) {
    ASSERT_TRUE(WriteFileDurably(path_, content).ok());
    const Status status = MasterKey::Load(path_).status();
    EXPECT_EQ(status.code(), ErrorCode::kDataLoss);
    EXPECT_THAT(status.message(), Not(HasSubstr("kkk")));
    EXPECT_EQ(MasterKey::Create(path_, random_).status().code(), ErrorCode::kAlreadyExists);
    EXPECT_EQ(ReadFile(path_, 100).value(), content);
  }
}

TEST_F(MasterKeyFileTest, RefusesAKeyThatOthersMayRead) {
  ASSERT_TRUE(MasterKey::Create(path_, random_).ok());
  for (const unsigned mode : {0640U, 0604U, 0620U, 0602U}) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    EXPECT_EQ(MasterKey::Load(path_).status().code(), ErrorCode::kPermissionDenied);
  }
  ASSERT_EQ(chmod(path_.c_str(), 0400), 0);
  EXPECT_TRUE(MasterKey::Load(path_).ok());
}

TEST_F(MasterKeyFileTest, RefusesWhatIsNoFile) {
  EXPECT_EQ(MasterKey::Load(folder_).status().code(), ErrorCode::kDataLoss);
  EXPECT_FALSE(MasterKey::Create(folder_ + "/none/master.key", random_).ok());
}

}  // namespace
}  // namespace glovebox::crypto
