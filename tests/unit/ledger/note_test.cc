// SPDX-License-Identifier: Apache-2.0
#include "ledger/note.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "tests/unit/ledger/fixture.h"

namespace glovebox::ledger {
namespace {

constexpr char kExampleKey[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
constexpr char kExampleNote[] =
    "This is an example message.\n\n"
    "\xE2\x80\x94 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

// A room's checkpoint over the eight leaves of merkle_test.cc, made by another implementation from the seeds 01...,
// 02..., 03...
constexpr char kOrigin[] = "cleanroom.example/room/4f1c";
constexpr char kRoomNote[] =
    "cleanroom.example/room/4f1c\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n"
    "\xE2\x80\x94 cleanroom.example/room/4f1c "
    "SHiERpesDXhtg8Jwkmcy4w2n6Of7v3nSMD90YloaLiSob48kMN/8ycJBwWmsXyaJYm0+s5tPv+p8IFpZHjcCPI36gQo=\n"
    "\xE2\x80\x94 party-a.example/witness "
    "gk53kQAAAABq/YbA+gLJAsgEzR6EuwOiIS5h5VMJFPZuuD49nVnSOKU2WxiqxhxAoAH/D02n28ZCPv12Xl4VfVqNtgUaVyhsBcuwCQ==\n"
    "\xE2\x80\x94 party-b.example/witness "
    "I7v5YwAAAABq/YbBCob79b4rj04KOxiWj1Cj55IQG+CUu33qCrxrf+AvCSGwskJnqh64ix+u1kmpZgaPV5R8vWBZbvOtR7k0Upz9BA==\n";
constexpr char kRoomKey[] = "cleanroom.example/room/4f1c+48788446+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
constexpr char kKeyA[] = "party-a.example/witness+824e7791+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";
constexpr char kKeyB[] = "party-b.example/witness+23bbf963+BO1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR";

std::vector<VerifierKey> RoomKeys() {
  return {Must(ParseVerifierKey(kRoomKey)), Must(ParseVerifierKey(kKeyA)), Must(ParseVerifierKey(kKeyB))};
}

TEST(VerifierKey, ParsesAndFormats) {
  const VerifierKey key = Must(ParseVerifierKey(kExampleKey));
  EXPECT_EQ(key.name, "example.com/foo");
  EXPECT_EQ(key.Id(), 0x530d903aU);
  EXPECT_EQ(key.Format(), kExampleKey);
  EXPECT_EQ(key.NameAndId(), "example.com/foo+530d903a");
}

TEST(VerifierKey, RefusesWhatFormatWouldNotWrite) {
  const std::string text(kExampleKey);
  for (const std::string& bad :
       {text.substr(1), text + "=", text + "\n", "example.com/foo+530D903A" + text.substr(24),
        "example.com/foo+530d903b" + text.substr(24), text.substr(15), std::string("example.com/foo"), std::string(),
        "+530d903a" + text.substr(24), text.substr(0, text.size() - 4)}) {
    EXPECT_FALSE(ParseVerifierKey(bad).ok()) << bad;
  }
}

TEST(VerifierKey, RefusesNamesThatNotesCannotHave) {
  for (const char* name : {"", "a b", "a+b", "a\tb", "a\xC2\xA0", "a\xE3\x80\x80", "\xFF"}) {
    EXPECT_FALSE(CheckKeyName(name).ok()) << name;
  }
  EXPECT_TRUE(CheckKeyName("r\xC3\xA4um.example/witness").ok());
}

// Keys of small order: one signature would verify over every message, and its owner could disown everything.
TEST(VerifierKey, RefusesWeakKeys) {
  const std::string tail31(31, '\0');
  const std::string ff30(30, '\xff');
  const std::string weak[] = {
      std::string(32, '\0'),
      std::string("\x01") + tail31,
      HexDecode("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05").value(),
      HexDecode("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a").value(),
      "\xec" + ff30 + "\x7f",
      "\xed" + ff30 + "\x7f",
      "\xee" + ff30 + "\x7f",
  };
  for (const std::string& key : weak) {
    for (const bool sign : {false, true}) {
      std::string encoded = key;
      encoded[31] = static_cast<char>(static_cast<unsigned char>(encoded[31]) | (sign ? 0x80U : 0U));
      EXPECT_FALSE(ParseUnnamedKey(Base64Encode("\x01" + encoded), "weak.example").ok()) << HexEncode(encoded);
    }
  }
}

TEST(Note, PublishedExampleVerifies) {
  const Note note = Must(ParseNote(kExampleNote));
  EXPECT_EQ(note.text, "This is an example message.\n");
  EXPECT_EQ(note.Format(), kExampleNote);
  EXPECT_TRUE(VerifyNote(note, {Must(ParseVerifierKey(kExampleKey))}).ok());
}

TEST(Note, RoomVectorVerifiesWithItsCosignatures) {
  const Note note = Must(ParseNote(kRoomNote));
  const std::vector<VerifiedSignature> verified = Must(VerifyNote(note, RoomKeys()));
  ASSERT_EQ(verified.size(), 3U);
  EXPECT_FALSE(verified[0].cosigned_at.has_value());
  EXPECT_EQ(verified[1].cosigned_at, 1'795'000'000U);
  EXPECT_EQ(verified[2].cosigned_at, 1'795'000'001U);
}

TEST(Note, RoomVectorIsReproducedFromItsSeeds) {
  const Checkpoint checkpoint{kOrigin, 8,
                              *HashFromBytes(Must(Base64Decode("XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=")))};
  Note note{checkpoint.Format(), {}};
  Must(SignNote(kOrigin, *SignerFromByte(1), note));
  Must(CosignNote("party-a.example/witness", *SignerFromByte(2), TimeMs{1'795'000'000'000}, note));
  Must(CosignNote("party-b.example/witness", *SignerFromByte(3), TimeMs{1'795'000'001'999}, note));
  EXPECT_EQ(note.Format(), kRoomNote);
}

TEST(Note, RefusesMalformedNotes) {
  const std::string good(kExampleNote);
  const std::string line = good.substr(good.find("\n\n") + 2);
  const std::string bad[] = {
      "",
      "\n",
      "text\n",
      "text\n\n",
      good.substr(0, good.size() - 1),  // no newline at the end
      good + "\n",                      // an empty line as a signature
      "text\n" + line,                  // no empty line
      "te\txt\n\n" + line,              // control character
      "te\rxt\n\n" + line,
      std::string("te\0xt\n\n", 7) + line,
      "te\xFFxt\n\n" + line,                       // not UTF-8
      "text\n\n- example.com/foo Uw2QOkk=\n",      // not an em dash
      "text\n\n\xE2\x80\x94 Uw2QOkk=\n",           // no name
      "text\n\n\xE2\x80\x94 a+b Uw2QOkk=\n",       // plus in the name
      "text\n\n\xE2\x80\x94  example Uw2QOkk=\n",  // two spaces
      "text\n\n\xE2\x80\x94 example Uw2QOkk=\n\nrest",
      "text\n\n\xE2\x80\x94 example Uw2QOkk\n",   // no padding
      "text\n\n\xE2\x80\x94 example Uw2QOkl=\n",  // loose bits
      "text\n\n\xE2\x80\x94 example  Uw2QOkk=\n",
      "text\n\n\xE2\x80\x94 example Uw2QOg==\n",  // a key id and no signature
  };
  for (const std::string& note : bad) {
    EXPECT_FALSE(ParseNote(note).ok()) << note;
  }
}

TEST(Note, TextMayHaveEmptyLines) {
  const std::string signature = std::string(kExampleNote).substr(std::string(kExampleNote).find("\n\n") + 2);
  EXPECT_EQ(Must(ParseNote("one\n\n\ntwo\n\n" + signature)).text, "one\n\n\ntwo\n");
}

TEST(Note, AKnownKeyThatFailsSpoilsTheNoteEvenBesideAGoodOne) {
  Note note = Must(ParseNote(kRoomNote));
  note.signatures[1].bytes[20] = static_cast<char>(note.signatures[1].bytes[20] ^ 1);
  EXPECT_FALSE(VerifyNote(note, RoomKeys()).ok());
  EXPECT_TRUE(VerifyNote(note, {RoomKeys()[0]}).ok());  // the spoiled one is nobody's
}

TEST(Note, UnknownSignersAreIgnoredAndNoKnownOneIsAnError) {
  Note note = Must(ParseNote(kRoomNote));
  for (int i = 0; i < 16; ++i) {
    note.signatures.push_back({"stranger" + std::to_string(i), 7, "whatever"});
  }
  const Note parsed = Must(ParseNote(note.Format()));
  EXPECT_EQ(Must(VerifyNote(parsed, {RoomKeys()[0]})).size(), 1U);
  EXPECT_FALSE(VerifyNote(parsed, {Must(ParseVerifierKey(kExampleKey))}).ok());
}

TEST(Note, NameAndIdMustBothMatch) {
  Note note = Must(ParseNote(kExampleNote));
  const std::vector<VerifierKey> keys = {Must(ParseVerifierKey(kExampleKey))};
  note.signatures[0].key_id += 1;
  EXPECT_FALSE(VerifyNote(note, keys).ok());
  note.signatures[0].key_id -= 1;
  note.signatures[0].key_name = "example.com/bar";
  EXPECT_FALSE(VerifyNote(note, keys).ok());
}

TEST(Note, ANoteSignatureIsNoCosignatureAndTheOtherWayRound) {
  const std::string text = Checkpoint{kOrigin, 1, LeafHash("")}.Format();
  const auto signer = SignerFromByte(9);
  const VerifierKey as_note{"w", KeyAlgorithm::kEd25519Note, signer->public_key()};
  const VerifierKey as_cosigner{"w", KeyAlgorithm::kEd25519Cosignature, signer->public_key()};
  EXPECT_NE(as_note.Id(), as_cosigner.Id());
  Note note{text, {}};
  Must(SignNote("w", *signer, note));
  note.signatures[0].key_id = as_cosigner.Id();
  EXPECT_FALSE(VerifyNote(note, {as_cosigner}).ok());
  Note cosigned{text, {}};
  Must(CosignNote("w", *signer, TimeMs{1'795'000'000'000}, cosigned));
  cosigned.signatures[0].key_id = as_note.Id();
  EXPECT_FALSE(VerifyNote(cosigned, {as_note}).ok());
}

TEST(Note, CosignatureTimesOutOfRangeAreRefused) {
  const auto signer = SignerFromByte(9);
  const VerifierKey key{"w", KeyAlgorithm::kEd25519Cosignature, signer->public_key()};
  const std::string text = Checkpoint{kOrigin, 1, LeafHash("")}.Format();
  for (const std::uint64_t time : {std::uint64_t{0}, std::uint64_t{1} << 63U}) {
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<char>((time >> static_cast<unsigned>(shift)) & 0xFFU));
    }
    bytes += Must(signer->Sign(CosignatureMessage(time, text)));
    EXPECT_FALSE(VerifyNote(Note{text, {{"w", key.Id(), bytes}}}, {key}).ok()) << time;
  }
}

TEST(Checkpoint, ParsesExactlyWhatItFormats) {
  const Checkpoint checkpoint = Must(ParseCheckpoint(Must(ParseNote(kRoomNote)).text));
  EXPECT_EQ(checkpoint.origin, kOrigin);
  EXPECT_EQ(checkpoint.size, 8U);
  EXPECT_EQ(checkpoint.Format(), Must(ParseNote(kRoomNote)).text);
}

TEST(Checkpoint, RefusesMalformedOnes) {
  const std::string root = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n";
  for (const std::string& bad : {"o\n08\n" + root, "o\n+8\n" + root, "o\n\n" + root, "o\n-1\n" + root, "o\n8 \n" + root,
                                 "o\n9223372036854775808\n" + root, "o\n18446744073709551616\n" + root, "\n8\n" + root,
                                 "o\n8\n" + root + "ext\n", std::string("o\n8\nXcna\n"), std::string("o\n8\n"),
                                 "o\n8\n" + root.substr(0, root.size() - 1), std::string()}) {
    EXPECT_FALSE(ParseCheckpoint(bad).ok()) << bad;
  }
  EXPECT_TRUE(ParseCheckpoint("o\n9223372036854775807\n" + root).ok());
}

}  // namespace
}  // namespace glovebox::ledger
