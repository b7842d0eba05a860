// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/file.h"

namespace glovebox::engine::worker {
namespace {

// Spelled out, because headers are often older than the kernel that runs.
constexpr std::uint64_t kWriteFile = 1U << 1U;
constexpr std::uint64_t kReadFile = 1U << 2U;
constexpr std::uint64_t kReadDir = 1U << 3U;
constexpr std::uint64_t kRemoveDir = 1U << 4U;
constexpr std::uint64_t kRemoveFile = 1U << 5U;
constexpr std::uint64_t kMakeDir = 1U << 7U;
constexpr std::uint64_t kMakeRegular = 1U << 8U;
constexpr std::uint64_t kTruncate = 1U << 14U;

constexpr std::uint64_t kAllTcp = 3;     // bind, connect
constexpr std::uint64_t kAllScopes = 3;  // abstract sockets, signals

// Number of file rights and what else there is, by ABI version.
constexpr std::array<unsigned, 6> kFileRightsByAbi = {0, 13, 14, 15, 15, 16};
constexpr int kAbiWithTcp = 4;
constexpr int kAbiWithScopes = 6;

struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t tcp;
  std::uint64_t scopes;
};

std::uint64_t HandledFiles(int abi) {
  const auto index = std::min(static_cast<std::size_t>(abi), kFileRightsByAbi.size() - 1);
  return (std::uint64_t{1} << kFileRightsByAbi[index]) - 1;
}

// Older kernels refuse a structure with members that they do not know.
std::size_t AttributeBytes(int abi) {
  return abi >= kAbiWithScopes ? sizeof(RulesetAttributes)
         : abi >= kAbiWithTcp  ? offsetof(RulesetAttributes, scopes)
                               : offsetof(RulesetAttributes, tcp);
}

Status Allow(int ruleset, const std::string& path, std::uint64_t rights) {
  const UniqueFd target(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!target.valid()) {
    return {ErrorCode::kInternal, "a file of the job cannot be opened"};
  }
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = target.get();
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    return {ErrorCode::kInternal, "a file of the job cannot be allowed"};
  }
  return {};
}

}  // namespace

Result<int> ApplyLandlock(const Confinement& confinement) {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version <= 0) {
    return 0;
  }
  const int abi = static_cast<int>(version);
  const std::uint64_t handled = HandledFiles(abi);
  const RulesetAttributes attributes = {.files = handled, .tcp = kAllTcp, .scopes = kAllScopes};
  const UniqueFd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, AttributeBytes(abi), 0)));
  if (!ruleset.valid()) {
    return Status(ErrorCode::kInternal, "the kernel refuses a Landlock ruleset");
  }
  for (const std::string& file : confinement.readable_files) {
    GB_RETURN_IF_ERROR(Allow(ruleset.get(), file, kReadFile));
  }
  const std::uint64_t write =
      kWriteFile | kReadFile | kReadDir | kRemoveDir | kRemoveFile | kMakeDir | kMakeRegular | kTruncate;
  for (const std::string& folder : confinement.writable_folders) {
    GB_RETURN_IF_ERROR(Allow(ruleset.get(), folder, write & handled));
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return Status(ErrorCode::kInternal, "the kernel refuses to restrict the worker");
  }
  return abi;
}

}  // namespace glovebox::engine::worker
