// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/private_root.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "base/file.h"

namespace glovebox::engine::worker {
namespace {

// Nobody's: no account, no file, no other process.
constexpr uid_t kWorkerUid = 64'001;
constexpr int kLastCapabilityMax = 63;
constexpr unsigned kCapabilityWordBits = 32;
constexpr int kOwnNamespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
constexpr mode_t kFolderMode = 0755;
constexpr mode_t kFileMode = 0444;

Status Failed(const char* what) { return {ErrorCode::kInternal, std::string("the worker cannot ") + what}; }

bool WriteProcFile(const char* path, const std::string& text) {
  const UniqueFd file(open(path, O_WRONLY | O_CLOEXEC));
  return file.valid() && WriteAll(file.get(), text).ok();
}

struct Mount {
  std::string path;
  UniqueFd tree;
  bool folder;
};

// A detached copy of the mount at `path`, with nothing below it but itself. Invalid if that is refused.
UniqueFd CloneTree(const std::string& path, bool writable) {
  UniqueFd tree(open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  attributes.attr_set |= writable ? 0U : static_cast<std::uint64_t>(MOUNT_ATTR_RDONLY);
  if (!tree.valid() || mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) != 0) {
    return UniqueFd();
  }
  return tree;
}

// All paths, the shorter ones first, so that a folder is there before what lies in it. Empty if one is refused.
std::vector<Mount> CloneTrees(const Confinement& confinement) {
  std::vector<Mount> mounts;
  for (const std::string& file : confinement.readable_files) {
    mounts.push_back({.path = file, .tree = CloneTree(file, false), .folder = false});
  }
  for (const std::string& folder : confinement.writable_folders) {
    mounts.push_back({.path = folder, .tree = CloneTree(folder, true), .folder = true});
  }
  const bool complete = std::all_of(mounts.begin(), mounts.end(), [](const Mount& m) { return m.tree.valid(); });
  if (!complete) {
    mounts.clear();
  }
  std::sort(mounts.begin(), mounts.end(), [](const Mount& a, const Mount& b) { return a.path.size() < b.path.size(); });
  return mounts;
}

bool MakeFolder(const std::string& path) { return mkdir(path.c_str(), kFolderMode) == 0 || errno == EEXIST; }

// Creates what is missing of `root` + `path` to mount on.
bool MakeMountPoint(const std::string& root, const Mount& mount) {
  for (std::size_t slash = mount.path.find('/', 1); slash != std::string::npos;
       slash = mount.path.find('/', slash + 1)) {
    if (!MakeFolder(root + mount.path.substr(0, slash))) {
      return false;
    }
  }
  const std::string target = root + mount.path;
  if (mount.folder) {
    return MakeFolder(target);
  }
  struct stat there{};
  return stat(target.c_str(), &there) == 0 ||
         UniqueFd(open(target.c_str(), O_CREAT | O_RDONLY | O_CLOEXEC, kFileMode)).valid();
}

// A folder that exists nearly everywhere, to mount the new root on; what was in it is already held by descriptors.
std::string StagingFolder() {
  for (const char* path : {"/tmp", "/run", "/mnt", "/var"}) {
    struct stat there{};
    if (stat(path, &there) == 0 && S_ISDIR(there.st_mode)) {
      return path;
    }
  }
  return "";
}

bool SwitchRootTo(const std::string& staging) {
  return chdir(staging.c_str()) == 0 && syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0 &&
         chdir("/") == 0 &&
         mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) ==
             0;
}

// Leaves the calling thread those of its capabilities that are in `mask`, and nothing inheritable.
bool KeepCapabilities(std::uint64_t mask) {
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (syscall(SYS_capget, &header, data.data()) != 0) {
    return false;
  }
  for (__user_cap_data_struct& word : data) {
    word.permitted &= static_cast<std::uint32_t>(mask);
    word.effective = word.permitted;
    word.inheritable = 0;
    mask >>= kCapabilityWordBits;
  }
  return syscall(SYS_capset, &header, data.data()) == 0;
}

// What the caller may not drop, it does not have.
void DropBoundingSet() {
  for (int capability = 0; capability <= kLastCapabilityMax; ++capability) {
    (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

bool g_own_user_namespace = false;  // set once by EnterNamespaces, before any thread

}  // namespace

Result<bool> EnterNamespaces() {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (uid == 0) {
    // Not through a user namespace: its root would still be the root outside to all that asks for the uid only.
    return unshare(kOwnNamespaces) == 0;
  }
  if (unshare(CLONE_NEWUSER | kOwnNamespaces) != 0) {
    return false;
  }
  const std::string same_uid = std::to_string(uid) + " " + std::to_string(uid) + " 1";
  const std::string same_gid = std::to_string(gid) + " " + std::to_string(gid) + " 1";
  if (!WriteProcFile("/proc/self/setgroups", "deny") || !WriteProcFile("/proc/self/uid_map", same_uid) ||
      !WriteProcFile("/proc/self/gid_map", same_gid)) {
    return Failed("keep its identity in its namespace");
  }
  g_own_user_namespace = true;
  return true;
}

Result<bool> EnterPrivateRoot(const Confinement& confinement) {
  const std::string staging = StagingFolder();
  const bool empty = confinement.readable_files.empty() && confinement.writable_folders.empty();
  if (staging.empty() || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return false;
  }
  const std::vector<Mount> mounts = CloneTrees(confinement);
  if (mounts.empty() != empty) {
    return false;
  }
  if (mount("tmpfs", staging.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") != 0) {
    return false;
  }
  // From here on the old files are hidden in part: there is no way back.
  const mode_t previous = umask(0);  // the worker, who may be another user by then, must be able to pass
  for (const Mount& mount : mounts) {
    if (!MakeMountPoint(staging, mount) ||
        move_mount(mount.tree.get(), "", AT_FDCWD, (staging + mount.path).c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
      return Failed("mount a file of its job");
    }
  }
  umask(previous);
  if (!SwitchRootTo(staging)) {
    return Failed("change its root");
  }
  return true;
}

Result<bool> DropPrivileges() {
  DropBoundingSet();
  const bool outer_root = geteuid() == 0 && !g_own_user_namespace;
  if (!outer_root) {
    if (!KeepCapabilities(0)) {
      return Failed("give up its capabilities");
    }
    return geteuid() != 0;
  }
  // The server's files belong to root and are private. Which of them can be opened is decided by Landlock and the
  // private root; this capability lifts the file modes only.
  const std::uint64_t open_own_files = std::uint64_t{1} << static_cast<unsigned>(CAP_DAC_OVERRIDE);
  // Without the "fixup" access(2), which DuckDB asks before it opens a file, honours the capability as open(2) does.
  constexpr unsigned long kNoFixup =
      SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_NOROOT | SECBIT_NOROOT_LOCKED;
  const bool dropped = prctl(PR_SET_SECUREBITS, kNoFixup, 0, 0, 0) == 0 && setgroups(0, nullptr) == 0 &&
                       setresgid(kWorkerUid, kWorkerUid, kWorkerUid) == 0 &&
                       setresuid(kWorkerUid, kWorkerUid, kWorkerUid) == 0;
  if (!KeepCapabilities(open_own_files)) {
    return Failed("give up its capabilities");
  }
  return dropped;
}

}  // namespace glovebox::engine::worker
