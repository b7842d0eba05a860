// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "ledger/bundle.h"
#include "ledger/bundle_readme.h"
#include "ledger/commitment.h"
#include "ledger/entry.h"
#include "ledger/fields.h"
#include "ledger/merkle.h"
#include "ledger/verifier.h"
#include "ledger/verify.h"

namespace glovebox::ledger {
namespace {

constexpr std::string_view kJson = ".json";

// The index that names an openings file: decimal, without leading zeros.
std::optional<std::uint64_t> IndexOf(const std::string& path) {
  if (!path.starts_with(kOpeningPrefix) || !path.ends_with(kJson) ||
      path.size() <= kOpeningPrefix.size() + kJson.size()) {
    return std::nullopt;
  }
  const std::string digits = path.substr(kOpeningPrefix.size(), path.size() - kOpeningPrefix.size() - kJson.size());
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  const bool exact = error == std::errc() && end == digits.data() + digits.size() && std::to_string(index) == digits;
  return exact ? std::optional(index) : std::nullopt;
}

std::set<std::string> LinesOf(std::string_view text) {
  std::set<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    lines.emplace(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace

void Verifier::CheckDerivedFiles() {
  const std::optional<std::string> readme = Read(std::string(kReadmeName));
  if (readme.has_value() && *readme != BundleReadme(checkpoint_)) {
    Add(Severity::kWarning, std::nullopt, std::string(kReadmeName),
        "the instructions are not those that this version writes; read them before you follow them");
  }
  const std::optional<std::string> genesis = Read(std::string(kGenesisName));
  const std::optional<std::string> policy = Read(std::string(kPolicyName));
  const std::optional<std::string> keys = Read(std::string(kKeysName));
  if (!genesis_ok_) {
    return;
  }
  if (genesis.has_value() && HashHex(RawHash(*genesis)) != replay_.room()) {
    EntryError(0, std::string(kGenesisName), "the file is not entry 0");
  }
  if (policy.has_value() && *policy != replay_.keys().Policy()) {
    Error(std::string(kPolicyName), "the policy is not the one that follows from the log's keys");
  }
  if (keys.has_value() && *keys != json::WriteCanonical(replay_.keys().ToJson())) {
    Error(std::string(kKeysName), "the keys are not those that the log enrolled");
  }
}

void Verifier::ListContents() {
  for (const std::string& path : bundle_.paths()) {
    if (path.starts_with(kBlobPrefix)) {
      const std::string digest = path.substr(path.rfind('/') + 1);
      const std::optional<std::string> content = Read(path);
      if (!IsDigest(digest) || path != BlobPath(digest) ||
          (content.has_value() && HashHex(RawHash(*content)) != digest)) {
        Error(path, "the content does not have the digest that names the file");
      }
      blobs_.emplace(digest, false);
    } else if (path.starts_with(kOpeningPrefix)) {
      ReadOpenings(path);
    }
  }
}

void Verifier::ReadOpenings(const std::string& path) {
  const std::optional<std::uint64_t> index = IndexOf(path);
  const std::optional<std::string> content = Read(path);
  if (!content.has_value()) {
    return;
  }
  const Result<json::Value> value = json::Parse(*content, limits::kLedgerJsonDepthMax);
  const json::Value* openings = value.ok() ? value->Get("openings") : nullptr;
  if (!index.has_value() || *index >= checkpoint_.size || openings == nullptr || !openings->is_array()) {
    Error(path, "the file is no list of openings of an entry");
    return;
  }
  std::vector<std::string>& list = openings_[*index];
  for (const json::Value& opening : openings->as_array()) {
    list.push_back(opening.is_string() ? opening.as_string() : "");
  }
}

void Verifier::CheckContents(std::uint64_t index, const Entry& entry) {
  NoteDigests(entry.data);
  const json::Value* named = entry.data.Find("blobs");
  if (named != nullptr && named->is_array()) {
    for (const json::Value& digest : named->as_array()) {
      if (!digest.is_string() || !blobs_.contains(digest.as_string())) {
        Add(Severity::kWarning, index, "", "a blob that the entry names is not in this bundle");
      }
    }
  }
  const auto openings = openings_.find(index);
  if (openings == openings_.end()) {
    return;
  }
  const json::Value* commitments = entry.data.Find("sd");
  for (const std::string& opening : openings->second) {
    const std::string commitment = CommitmentOf(opening);
    const bool committed = commitments != nullptr && commitments->is_array() &&
                           std::any_of(commitments->as_array().begin(), commitments->as_array().end(),
                                       [&](const json::Value& one) { return one == json::Value(commitment); });
    if (!committed || !OpenCommitment(opening, commitment).ok()) {
      EntryError(index, std::string(kOpeningPrefix) + std::to_string(index) + std::string(kJson),
                 "an opening is malformed, or the entry has no commitment to it");
    }
  }
}

void Verifier::NoteDigests(const json::Value& value) {
  if (value.is_string()) {
    if (const auto blob = blobs_.find(value.as_string()); blob != blobs_.end()) {
      blob->second = true;
    }
  } else if (value.is_array()) {
    for (const json::Value& element : value.as_array()) {
      NoteDigests(element);
    }
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.as_object()) {
      NoteDigests(member);
    }
  }
}

void Verifier::FinishContents() {
  for (const auto& [digest, named] : blobs_) {
    if (!named && order_known_) {
      Add(Severity::kWarning, std::nullopt, BlobPath(digest), "no entry names this content");
    }
  }
}

void Verifier::CheckNoOtherFiles() {
  expected_files_.insert(std::string(kTagManifestName));
  for (const std::string_view name : kBagFiles) {
    expected_files_.insert(std::string(name));
  }
  for (const std::string& path : bundle_.paths()) {
    if (!expected_files_.contains(path)) {
      Add(Severity::kWarning, std::nullopt, path, "the file is no part of the evidence");
    }
  }
}

void Verifier::CheckManifests() {
  std::vector<std::string> payload;
  for (const std::string& path : bundle_.paths()) {
    if (path.starts_with("data/")) {
      payload.push_back(path);
    }
  }
  CheckManifest(std::string(kManifestName), payload);
  CheckManifest(std::string(kTagManifestName), {std::begin(kBagFiles), std::end(kBagFiles)});
}

void Verifier::CheckManifest(const std::string& name, const std::vector<std::string>& files) {
  const std::optional<std::string> manifest = Read(name);
  if (!manifest.has_value()) {
    return;
  }
  const std::set<std::string> lines = LinesOf(*manifest);
  std::string expected;
  bool reported = false;
  for (const std::string& path : files) {
    const Result<std::string> content = bundle_.Read(path);
    const std::string line = ManifestLine(content.ok() ? HashHex(RawHash(*content)) : std::string(), path);
    expected += line;
    if (!lines.contains(line)) {
      Error(path, "the file is not the one that " + name + " names");
      reported = true;
    }
  }
  if (!reported && *manifest != expected) {
    Error(name, "the manifest names files that are not there, or is not in its sorted form");
  }
}

}  // namespace glovebox::ledger
