// SPDX-License-Identifier: Apache-2.0
//
// What a verifier reads from somebody else: archives and the files in them. The input is taken as a tar archive, and
// also as the pieces of a small bundle, so that the fuzzer gets behind the archive's checksums.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "ledger/bundle.h"
#include "ledger/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace glovebox::ledger;  // NOLINT(google-build-using-namespace)
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const VerifyOptions options;
  if (const auto bundle = ReadTarBundle(input); bundle.ok()) {
    static_cast<void>(Verify(**bundle, options).ToText());
  }
  // Checkpoint, entries, leaf hashes, and one file of each other kind, between bytes 0xFF.
  const char* const names[] = {"data/log/checkpoint",    "data/log/tile/entries/000.p/1", "data/log/tile/0/000.p/1",
                               "data/keys/history.json", "data/openings/0.json",          "manifest-sha256.txt",
                               "tagmanifest-sha256.txt"};
  std::map<std::string, std::string> files;
  std::string_view rest = input;
  for (const char* name : names) {
    const std::size_t end = rest.find('\xFF');
    files[name] = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  const Report report = Verify(MemoryBundle(files), options);
  GB_ASSERT(!report.ok);  // it has no signatures that hold
  return 0;
}
