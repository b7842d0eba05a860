// SPDX-License-Identifier: Apache-2.0
#include "ledger/bundle.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/errors.h"
#include "base/file.h"
#include "base/json.h"
#include "base/result.h"
#include "ledger/bundle_readme.h"
#include "ledger/entry.h"
#include "ledger/log.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/tar.h"
#include "ledger/tiles.h"

namespace glovebox::ledger {
namespace {

constexpr std::size_t kShortRoomDigits = 16;
constexpr std::int64_t kMsPerSecond = 1'000;
constexpr std::size_t kDateChars = 10;

// Hands files on and notes their digests for the manifests.
class Bag {
 public:
  explicit Bag(BundleSink& sink) : sink_(sink) {}

  Status Add(const std::string& path, std::string_view content) {
    digests_[path] = HashHex(RawHash(content));
    bytes_ += content.size();
    return sink_.Add(path, content);
  }

  // The files of BagIt itself, after the payload.
  Status Finish(const Checkpoint& checkpoint, TimeMs newest) {
    const std::string info =
        "Bag-Software-Agent: glovebox\nBagging-Date: " + FormatRfc3339(newest).substr(0, kDateChars) +
        "\nExternal-Identifier: " + checkpoint.origin + "\nPayload-Oxum: " + std::to_string(bytes_) + "." +
        std::to_string(digests_.size()) + "\n";
    std::string manifest;
    for (const auto& [path, digest] : digests_) {
      manifest += ManifestLine(digest, path);
    }
    const std::map<std::string, std::string> tags = {
        {"bag-info.txt", info}, {"bagit.txt", std::string(kBagDeclaration)}, {std::string(kManifestName), manifest}};
    std::string tag_manifest;
    for (const auto& [path, content] : tags) {
      tag_manifest += ManifestLine(HashHex(RawHash(content)), path);
      GB_RETURN_IF_ERROR(sink_.Add(path, content));
    }
    GB_RETURN_IF_ERROR(sink_.Add(std::string(kTagManifestName), tag_manifest));
    return sink_.Finish();
  }

 private:
  BundleSink& sink_;
  std::map<std::string, std::string> digests_;
  std::uint64_t bytes_ = 0;
};

Status AddLog(const Log& log, const Snapshot& snapshot, const Tree& tree, Bag& bag) {
  const std::string prefix(kLogPrefix);
  GB_RETURN_IF_ERROR(bag.Add(prefix + "checkpoint", snapshot.note));
  for (const Tile& tile : TilesOf(snapshot.checkpoint.size)) {
    GB_RETURN_IF_ERROR(bag.Add(prefix + TilePath(tile), TileContent(tree, tile)));
    if (tile.level != 0) {
      continue;
    }
    std::string content;
    for (std::uint64_t i = 0; i < tile.width; ++i) {
      GB_ASSIGN_OR_RETURN(const std::string entry, log.Read(tile.number * kTileWidth + i));
      AppendToEntryTile(entry, content);
    }
    GB_RETURN_IF_ERROR(bag.Add(prefix + EntryTilePath(tile), content));
  }
  return {};
}

Status AddContents(const BundleContents& contents, Bag& bag) {
  for (const auto& [digest, load] : contents.blobs) {
    GB_ASSIGN_OR_RETURN(const std::string blob, load());
    if (HashHex(RawHash(blob)) != digest) {
      return {ErrorCode::kDataLoss, "a content that the ledger names does not have its digest any more"};
    }
    GB_RETURN_IF_ERROR(bag.Add(BlobPath(digest), blob));
  }
  for (const OpeningSet& set : contents.openings) {
    json::Array openings;
    for (const std::string& opening : set.openings) {
      openings.emplace_back(opening);
    }
    GB_RETURN_IF_ERROR(bag.Add(std::string(kOpeningPrefix) + std::to_string(set.index) + ".json",
                               json::WriteCanonical(json::Object{{"openings", std::move(openings)}})));
  }
  return {};
}

class FolderSink final : public BundleSink {
 public:
  explicit FolderSink(std::string folder) : folder_(std::move(folder)) {}

  Status Begin(const std::string&, std::int64_t) override {
    if (FileExists(folder_)) {
      return {ErrorCode::kAlreadyExists, "the folder for the bundle exists"};
    }
    return MakeDirectories(folder_);
  }
  Status Add(const std::string& path, std::string_view content) override {
    const std::string target = folder_ + "/" + path;
    GB_RETURN_IF_ERROR(MakeDirectories(target.substr(0, target.rfind('/'))));
    return WriteFileDurably(target, content, kMode);
  }
  Status Finish() override { return {}; }

 private:
  static constexpr unsigned kMode = 0644;
  std::string folder_;
};

class TarSink final : public BundleSink {
 public:
  explicit TarSink(const std::function<Status(std::string_view)>& write) : write_(write) {}

  Status Begin(const std::string& name, std::int64_t time_s) override {
    name_ = name;
    time_s_ = time_s;
    return {};
  }
  Status Add(const std::string& path, std::string_view content) override {
    GB_ASSIGN_OR_RETURN(const std::string header, TarHeader(name_ + "/" + path, content.size(), time_s_));
    GB_RETURN_IF_ERROR(write_(header));
    GB_RETURN_IF_ERROR(write_(content));
    return write_(TarPadding(content.size()));
  }
  Status Finish() override { return write_(TarEnd()); }

 private:
  const std::function<Status(std::string_view)>& write_;
  std::string name_;
  std::int64_t time_s_ = 0;
};

}  // namespace

std::string ManifestLine(std::string_view digest_hex, std::string_view path) {
  return std::string(digest_hex) + "  " + std::string(path) + "\n";
}

std::string BlobPath(std::string_view digest_hex) {
  return std::string(kBlobPrefix) + std::string(digest_hex.substr(0, 2)) + "/" + std::string(digest_hex);
}

Status WriteBundle(const Log& log, const BundleContents& contents, BundleSink& sink) {
  const Snapshot snapshot = log.Latest();
  const Tree tree = log.CopyTree();  // may have grown since; what is below the snapshot's size is the same
  GB_ASSIGN_OR_RETURN(const std::string first, log.Read(0));
  GB_ASSIGN_OR_RETURN(const std::string last, log.Read(snapshot.checkpoint.size - 1));
  GB_ASSIGN_OR_RETURN(const Entry newest, ParseEntry(last));
  GB_RETURN_IF_ERROR(
      sink.Begin(log.room().substr(0, kShortRoomDigits) + "-evidence-" + std::to_string(snapshot.checkpoint.size),
                 ToInt(newest.time) / kMsPerSecond));
  Bag bag(sink);
  GB_RETURN_IF_ERROR(bag.Add(std::string(kReadmeName), BundleReadme(snapshot.checkpoint)));
  GB_RETURN_IF_ERROR(bag.Add(std::string(kGenesisName), first));
  GB_RETURN_IF_ERROR(bag.Add(std::string(kPolicyName), snapshot.keys.Policy()));
  GB_RETURN_IF_ERROR(bag.Add(std::string(kKeysName), json::WriteCanonical(snapshot.keys.ToJson())));
  GB_RETURN_IF_ERROR(AddLog(log, snapshot, tree, bag));
  GB_RETURN_IF_ERROR(AddContents(contents, bag));
  return bag.Finish(snapshot.checkpoint, newest.time);
}

Status WriteBundleFolder(const Log& log, const BundleContents& contents, const std::string& folder) {
  FolderSink sink(folder);
  return WriteBundle(log, contents, sink);
}

Status WriteBundleTar(const Log& log, const BundleContents& contents,
                      const std::function<Status(std::string_view)>& write) {
  TarSink sink(write);
  return WriteBundle(log, contents, sink);
}

}  // namespace glovebox::ledger
