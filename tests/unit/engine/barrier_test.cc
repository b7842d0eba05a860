// SPDX-License-Identifier: Apache-2.0
//
// Attempts to get out, made in a child process inside the barrier: as the user who runs the tests and, if that is root,
// as an ordinary user too.
#include "engine/worker/barrier.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "base/file.h"

namespace glovebox::engine::worker {
namespace {

constexpr uid_t kNobody = 65'534;

class BarrierTest : public ::testing::TestWithParam<uid_t> {
 protected:
  void SetUp() override {
    if (geteuid() != 0 && GetParam() != geteuid()) {
      GTEST_SKIP() << "only root can become another user";
    }
    std::string pattern = (std::filesystem::temp_directory_path() / "glovebox-barrier-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = std::filesystem::canonical(pattern).string();
    std::filesystem::create_directories(folder_ + "/out");
    std::ofstream(folder_ + "/input") << "input";
    std::ofstream(folder_ + "/secret") << "secret";
    // Private to their owner, as the server's files are.
    for (const char* name : {"/input", "/secret"}) {
      ASSERT_EQ(chmod((folder_ + name).c_str(), 0600), 0);
    }
    for (const char* name : {"", "/input", "/secret", "/out"}) {
      if (chown((folder_ + name).c_str(), GetParam(), GetParam()) != 0) {
        GTEST_SKIP() << "root without its capabilities cannot become another user";
      }
    }
    confinement_ = {.readable_files = {folder_ + "/input"}, .writable_folders = {folder_ + "/out"}};
  }
  void TearDown() override {
    if (!folder_.empty()) {
      std::filesystem::remove_all(folder_);
    }
  }

  // The exit code of a confined child that runs `body`, or minus the signal that killed it.
  int InBarrier(const std::function<int(const BarrierReport&)>& body) {
    const pid_t child = fork();
    if (child == 0) {
      if (geteuid() != GetParam() &&
          (setresgid(GetParam(), GetParam(), GetParam()) != 0 || setresuid(GetParam(), GetParam(), GetParam()) != 0)) {
        _exit(100);
      }
      (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);  // a change of the uid has cleared it; an exec would set it
      const auto report = Confine(confinement_);
      _exit(report.ok() ? body(*report) : 101);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }
  // Whether `attempt` fails inside the barrier; it may also be killed for it.
  bool Refused(const std::function<bool()>& attempt) {
    const int code = InBarrier([&](const BarrierReport&) { return attempt() ? 1 : 0; });
    return code == 0 || code == -SIGSYS;
  }
  static bool CanOpen(const std::string& path, int flags) { return open(path.c_str(), flags | O_CLOEXEC, 0600) >= 0; }

  std::string folder_;
  Confinement confinement_;
};

TEST_P(BarrierTest, FilesAndNetworkAreHeld) {
  EXPECT_EQ(InBarrier([](const BarrierReport& report) {
              return report.HoldsFiles() && report.HoldsNetwork() && report.seccomp && report.unprivileged ? 0 : 1;
            }),
            0);
}

TEST_P(BarrierTest, TheJobsOwnFilesWork) {
  EXPECT_EQ(InBarrier([&](const BarrierReport&) {
              const std::string out = folder_ + "/out";
              const bool works =
                  CanOpen(folder_ + "/input", O_RDONLY) && CanOpen(out + "/a", O_CREAT | O_RDWR | O_EXCL) &&
                  rename((out + "/a").c_str(), (out + "/b").c_str()) == 0 && truncate((out + "/b").c_str(), 0) != 0 &&
                  mkdir((out + "/spill").c_str(), 0700) == 0 && CanOpen(out + "/spill/x", O_CREAT | O_WRONLY) &&
                  unlink((out + "/spill/x").c_str()) == 0 && rmdir((out + "/spill").c_str()) == 0;
              return works ? 0 : 1;
            }),
            0);
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/out/b"));
}

// DuckDB asks access(2) before it opens; the folders on the way are private to the server.
TEST_P(BarrierTest, TheJobsOwnFilesAreAccessible) {
  umask(077);
  ASSERT_EQ(chmod(folder_.c_str(), 0700), 0);
  EXPECT_EQ(InBarrier([&](const BarrierReport&) {
              return access((folder_ + "/input").c_str(), F_OK) == 0 &&
                             access((folder_ + "/input").c_str(), R_OK) == 0 &&
                             access((folder_ + "/out").c_str(), F_OK) == 0
                         ? 0
                         : 1;
            }),
            0);
  umask(022);
}

TEST_P(BarrierTest, ThreadsAndMemoryWork) {
  EXPECT_EQ(InBarrier([](const BarrierReport&) {
              int value = 0;
              std::thread([&value] { value = 7; }).join();
              return value == 7 && std::malloc(std::size_t{64} << 20U) != nullptr ? 0 : 1;
            }),
            0);
}

TEST_P(BarrierTest, AbortStillEndsTheProcess) {
  EXPECT_EQ(InBarrier([](const BarrierReport&) -> int { std::abort(); }), -SIGABRT);
}

TEST_P(BarrierTest, NoOtherFile) {
  for (const std::string& path :
       {folder_ + "/secret", std::string("/etc/passwd"), std::string("/etc/shadow"), std::string("/proc/self/environ"),
        std::string("/proc/self/mem"), std::string("/proc/1/environ"), std::string("/proc/self/maps"),
        std::string("/sys/kernel/uevent_seqnum"), std::string("/dev/mem"), std::string("/proc/self/root/etc/passwd"),
        folder_ + "/out/../secret"}) {
    EXPECT_TRUE(Refused([&] { return CanOpen(path, O_RDONLY); })) << path;
  }
  for (const std::string& path : {std::string("/"), std::string("/etc"), folder_, std::string("/proc")}) {
    EXPECT_TRUE(Refused([&] { return CanOpen(path + "/.", O_RDONLY | O_DIRECTORY); })) << path;
  }
}

TEST_P(BarrierTest, NothingElseIsWritable) {
  for (const std::string& path :
       {folder_ + "/input", folder_ + "/secret", std::string("/etc/passwd"),
        std::string("/proc/sys/kernel/core_pattern"), std::string("/proc/sys/kernel/hostname"),
        std::string("/dev/null"), std::string("/proc/self/uid_map")}) {
    EXPECT_TRUE(Refused([&] { return CanOpen(path, O_WRONLY); })) << path;
  }
  for (const std::string& path : {folder_ + "/new", std::string("/tmp/glovebox-new"), std::string("/glovebox-new")}) {
    EXPECT_TRUE(Refused([&] { return CanOpen(path, O_CREAT | O_WRONLY); })) << path;
    EXPECT_FALSE(std::filesystem::exists(path)) << path;
  }
  EXPECT_TRUE(Refused([&] { return unlink((folder_ + "/input").c_str()) == 0; }));
  EXPECT_TRUE(Refused([&] { return rename((folder_ + "/input").c_str(), (folder_ + "/out/i").c_str()) == 0; }));
  EXPECT_TRUE(Refused([&] { return symlink("/etc/passwd", (folder_ + "/out/link").c_str()) == 0; }));
  EXPECT_TRUE(Refused([&] { return link((folder_ + "/input").c_str(), (folder_ + "/out/hard").c_str()) == 0; }));
  EXPECT_TRUE(Refused([&] { return mkfifo((folder_ + "/out/fifo").c_str(), 0600) == 0; }));
  EXPECT_TRUE(Refused([&] { return mknod((folder_ + "/out/dev").c_str(), S_IFCHR | 0600, 0x103) == 0; }));
  EXPECT_TRUE(Refused([&] { return chmod((folder_ + "/out").c_str(), 0777) == 0; }));
}

TEST_P(BarrierTest, NoSockets) {
  for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK, AF_ALG}) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET}) {
      EXPECT_TRUE(Refused([&] { return socket(family, type, 0) >= 0; })) << family << " " << type;
    }
  }
  int pair[2];
  EXPECT_TRUE(Refused([&] { return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0; }));
}

TEST_P(BarrierTest, NoUseOfASocketThatIsOpen) {
  const UniqueFd before(socket(AF_INET, SOCK_DGRAM, 0));
  ASSERT_TRUE(before.valid());
  sockaddr address{};
  address.sa_family = AF_INET;
  EXPECT_TRUE(Refused([&] { return connect(before.get(), &address, sizeof(address)) == 0; }));
  EXPECT_TRUE(Refused([&] { return bind(before.get(), &address, sizeof(address)) == 0; }));
  EXPECT_TRUE(Refused([&] { return sendto(before.get(), "x", 1, 0, &address, sizeof(address)) >= 0; }));
}

TEST_P(BarrierTest, NoProgramsAndNoProcesses) {
  EXPECT_TRUE(Refused([] {
    char path[] = "/bin/true";
    char* arguments[] = {path, nullptr};
    execve(path, arguments, nullptr);
    return false;  // still here
  }));
  EXPECT_TRUE(Refused([] { return fork() >= 0; }));
  EXPECT_TRUE(Refused([] { return syscall(SYS_vfork) >= 0; }));
  EXPECT_TRUE(Refused([] { return syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr) >= 0; }));
  EXPECT_TRUE(Refused([] { return syscall(SYS_memfd_create, "x", 0) >= 0; }));
}

TEST_P(BarrierTest, NoOtherProcessIsReachable) {
  const pid_t outside = getpid();
  EXPECT_TRUE(Refused([&] { return kill(outside, 0) == 0; }));
  EXPECT_TRUE(Refused([&] { return syscall(SYS_tgkill, outside, outside, 0) == 0; }));
  EXPECT_TRUE(Refused([&] { return ptrace(PTRACE_ATTACH, outside, nullptr, nullptr) == 0; }));
  EXPECT_TRUE(Refused([&] { return syscall(SYS_pidfd_open, outside, 0) >= 0; }));
  char byte = 0;
  iovec local{.iov_base = &byte, .iov_len = 1};
  EXPECT_TRUE(Refused([&] { return syscall(SYS_process_vm_readv, outside, &local, 1, &local, 1, 0) >= 0; }));
  EXPECT_TRUE(Refused([&] { return syscall(SYS_process_vm_writev, outside, &local, 1, &local, 1, 0) >= 0; }));
}

TEST_P(BarrierTest, NoKernelSurfaceThatIsNotNeeded) {
  for (const long call :
       {SYS_bpf,         SYS_keyctl,      SYS_add_key, SYS_io_uring_setup, SYS_userfaultfd,       SYS_perf_event_open,
        SYS_kexec_load,  SYS_init_module, SYS_mount,   SYS_umount2,        SYS_pivot_root,        SYS_unshare,
        SYS_setns,       SYS_open_tree,   SYS_chroot,  SYS_setuid,         SYS_setresuid,         SYS_capset,
        SYS_personality, SYS_reboot,      SYS_swapon,  SYS_ioperm,         SYS_open_by_handle_at, SYS_seccomp,
        SYS_ioctl}) {
    EXPECT_TRUE(Refused([&] {
      errno = 0;
      return syscall(call, 0, 0, 0, 0, 0, 0) >= 0 || errno != EPERM;
    })) << call;
  }
}

TEST_P(BarrierTest, NoExecutableMemory) {
  EXPECT_TRUE(Refused([] {
    return mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
  }));
  EXPECT_TRUE(Refused([] {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED || mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
  }));
}

TEST_P(BarrierTest, LimitsCannotBeRaised) {
  EXPECT_TRUE(Refused([] {
    const rlimit unlimited{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    return setrlimit(RLIMIT_CORE, &unlimited) == 0;
  }));
  EXPECT_EQ(InBarrier([](const BarrierReport&) {
              rlimit limit{};
              return getrlimit(RLIMIT_AS, &limit);
            }),
            0);
}

#ifdef __x86_64__
TEST_P(BarrierTest, OtherAbisAreFatal) {
  EXPECT_EQ(InBarrier([](const BarrierReport&) {
              long result = 20;  // getpid, of the 32-bit table
              __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
              return 0;
            }),
            -SIGSYS);
  EXPECT_TRUE(Refused([] { return syscall(0x40000000 + SYS_getpid) >= 0; }));
}
#endif

TEST_P(BarrierTest, ANamelessFileOfTheJobIsAnError) {
  confinement_.readable_files.push_back(folder_ + "/does-not-exist");
  EXPECT_EQ(InBarrier([](const BarrierReport&) { return 0; }), 101);
}

INSTANTIATE_TEST_SUITE_P(Users, BarrierTest, ::testing::Values(geteuid(), kNobody));

TEST(BarrierReport, RoundTrip) {
  const BarrierReport report = {
      .landlock_abi = 7, .seccomp = true, .namespaces = false, .private_root = true, .unprivileged = true};
  EXPECT_EQ(BarrierReportFromJson(ToJson(report)), report);
}

}  // namespace
}  // namespace glovebox::engine::worker
