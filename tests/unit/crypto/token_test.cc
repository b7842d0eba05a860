// SPDX-License-Identifier: Apache-2.0
#include "crypto/token.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/encoding.h"

namespace glovebox::crypto {
namespace {

TEST(TokenTest, HasTheFormThatClientsKnow) {
  SystemRandom random;
  for (int i = 0; i < 50; ++i) {
    const NewToken token = CreateToken(random);
    EXPECT_EQ(token.text.size(), kTokenChars);
    EXPECT_TRUE(token.text.starts_with("dapi"));
    EXPECT_TRUE(IsTokenForm(token.text)) << token.text;
    EXPECT_EQ(PercentEncode(token.text), token.text);  // may stand in a header or a URL as it is
    EXPECT_EQ(token.hash, HashToken(token.text));
    EXPECT_EQ(token.hash.find(token.text.substr(8)), std::string::npos);
  }
}

TEST(TokenTest, Carries192RandomBits) {
  SeededRandom random(1);
  const NewToken token = CreateToken(random);
  EXPECT_EQ(Base64UrlDecode(token.text.substr(4)).value(), SeededRandom(1).Bytes(24));
}

TEST(TokenTest, TokensDiffer) {
  SystemRandom random;
  std::set<std::string> texts;
  for (int i = 0; i < 1'000; ++i) {
    texts.insert(CreateToken(random).text);
  }
  EXPECT_EQ(texts.size(), 1'000U);
}

TEST(TokenTest, HashIsSha256OfTheText) {
  EXPECT_EQ(HashToken("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(TokenTest, OtherTextsAreNoTokens) {
  const std::string tail(32, 'a');
  EXPECT_TRUE(IsTokenForm("dapi" + tail));
  for (const std::string& text : {std::string(), "dapi" + tail + "a", "dapi" + tail.substr(1), "dose" + tail,
                                  "dapi" + tail.substr(1) + " ", "dapi" + tail.substr(1) + "%", "DAPI" + tail}) {
    EXPECT_FALSE(IsTokenForm(text)) << text;
  }
}

}  // namespace
}  // namespace glovebox::crypto
