// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "engine/worker/worker_main.h"

namespace glovebox::engine::worker {
namespace {

constexpr std::chrono::milliseconds kLastPatience{5'000};
// waitid(2) by descriptor; older headers lack the name.
constexpr auto kWaitByPidfd = static_cast<idtype_t>(3);

class FileActions {
 public:
  FileActions() { ok_ = posix_spawn_file_actions_init(&actions_) == 0; }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  // The socket as descriptor 3, nothing on 0 to 2, all others closed.
  [[nodiscard]] bool Prepare(int socket) {
    ok_ = ok_ && posix_spawn_file_actions_adddup2(&actions_, socket, kWorkerSocket) == 0;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
      ok_ = ok_ && posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDWR, 0) == 0;
    }
    return ok_ && posix_spawn_file_actions_addclosefrom_np(&actions_, kWorkerSocket + 1) == 0;
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
  bool ok_ = false;
};

class Attributes {
 public:
  Attributes() { ok_ = posix_spawnattr_init(&attributes_) == 0; }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  // A session of its own, all signals as a new program expects them.
  [[nodiscard]] bool Prepare() {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    const short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    return ok_ && posix_spawnattr_setsigmask(&attributes_, &none) == 0 &&
           posix_spawnattr_setsigdefault(&attributes_, &all) == 0 && posix_spawnattr_setflags(&attributes_, flags) == 0;
  }
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
  bool ok_ = false;
};

Status CannotStart() { return {ErrorCode::kUnavailable, "a worker process cannot be started"}; }

}  // namespace

Process::Process(pid_t pid, UniqueFd pidfd, UniqueFd socket)
    : pid_(pid), pidfd_(std::move(pidfd)), socket_(std::move(socket)) {}

Process::~Process() {
  Kill();
  (void)Reap(kLastPatience);
}

Result<std::unique_ptr<Process>> Process::Start(const std::string& executable) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return CannotStart();
  }
  UniqueFd server_end(ends[0]);
  const UniqueFd worker_end(ends[1]);
  FileActions actions;
  Attributes attributes;
  if (!actions.Prepare(worker_end.get()) || !attributes.Prepare()) {
    return CannotStart();
  }
  std::string name = "glovebox";
  std::string command = "worker";
  const std::array<char*, 3> arguments = {name.data(), command.data(), nullptr};
  const std::array<char*, 1> environment = {nullptr};
  pid_t pid = 0;
  if (posix_spawn(&pid, executable.c_str(), actions.get(), attributes.get(), arguments.data(), environment.data()) !=
      0) {
    return CannotStart();
  }
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) {
    (void)kill(pid, SIGKILL);  // not reaped yet, so the number is still its own
    (void)waitpid(pid, nullptr, 0);
    return CannotStart();
  }
  return std::unique_ptr<Process>(new Process(pid, std::move(pidfd), std::move(server_end)));
}

bool Process::HasEnded() const {
  pollfd waiting{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 0) > 0;
}

void Process::Kill() { (void)syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0); }

bool Process::Reap(std::chrono::milliseconds patience) {
  if (reaped_) {
    return true;
  }
  pollfd waiting{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  if (poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) {
    return false;
  }
  siginfo_t info{};
  if (waitid(kWaitByPidfd, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG) != 0) {
    return false;
  }
  reaped_ = true;
  ended_by_signal_ = info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED ? info.si_status : 0;
  return true;
}

}  // namespace glovebox::engine::worker
