// SPDX-License-Identifier: Apache-2.0
#include "ledger/verifier.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/limits.h"
#include "ledger/bundle.h"

namespace glovebox::ledger {
namespace {

constexpr std::int64_t kMsPerSecond = 1'000;

std::string CheckpointPath() { return std::string(kLogPrefix) + "checkpoint"; }

// Errors first, and those that name an entry before the others: the first line says what was changed.
bool ComesFirst(const Finding& a, const Finding& b) {
  if (a.severity != b.severity) {
    return a.severity > b.severity;
  }
  if (a.entry.has_value() != b.entry.has_value()) {
    return a.entry.has_value();
  }
  return std::tie(a.entry, a.file, a.text) < std::tie(b.entry, b.file, b.text);
}

}  // namespace

Report Verify(const BundleFiles& bundle, const VerifyOptions& options) { return Verifier(bundle, options).Run(); }

Result<Report> VerifyPath(const std::string& path, const VerifyOptions& options) {
  GB_ASSIGN_OR_RETURN(const std::unique_ptr<BundleFiles> bundle, OpenBundle(path));
  return Verify(*bundle, options);
}

Report Verifier::Run() {
  report_.ok = true;
  if (ReadCheckpoint()) {
    HashEntries();
    ChooseTree();
    ListContents();
    ReplayEntries();
    CheckIdentity();
    CheckSignatures();
    CheckExtent();
    CheckKnownCheckpoints();
    CheckDerivedFiles();
    FinishContents();
    CheckNoOtherFiles();
  }
  CheckManifests();
  std::sort(report_.findings.begin(), report_.findings.end(), ComesFirst);
  return std::move(report_);
}

void Verifier::Add(Severity severity, std::optional<std::uint64_t> entry, std::string file, std::string text) {
  report_.ok = report_.ok && severity != Severity::kError;
  report_.has_warnings = report_.has_warnings || severity == Severity::kWarning;
  if (report_.findings.size() < limits::kLedgerFindingsMax) {
    report_.findings.push_back({severity, entry, std::move(file), std::move(text)});
  }
}

std::optional<std::string> Verifier::Read(const std::string& path) {
  expected_files_.insert(path);
  Result<std::string> content = bundle_.Read(path);
  if (!content.ok()) {
    Error(path, content.status().code() == ErrorCode::kNotFound ? "the file is missing" : "the file cannot be read");
    return std::nullopt;
  }
  return std::move(content).value();
}

bool Verifier::IsGenuine(std::uint64_t index) const {
  return leaves_[index].has_value() && tree_.has_value() && tree_->Node(0, index) == *leaves_[index];
}

bool Verifier::ReadCheckpoint() {
  const std::string path = CheckpointPath();
  const std::optional<std::string> content = Read(path);
  if (!content.has_value()) {
    return false;
  }
  Result<Note> note = ParseNote(*content);
  if (!note.ok()) {
    Error(path, note.status().message());
    return false;
  }
  const Result<Checkpoint> checkpoint = ParseCheckpoint(note->text);
  if (!checkpoint.ok()) {
    Error(path, checkpoint.status().message());
    return false;
  }
  // The size is a claim: it must not make us look for more than is there.
  const auto tiles = std::count_if(bundle_.paths().begin(), bundle_.paths().end(), [](const std::string& file) {
    return file.starts_with(std::string(kLogPrefix) + "tile/entries/");
  });
  if (checkpoint->size == 0 || checkpoint->size > static_cast<std::uint64_t>(tiles) * kTileWidth) {
    Error(path, "the checkpoint is of more entries than the bundle has, or of none");
    return false;
  }
  note_ = std::move(note).value();
  checkpoint_ = *checkpoint;
  report_.origin = checkpoint_.origin;
  report_.size = checkpoint_.size;
  report_.root = HashHex(checkpoint_.root);
  return true;
}

void Verifier::ReplayEntries() {
  for (const Tile& tile : TilesOf(checkpoint_.size)) {
    if (tile.level != 0) {
      continue;
    }
    const Result<std::string> content = bundle_.Read(std::string(kLogPrefix) + EntryTilePath(tile));
    std::string_view rest = content.ok() ? std::string_view(*content) : std::string_view();
    for (std::uint64_t i = 0; i < tile.width; ++i) {
      const Result<std::string_view> entry = TakeFromEntryTile(rest);
      CheckEntry(tile.number * kTileWidth + i, entry.ok() ? *entry : std::string_view());
      if (!genesis_ok_) {
        Error("", "without entry 0 there are no keys, so nothing that is signed can be checked");
        return;
      }
    }
  }
  report_.closed = replay_.state().closed();
  report_.mode = WireName(replay_.genesis().mode);
  Add(Severity::kNote, std::nullopt, "",
      replay_.genesis().mode == HostingMode::kHosted
          ? "hosted: the organisations keep their data and keys on one server; what it did outside the room shows "
            "nowhere"
          : "gated: every organisation serves its data only against a proof that it cosigned itself");
}

void Verifier::CheckEntry(std::uint64_t index, std::string_view bytes) {
  const Result<Entry> entry = ParseEntry(bytes);
  if (!IsGenuine(index) || !entry.ok()) {
    if (IsGenuine(index)) {
      EntryError(index, "", entry.status().message());
    }
    order_known_ = false;
    if (index != 0) {
      replay_.Skip();
    }
    return;
  }
  const Status status = replay_.Check(*entry, bytes, *tree_, SignatureCheck::kVerify);
  // What an entry that was left out had brought about is not known.
  if (!status.ok() && (order_known_ || status.code() != ErrorCode::kInvalidState)) {
    EntryError(index, "", status.message());
  }
  if (index == 0 && !status.ok()) {
    return;
  }
  genesis_ok_ = true;
  replay_.Apply(*entry, bytes);
  ++report_.event_counts[std::string(WireName(entry->type))];
  CheckTimes(index, *entry);
  CheckContents(index, *entry);
}

void Verifier::CheckTimes(std::uint64_t index, const Entry& entry) {
  if (newest_time_.has_value() && ToInt(entry.time) + limits::kLedgerClockSkewMsMax < ToInt(*newest_time_)) {
    Add(Severity::kWarning, index, "", "the operator's clock went back by more than a minute");
  }
  newest_time_ = std::max(newest_time_.value_or(entry.time), entry.time);
}

void Verifier::CheckIdentity() {
  if (!options_.pin.has_value()) {
    Add(Severity::kWarning, std::nullopt, std::string(kGenesisName),
        "no pin was given: that this is the room of your contract, and not a made-up one, was not checked");
  }
  if (!genesis_ok_) {
    return;
  }
  if (checkpoint_.origin != replay_.origin()) {
    Error(CheckpointPath(), "the checkpoint's origin is not the hash of entry 0");
  }
  if (options_.pin.has_value() && *options_.pin != replay_.room() && *options_.pin != replay_.origin()) {
    EntryError(0, "", "this is not the pinned room: entry 0 has another hash");
  }
}

void Verifier::CheckSignatures() {
  if (!genesis_ok_) {
    return;
  }
  const KeyHistory& history = replay_.keys();
  std::vector<VerifierKey> keys = {history.log_key()};
  std::vector<std::string> parties = {""};
  for (const EnrolledKey& known : history.keys()) {
    if (known.role == KeyRole::kWitness) {
      keys.push_back(known.key);
      parties.push_back(known.party);
    }
  }
  const Result<std::vector<VerifiedSignature>> verified = VerifyNote(*note_, keys);
  if (!verified.ok()) {
    Error(CheckpointPath(), verified.status().message());
    return;
  }
  std::set<std::string> signers;
  for (const VerifiedSignature& signature : *verified) {
    signers.insert(parties[signature.key]);
    const auto cosigned_ms = static_cast<std::int64_t>(signature.cosigned_at.value_or(0)) * kMsPerSecond;
    if (signature.cosigned_at.has_value() && newest_time_.has_value() &&
        cosigned_ms + kMsPerSecond + limits::kLedgerClockSkewMsMax < ToInt(*newest_time_)) {
      Add(Severity::kWarning, std::nullopt, CheckpointPath(),
          "'" + parties[signature.key] + "' cosigned before the time that the newest entry claims");
    }
  }
  if (!signers.contains("")) {
    Error(CheckpointPath(), "the checkpoint is not signed by the log's key");
  }
  for (const Collaborator& collaborator : replay_.genesis().collaborators) {
    if (signers.contains(collaborator.party)) {
      report_.cosigned_by.push_back(collaborator.party);
    } else {
      Error(CheckpointPath(), "collaborator '" + collaborator.party + "' has not cosigned the checkpoint");
    }
  }
}

void Verifier::CheckExtent() {
  if (checkpoint_.size < options_.min_size) {
    Error(CheckpointPath(), "the bundle was cut: it has " + std::to_string(checkpoint_.size) + " entries, at least " +
                                std::to_string(options_.min_size) + " are known");
  }
  if (!report_.closed && options_.min_size == 0 && options_.known_checkpoints.empty()) {
    Add(Severity::kWarning, std::nullopt, CheckpointPath(),
        "the room was not closed and no size to expect was given: whether later entries were left out was not checked");
  }
}

void Verifier::CheckKnownCheckpoints() {
  for (const std::string& known : options_.known_checkpoints) {
    const Result<Note> note = ParseNote(known);
    const Result<Checkpoint> checkpoint = note.ok() ? ParseCheckpoint(note->text) : note.status();
    if (!checkpoint.ok() || !genesis_ok_ || !VerifyNote(*note, {replay_.keys().log_key()}).ok()) {
      Error("", "a checkpoint that was given is not signed by this log");
    } else if (checkpoint->size > checkpoint_.size) {
      Error(CheckpointPath(), "the bundle was cut: a checkpoint of " + std::to_string(checkpoint->size) +
                                  " entries is known, it has " + std::to_string(checkpoint_.size));
    } else if (tree_.has_value() && tree_->Root(checkpoint->size) != checkpoint->root) {
      Error(CheckpointPath(), "a fork: the log signed another root for size " + std::to_string(checkpoint->size));
    }
  }
}

}  // namespace glovebox::ledger
