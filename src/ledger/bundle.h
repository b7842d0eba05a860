// SPDX-License-Identifier: Apache-2.0
//
// The evidence bundle: a room's ledger with all that is needed to check it without this software and without a server.
// A BagIt folder (RFC 8493), as files or as one tar stream:
//
//   bagit.txt bag-info.txt manifest-sha256.txt tagmanifest-sha256.txt
//   data/README-VERIFY.txt      the check by hand, with openssl and sha256sum
//   data/genesis.json           the bytes of entry 0
//   data/policy.txt             whose signatures a checkpoint needs
//   data/keys/history.json      every key with its party and first index
//   data/log/checkpoint, data/log/tile/...
//   data/blobs/sha256/ab/abcd.. content that entries name by digest
//   data/openings/<index>.json  openings of commitments that the recipient may see
//
// Invariant: a bundle is of one moment, whatever is appended meanwhile. data/log, genesis.json, policy.txt and keys are
// the same bytes for every recipient at the same size; blobs and openings are what the caller hands in, and the caller
// decides who may see them.
// Errors: those of the sink and of the blobs; DATA_LOSS if the log's disk is bad or a blob has another digest. Threads:
// thread-safe as far as the sink is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/log.h"

namespace glovebox::ledger {

struct OpeningSet {
  std::uint64_t index = 0;  // of the entry
  std::vector<std::string> openings;
};

// Hex SHA-256 -> reads the content, which is in memory only while it is written.
using Blobs = std::map<std::string, std::function<Result<std::string>()>>;

struct BundleContents {
  Blobs blobs;
  std::vector<OpeningSet> openings;
};

// Takes the files of a bundle one by one.
class BundleSink {
 public:
  virtual ~BundleSink() = default;
  // Once, before all files: the name of the bundle's folder and the time of its newest entry.
  virtual Status Begin(const std::string& name, std::int64_t time_s) = 0;
  virtual Status Add(const std::string& path, std::string_view content) = 0;
  virtual Status Finish() = 0;
};

Status WriteBundle(const Log& log, const BundleContents& contents, BundleSink& sink);

// Writes the files under `folder`, which must not exist. Returns ALREADY_EXISTS if it does.
Status WriteBundleFolder(const Log& log, const BundleContents& contents, const std::string& folder);
// Hands out an uncompressed tar archive in pieces, in which the files are under one folder "<room>-evidence-<size>".
Status WriteBundleTar(const Log& log, const BundleContents& contents,
                      const std::function<Status(std::string_view)>& write);

// Names within a bundle, for its reader.
inline constexpr std::string_view kBagFiles[] = {"bag-info.txt", "bagit.txt", "manifest-sha256.txt"};
inline constexpr std::string_view kManifestName = "manifest-sha256.txt";
inline constexpr std::string_view kTagManifestName = "tagmanifest-sha256.txt";
inline constexpr std::string_view kBagDeclaration = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
inline constexpr std::string_view kReadmeName = "data/README-VERIFY.txt";
inline constexpr std::string_view kGenesisName = "data/genesis.json";
inline constexpr std::string_view kPolicyName = "data/policy.txt";
inline constexpr std::string_view kKeysName = "data/keys/history.json";
inline constexpr std::string_view kLogPrefix = "data/log/";
inline constexpr std::string_view kBlobPrefix = "data/blobs/sha256/";
inline constexpr std::string_view kOpeningPrefix = "data/openings/";
// The manifest's line for a file.
std::string ManifestLine(std::string_view digest_hex, std::string_view path);
std::string BlobPath(std::string_view digest_hex);

}  // namespace glovebox::ledger
