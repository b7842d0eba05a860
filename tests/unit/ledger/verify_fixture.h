// SPDX-License-Identifier: Apache-2.0
//
// Bundles in memory, to be changed and judged.
#pragma once

#include <map>
#include <string>

#include "tests/unit/ledger/fixture.h"

namespace glovebox::ledger {

using Files = std::map<std::string, std::string>;

inline Report Check(const Files& files, const VerifyOptions& options) { return Verify(MemoryBundle(files), options); }

inline bool Mentions(const Report& report, const std::string& text) {
  for (const Finding& finding : report.findings) {
    if (finding.text.find(text) != std::string::npos) {
      return true;
    }
  }
  return false;
}

// The files with manifests that fit them, as somebody who changed one would make them.
inline Files WithManifests(Files files) {
  std::string manifest;
  for (const auto& [path, content] : files) {
    manifest += ManifestLine(HashHex(RawHash(content)), path);
  }
  files["bag-info.txt"] = "";
  files["bagit.txt"] = kBagDeclaration;
  files["manifest-sha256.txt"] = manifest;
  std::string tags;
  for (const std::string_view name : kBagFiles) {
    tags += ManifestLine(HashHex(RawHash(files[std::string(name)])), name);
  }
  files["tagmanifest-sha256.txt"] = tags;
  return files;
}

}  // namespace glovebox::ledger
