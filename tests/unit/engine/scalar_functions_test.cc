// SPDX-License-Identifier: Apache-2.0
#include "engine/duckdb/scalar_functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/strings.h"

namespace glovebox::engine::duckdb {
namespace {

class ScalarFunctionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto database = Database::Open({.threads = 2});
    ASSERT_TRUE(database.ok());
    database_ = std::move(database).value();
    auto connection = database_->Connect();
    ASSERT_TRUE(connection.ok());
    connection_ = std::move(connection).value();
    auto keyring = std::make_shared<Keyring>();
    keyring->Add("mask/key", "Jefe");
    ASSERT_TRUE(RegisterTextFunctions(*connection_, keyring).ok());
    ASSERT_TRUE(RegisterUnitHash(*connection_, std::string(32, 'k')).ok());
  }

  // The text form of one value, "NULL" for NULL.
  std::string Value(const std::string& expression) {
    const auto table = connection_->Query("SELECT coalesce(CAST(" + expression + " AS VARCHAR), 'NULL')");
    EXPECT_TRUE(table.ok()) << expression << ": " << connection_->last_error_detail();
    return table.ok() ? table->columns[0].texts[0] : "";
  }

  std::unique_ptr<Database> database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ScalarFunctionsTest, HmacMatchesRfc4231) {
  // RFC 4231, test case 2.
  EXPECT_EQ(Value("gb_hmac_sha256('mask/key', 'what do ya want for nothing?')"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Value("gb_hmac_sha256('mask/key', NULL)"), "NULL");
  EXPECT_EQ(connection_->QueryInt("SELECT count(DISTINCT gb_hmac_sha256('mask/key', i::VARCHAR)) FROM range(5000) r(i)")
                .value(),
            5'000);
}

TEST_F(ScalarFunctionsTest, AnUnknownKeyFailsTheStatement) {
  EXPECT_EQ(connection_->Query("SELECT gb_hmac_sha256('mask/other', 'x')").status().code(), ErrorCode::kRunFailed);
}

TEST_F(ScalarFunctionsTest, UnitHashIsOfTheCanonicalForm) {
  const std::string hash = Value("gb_unit_hash('anna')");
  EXPECT_NE(hash, "NULL");
  for (const char* same : {"'  Anna '", "'ANNA'", "chr(160) || 'anna' || chr(8195)", "'ａｎｎａ'"}) {
    EXPECT_EQ(Value("gb_unit_hash(" + std::string(same) + ")"), hash) << same;
  }
  EXPECT_NE(Value("gb_unit_hash('annb')"), hash);
  EXPECT_EQ(Value("gb_unit_hash_exact('anna')"), hash);
  EXPECT_NE(Value("gb_unit_hash_exact('Anna')"), hash);
}

TEST_F(ScalarFunctionsTest, UnitHashIsTheFirstHalfOfTheHmac) {
  const crypto::Digest digest = crypto::HmacSha256(std::string(32, 'k'), std::string("\0\0\0\1a\0\0\0\2bc", 11));
  const std::string hex = HexEncode(crypto::Bytes(digest)).substr(0, 32);
  EXPECT_EQ(Value("printf('%016x', (gb_unit_hash('a', 'bc') & 18446744073709551615::HUGEINT)::UBIGINT)"),
            hex.substr(16));
}

TEST_F(ScalarFunctionsTest, PartsDoNotRunIntoEachOther) {
  EXPECT_NE(Value("gb_unit_hash('a', 'bc')"), Value("gb_unit_hash('ab', 'c')"));
  EXPECT_NE(Value("gb_unit_hash('a', 'b')"), Value("gb_unit_hash('b', 'a')"));
}

TEST_F(ScalarFunctionsTest, AnEmptyPartIsNoUnit) {
  for (const char* arguments : {"NULL", "''", "'   '", "chr(8195)", "'a', NULL", "NULL, 'a'", "'', 'a'", "'a', ' '"}) {
    EXPECT_EQ(Value("gb_unit_hash(" + std::string(arguments) + ")"), "NULL") << arguments;
  }
  EXPECT_EQ(Value("gb_unit_hash_exact('')"), "NULL");
  EXPECT_NE(Value("gb_unit_hash_exact(' ')"), "NULL");
}

TEST_F(ScalarFunctionsTest, TheShortCutForAsciiChangesNothing) {
  ASSERT_TRUE(connection_
                  ->Execute("SELECT setseed(0.5); CREATE TABLE t AS SELECT (SELECT string_agg(chr(32 + (random() * "
                            "94.99)::INTEGER), '') FROM range(1 + i % 12) WHERE i >= 0) AS s FROM range(500) r(i)")
                  .ok())
      << connection_->last_error_detail();
  const auto table = connection_->Query("SELECT s, gb_nfkc_trim_lower(s) FROM t UNION ALL VALUES ('  A b ', NULL)");
  ASSERT_TRUE(table.ok());
  for (std::size_t row = 0; row < table->rows; ++row) {
    if (!table->columns[1].IsNull(row)) {
      EXPECT_EQ(table->columns[1].texts[row], NfkcTrimLower(table->columns[0].texts[row]).value());
    }
  }
  EXPECT_EQ(Value("gb_nfkc_trim_lower('  A b ')"), "a b");
}

TEST_F(ScalarFunctionsTest, ManyRowsAndThreadsAgreeWithOne) {
  ASSERT_TRUE(
      connection_->Execute("CREATE TABLE t AS SELECT range AS i, 'U' || (range % 70000) AS u FROM range(300000)").ok());
  EXPECT_EQ(connection_->QueryInt("SELECT count(DISTINCT gb_unit_hash(u)) FROM t").value(), 70'000);
  EXPECT_EQ(
      connection_->QueryInt("SELECT count(*) FROM t WHERE gb_unit_hash(u) <> gb_unit_hash(lower(u) || ' ')").value(),
      0);
}

}  // namespace
}  // namespace glovebox::engine::duckdb
