// SPDX-License-Identifier: Apache-2.0
//
// The steps of verification; private to ledger/verify. Each step adds findings and leaves what the next ones need.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/bundle_files.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/replay.h"
#include "ledger/tiles.h"
#include "ledger/verify.h"

namespace glovebox::ledger {

class Verifier {
 public:
  Verifier(const BundleFiles& bundle, const VerifyOptions& options) : bundle_(bundle), options_(options) {}
  Report Run();

 private:
  // verifier.cc
  bool ReadCheckpoint();
  void CheckIdentity();
  void ReplayEntries();
  void CheckEntry(std::uint64_t index, std::string_view bytes);
  void CheckTimes(std::uint64_t index, const Entry& entry);
  void CheckSignatures();
  void CheckExtent();
  void CheckKnownCheckpoints();
  // verifier_tree.cc
  void HashEntries();
  void HashEntryTile(const Tile& tile);
  void CheckLeafTile(const Tile& tile);
  void CheckUpperTile(const Tile& tile);
  void ChooseTree();
  // verifier_files.cc
  void CheckDerivedFiles();
  void ListContents();
  void ReadOpenings(const std::string& path);
  void CheckContents(std::uint64_t index, const Entry& entry);
  void NoteDigests(const json::Value& value);
  void FinishContents();
  void CheckManifests();
  void CheckManifest(const std::string& name, const std::vector<std::string>& files);
  void CheckNoOtherFiles();

  void Add(Severity severity, std::optional<std::uint64_t> entry, std::string file, std::string text);
  void Error(std::string file, std::string text) {
    Add(Severity::kError, std::nullopt, std::move(file), std::move(text));
  }
  void EntryError(std::uint64_t entry, std::string file, std::string text) {
    Add(Severity::kError, entry, std::move(file), std::move(text));
  }
  // The file's content; a finding and nullopt if it cannot be read.
  std::optional<std::string> Read(const std::string& path);
  // Whether the entry is the one under the signed root.
  [[nodiscard]] bool IsGenuine(std::uint64_t index) const;

  const BundleFiles& bundle_;
  const VerifyOptions& options_;
  Report report_;

  std::optional<Note> note_;
  Checkpoint checkpoint_;
  std::vector<std::optional<Hash>> leaves_;  // of the entries as they are; nullopt: cannot be taken apart
  std::vector<std::optional<Hash>> tiled_leaves_;
  std::optional<Tree> tree_;  // the one whose root was signed
  Replay replay_;
  bool genesis_ok_ = false;
  bool order_known_ = true;  // no entry so far had to be left out
  std::optional<TimeMs> newest_time_;
  std::set<std::string> expected_files_;
  std::map<std::string, bool> blobs_;                           // digest -> named by an entry
  std::map<std::uint64_t, std::vector<std::string>> openings_;  // by entry
};

}  // namespace glovebox::ledger
