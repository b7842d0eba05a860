// SPDX-License-Identifier: Apache-2.0
//
// A room of two collaborators with fixed keys, on a clock that stands still, in a folder that goes away.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "ledger/bundle.h"
#include "ledger/log.h"
#include "ledger/verify.h"

namespace glovebox::ledger {

// The value, or a failed test. Statements below are written for tests, where every step must work.
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.status().message();
  }
  return std::move(result).value();
}
inline void Must(const Status& status) { ASSERT_TRUE(status.ok()) << status.message(); }

class TemporaryFolder {
 public:
  TemporaryFolder() {
    // In memory where there is such a place: the tests sync thousands of times.
    std::string name = FileExists("/dev/shm") ? "/dev/shm/ledger_test.XXXXXX" : "/tmp/ledger_test.XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() { EXPECT_TRUE(RemoveTree(path_).ok()); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::shared_ptr<const Signer> SignerFromByte(char byte) {
  return NewMemorySigner(Must(crypto::PrivateKey::FromSeed(std::string(32, byte))));
}

inline constexpr char kDigest[] = "9f2deb482878bbbc97ad0b2a8d12f606081485dd61c23ec35f4fe4c9a2c1ac95";
inline constexpr char kContract[] = "746f491c6bebe0c1f587b9744097d24f66385a865c71a692123d5f503eb66837";

struct TestRoom {
  explicit TestRoom(std::uint64_t seed = 7) : random(seed) {}

  std::shared_ptr<const Signer> log_key = SignerFromByte(1);
  std::shared_ptr<const Signer> federation = SignerFromByte(2);
  std::shared_ptr<const Signer> federation_witness = SignerFromByte(3);
  std::shared_ptr<const Signer> insurer = SignerFromByte(4);
  std::shared_ptr<const Signer> insurer_witness = SignerFromByte(5);
  ManualClock clock{TimeMs{1'795'000'000'000}};
  SeededRandom random;

  [[nodiscard]] Genesis MakeGenesis() const {
    const auto party = [](const std::string& name, const Signer& statement, const Signer& witness) {
      return Collaborator{name,
                          {name + ".example/statement", KeyAlgorithm::kEd25519Note, statement.public_key()},
                          {name + ".example/witness", KeyAlgorithm::kEd25519Cosignature, witness.public_key()}};
    };
    return {"cleanroom.example",
            HostingMode::kHosted,
            {party("federation", *federation, *federation_witness), party("insurer", *insurer, *insurer_witness)},
            log_key->public_key(),
            {{"purpose", "research"}}};
  }
  [[nodiscard]] LogSigners Signers() const { return {log_key, {federation_witness, insurer_witness}}; }
  [[nodiscard]] LogContext Context() { return {&clock, &random}; }

  Result<std::unique_ptr<Log>> Create(const std::string& folder) {
    EntryFields first;
    first.party = "federation";
    first.subject = "athletes";
    return Log::Create(folder, MakeGenesis(), first, *federation, Signers(), Context());
  }
  Result<std::unique_ptr<Log>> Open(const std::string& folder) { return Log::Open(folder, Signers(), Context()); }
};

// An entry as its actor makes it: signed if the actor is a collaborator.
inline Result<EntryReceipt> Act(Log& log, const TestRoom& room, EventType type, const std::string& party,
                                const std::string& subject, json::Object data = {}) {
  EntryFields fields;
  fields.type = type;
  fields.party = party;
  fields.subject = subject;
  fields.subject_kind = "thing";
  fields.data = std::move(data);
  const Signer* author = party == "federation" ? room.federation.get() : nullptr;
  author = party == "insurer" ? room.insurer.get() : author;
  return log.Append(fields, author);
}

struct Step {
  EventType type;
  std::string party;
  std::string subject;
  json::Object data;
};

// What authorises a run over the federation's table of the whole story.
inline json::Object Authorisation(const std::string& etag) {
  return {
      {"etag", etag},
      {"inputs", json::Array{json::Object{{"asset", "athletes"}, {"owner", "federation"}, {"rule_sha256", kDigest}}}}};
}

// A whole collaboration, in order, without room.created: two assets, one approved notebook, one run, one released and
// exported output, the end.
inline std::vector<Step> WholeStory() {
  const std::string op(kOperator);
  return {
      {EventType::kAssetPublished, "federation", "athletes", {}},
      {EventType::kRuleSet, "federation", "athletes", {{"rule_sha256", kDigest}}},
      {EventType::kRoomJoined, "insurer", "athletes", {}},
      {EventType::kRoomActive, op, "athletes", {}},
      {EventType::kAssetPublished, "insurer", "customers", {}},
      {EventType::kCodeSubmitted,
       "federation",
       "etag-1",
       {{"notebook", "heights"}, {"sha256", kDigest}, {"contract_sha256", kContract}}},
      {EventType::kApprovalGranted, "insurer", "etag-1", {}},
      {EventType::kRunRequested, "federation", "run-1", {{"etag", "etag-1"}}},
      {EventType::kRunAuthorized, op, "run-1", Authorisation("etag-1")},
      {EventType::kRunStarted, op, "run-1", {}},
      {EventType::kRunCompleted, op, "run-1", {{"rows", 12}}},
      {EventType::kOutputCreated, op, "output-1", {{"run", "run-1"}, {"sha256", kDigest}}},
      {EventType::kReviewDecided,
       op,
       "output-1",
       {{"decision", "approved"}, {"automatic", true}, {"contract_sha256", kContract}}},
      {EventType::kExportRequested, "federation", "export-1", {{"output", "output-1"}}},
      {EventType::kExportReleased, op, "export-1", {{"output", "output-1"}, {"sha256", kDigest}}},
      {EventType::kRoomClosed, "federation", "athletes", {}},
  };
}

inline void Tell(Log& log, const TestRoom& room, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    const Result<EntryReceipt> receipt = Act(log, room, step.type, step.party, step.subject, step.data);
    ASSERT_TRUE(receipt.ok()) << receipt.status().message();
  }
}

// Collects the files of a bundle in memory.
class MemorySink final : public BundleSink {
 public:
  Status Begin(const std::string&, std::int64_t) override { return {}; }
  Status Add(const std::string& path, std::string_view content) override {
    files[path] = content;
    return {};
  }
  Status Finish() override { return {}; }

  std::map<std::string, std::string> files;
};

inline std::map<std::string, std::string> BundleOf(const Log& log, const BundleContents& contents = {}) {
  MemorySink sink;
  Must(WriteBundle(log, contents, sink));
  return sink.files;
}

}  // namespace glovebox::ledger
