// SPDX-License-Identifier: Apache-2.0
#include "ledger/tar.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "base/result.h"

namespace glovebox::ledger {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameBytes = 100;
constexpr std::size_t kPrefixBytes = 155;
// Offsets of the header's fields.
constexpr std::size_t kModeAt = 100;
constexpr std::size_t kSizeAt = 124;
constexpr std::size_t kTimeAt = 136;
constexpr std::size_t kChecksumAt = 148;
constexpr std::size_t kTypeAt = 156;
constexpr std::size_t kMagicAt = 257;
constexpr std::size_t kPrefixAt = 345;
constexpr std::size_t kShortNumber = 8;
constexpr std::size_t kLongNumber = 12;
constexpr std::uint64_t kSizeMax = (std::uint64_t{1} << 33U) - 1;  // 11 octal digits
constexpr std::string_view kMagic{"ustar\00000", 8};
constexpr char kRegularFile = '0';
constexpr char kFolder = '5';

Status Bad(std::string message) { return {ErrorCode::kInvalidParameterValue, std::move(message)}; }

void PutOctal(std::uint64_t value, std::size_t at, std::size_t width, std::string& header) {
  for (std::size_t i = width - 1; i > 0; --i) {
    header[at + i - 1] = static_cast<char>('0' + (value & 7U));
    value >>= 3U;
  }
}

std::optional<std::uint64_t> GetOctal(std::string_view header, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  std::size_t i = 0;
  for (; i < width && header[at + i] >= '0' && header[at + i] <= '7'; ++i) {
    value = (value << 3U) | static_cast<std::uint64_t>(header[at + i] - '0');
  }
  const bool ended = i > 0 && i < width && (header[at + i] == '\0' || header[at + i] == ' ');
  return ended ? std::optional(value) : std::nullopt;
}

// The sum of all bytes of the header, with the checksum's own field as spaces.
std::uint64_t Checksum(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksumAt && i < kChecksumAt + kShortNumber;
    sum += own ? std::uint64_t{' '} : static_cast<unsigned char>(header[i]);
  }
  return sum;
}

std::string_view TextAt(std::string_view header, std::size_t at, std::size_t width) {
  const std::string_view field = header.substr(at, width);
  return field.substr(0, field.find('\0'));
}

bool IsSafePath(std::string_view path) {
  if (path.empty() || path.front() == '/') {
    return false;
  }
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") {
      return false;
    }
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return true;
}

}  // namespace

Result<std::string> TarHeader(std::string_view path, std::uint64_t bytes, std::int64_t time_s) {
  if (!IsSafePath(path) || bytes > kSizeMax || time_s < 0) {
    return Bad("a file cannot be put into a tar archive: its path, size or time is out of range");
  }
  std::string_view name = path;
  std::string_view prefix;
  if (name.size() > kNameBytes) {
    // The last slash that leaves a name that fits.
    const std::size_t slash = path.find('/', path.size() - kNameBytes - 1);
    if (slash == std::string_view::npos || slash > kPrefixBytes) {
      return Bad("a path is too long for a tar archive");
    }
    prefix = path.substr(0, slash);
    name = path.substr(slash + 1);
  }
  constexpr std::uint64_t kMode = 0644;
  std::string header(kBlock, '\0');
  header.replace(0, name.size(), name);
  PutOctal(kMode, kModeAt, kShortNumber, header);
  PutOctal(0, kModeAt + kShortNumber, kShortNumber, header);
  PutOctal(0, kModeAt + 2 * kShortNumber, kShortNumber, header);
  PutOctal(bytes, kSizeAt, kLongNumber, header);
  PutOctal(static_cast<std::uint64_t>(time_s), kTimeAt, kLongNumber, header);
  header[kTypeAt] = kRegularFile;
  header.replace(kMagicAt, kMagic.size(), kMagic);
  header.replace(kPrefixAt, prefix.size(), prefix);
  PutOctal(Checksum(header), kChecksumAt, kShortNumber - 1, header);
  header[kChecksumAt + kShortNumber - 1] = ' ';
  return header;
}

std::string TarPadding(std::uint64_t bytes) {
  return std::string(static_cast<std::size_t>((kBlock - bytes % kBlock) % kBlock), '\0');
}

std::string TarEnd() { return std::string(2 * kBlock, '\0'); }

Result<std::map<std::string, std::string>> ReadTar(std::string_view archive) {
  std::map<std::string, std::string> files;
  while (archive.size() >= kBlock) {
    const std::string_view header = archive.substr(0, kBlock);
    if (header.find_first_not_of('\0') == std::string_view::npos) {
      return files;
    }
    archive.remove_prefix(kBlock);
    const std::optional<std::uint64_t> bytes = GetOctal(header, kSizeAt, kLongNumber);
    const std::optional<std::uint64_t> checksum = GetOctal(header, kChecksumAt, kShortNumber);
    if (!bytes.has_value() || checksum != Checksum(header) || header.substr(kMagicAt, 5) != kMagic.substr(0, 5)) {
      return Bad("the archive has a header that is not ustar");
    }
    const std::uint64_t padded = *bytes + TarPadding(*bytes).size();
    if (*bytes > limits::kLedgerBundleFileBytesMax || padded > archive.size()) {
      return Bad("the archive ends within a file, or a file is too large");
    }
    std::string path(TextAt(header, kPrefixAt, kPrefixBytes));
    path += path.empty() ? "" : "/";
    path += TextAt(header, 0, kNameBytes);
    if (header[kTypeAt] != kFolder) {
      if (header[kTypeAt] != kRegularFile || !IsSafePath(path) || files.size() >= limits::kLedgerBundleFilesMax) {
        return Bad("the archive has something else than plain files, or too many of them");
      }
      if (!files.emplace(std::move(path), archive.substr(0, *bytes)).second) {
        return Bad("the archive has two files of one name");
      }
    }
    archive.remove_prefix(padded);
  }
  return Bad("the archive has no end");
}

}  // namespace glovebox::ledger
