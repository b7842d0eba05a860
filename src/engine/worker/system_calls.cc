// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/system_calls.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace glovebox::engine::worker {
namespace {

// clang-format off
constexpr int kAllowed[] = {
    // files that are open, and those that Landlock lets it open
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
    SCMP_SYS(preadv), SCMP_SYS(pwritev), SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(fstat),
    SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(lseek), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
    SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(eventfd2), SCMP_SYS(getcwd),
    SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink),
    SCMP_SYS(unlinkat), SCMP_SYS(rmdir), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fsync),
    SCMP_SYS(fdatasync), SCMP_SYS(fadvise64), SCMP_SYS(flock), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(umask),
    // memory
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(mlock), SCMP_SYS(munlock),
    SCMP_SYS(membarrier),
    // threads and signals to itself
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(exit), SCMP_SYS(exit_group),
    // what it may know of itself
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage), SCMP_SYS(times), SCMP_SYS(getrlimit),
    SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
};
// clang-format on

// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
constexpr scmp_datum_t kCloneNamespaces = 0x7E020000;

// Owns a filter while it is put together.
class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) { ok_ = context_ != nullptr; }
  ~Filter() { seccomp_release(context_); }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  void Attribute(scmp_filter_attr attribute, std::uint32_t value) {
    ok_ = ok_ && seccomp_attr_set(context_, attribute, value) == 0;
  }
  void Add(std::uint32_t action, int call) { ok_ = ok_ && seccomp_rule_add(context_, action, call, 0) == 0; }
  void AllowIf(int call, const scmp_arg_cmp& condition) {
    ok_ = ok_ && seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, call, 1, &condition) == 0;
  }
  [[nodiscard]] bool Load() { return ok_ && seccomp_load(context_) == 0; }

 private:
  scmp_filter_ctx context_;
  bool ok_ = false;
};

constexpr scmp_arg_cmp Masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
  return {.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

constexpr scmp_arg_cmp Equal(unsigned argument, scmp_datum_t value) {
  return {.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}

}  // namespace

bool ApplySystemCallFilter() {
  Filter filter;
  filter.Attribute(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  filter.Attribute(SCMP_FLTATR_CTL_TSYNC, 1);
  filter.Attribute(SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a binary tree: DuckDB makes many calls
  for (const int call : kAllowed) {
    filter.Add(SCMP_ACT_ALLOW, call);
  }
  // No executable memory from here on: every library is loaded.
  filter.AllowIf(SCMP_SYS(mmap), Masked(2, PROT_EXEC, 0));
  filter.AllowIf(SCMP_SYS(mprotect), Masked(2, PROT_EXEC, 0));
  // Threads of this process, never a new one; glibc falls back to clone, whose flags can be seen.
  const scmp_datum_t thread = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND;
  filter.AllowIf(SCMP_SYS(clone), Masked(0, thread | kCloneNamespaces, thread));
  filter.Add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
  // abort() and pthread_kill send to this process; nobody else is reachable.
  filter.AllowIf(SCMP_SYS(tgkill), Equal(0, static_cast<scmp_datum_t>(getpid())));
  filter.AllowIf(SCMP_SYS(prctl), Equal(0, PR_SET_NAME));
  // Limits can be read, not set.
  filter.AllowIf(SCMP_SYS(prlimit64), Equal(2, 0));
  return filter.Load();
}

}  // namespace glovebox::engine::worker
