// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/self_test.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"

namespace glovebox::engine::worker {
namespace {

bool CanReadFiles() {
  for (const char* path : {"/etc/passwd", "/proc/self/status", "/dev/zero"}) {
    if (UniqueFd(open(path, O_RDONLY | O_CLOEXEC)).valid()) {
      return true;
    }
  }
  return false;
}

bool CanWriteFiles() {
  for (const char* folder : {"/", "/tmp", "/dev/shm"}) {
    if (UniqueFd(open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600)).valid()) {
      return true;
    }
  }
  return false;
}

// The discard port of this machine: nothing is sent, but a route there would show.
bool CanReachTheNetwork() {
  const UniqueFd socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return socket_fd.valid() &&
         connect(socket_fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

}  // namespace

Result<BarrierReport> TryToGetOut(const BarrierReport& report) {
  if (report.HoldsFiles() && (CanReadFiles() || CanWriteFiles())) {
    return Status(ErrorCode::kInternal, "a confined worker can open files that are not its job's");
  }
  if (report.HoldsNetwork() && CanReachTheNetwork()) {
    return Status(ErrorCode::kInternal, "a confined worker can reach the network");
  }
  return report;
}

}  // namespace glovebox::engine::worker
