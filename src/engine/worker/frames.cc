// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/frames.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>

namespace glovebox::engine::worker {
namespace {

constexpr std::size_t kHeaderBytes = 4;
constexpr unsigned kByteBits = 8;

Status Gone() { return {ErrorCode::kRunFailed, "the other end of a job is gone"}; }

// Waits until the descriptor is ready for `events`.
Status Await(int fd, short events, Deadline deadline) {
  for (;;) {
    int timeout_ms = -1;
    if (deadline != kNoDeadline) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
      if (left <= 0) {
        return {ErrorCode::kDeadlineExceeded, "the job took longer than its limit"};
      }
      timeout_ms = static_cast<int>(std::min<std::int64_t>(left, std::numeric_limits<int>::max()));
    }
    pollfd waiting{.fd = fd, .events = events, .revents = 0};
    const int ready = poll(&waiting, 1, timeout_ms);
    if (ready > 0) {
      return {};
    }
    if (ready < 0 && errno != EINTR) {
      return Gone();
    }
  }
}

Status WriteBytes(int fd, std::string_view bytes, End end, Deadline deadline) {
  while (!bytes.empty()) {
    GB_RETURN_IF_ERROR(Await(fd, POLLOUT, deadline));
    const ssize_t written = end == End::kServer ? send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT)
                                                : write(fd, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (written == 0 || (errno != EINTR && errno != EAGAIN)) {
      return Gone();
    }
  }
  return {};
}

Status ReadBytes(int fd, char* bytes, std::size_t count, Deadline deadline) {
  while (count > 0) {
    GB_RETURN_IF_ERROR(Await(fd, POLLIN, deadline));
    const ssize_t got = read(fd, bytes, count);
    if (got > 0) {
      bytes += got;
      count -= static_cast<std::size_t>(got);
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
      return Gone();
    }
  }
  return {};
}

}  // namespace

Status WriteFrame(int fd, std::string_view payload, End end, Deadline deadline) {
  if (payload.size() > std::numeric_limits<std::uint32_t>::max()) {
    return {ErrorCode::kResourceExhausted, "a message is too large"};
  }
  std::array<char, kHeaderBytes> header{};
  for (std::size_t i = 0; i < kHeaderBytes; ++i) {
    header[i] = static_cast<char>((payload.size() >> (kByteBits * (kHeaderBytes - 1 - i))) & 0xFFU);
  }
  GB_RETURN_IF_ERROR(WriteBytes(fd, {header.data(), header.size()}, end, deadline));
  return WriteBytes(fd, payload, end, deadline);
}

Result<std::string> ReadFrame(int fd, std::size_t bytes_max, Deadline deadline) {
  std::array<char, kHeaderBytes> header{};
  GB_RETURN_IF_ERROR(ReadBytes(fd, header.data(), header.size(), deadline));
  std::size_t size = 0;
  for (const char byte : header) {
    size = (size << kByteBits) | static_cast<unsigned char>(byte);
  }
  if (size > bytes_max) {
    return Status(ErrorCode::kResourceExhausted, "a message is larger than it may be");
  }
  // Grows as bytes arrive: a length alone costs the reader nothing.
  constexpr std::size_t kStep = std::size_t{1} << 20U;
  std::string payload;
  while (payload.size() < size) {
    const std::size_t step = std::min(kStep, size - payload.size());
    payload.resize(payload.size() + step);
    GB_RETURN_IF_ERROR(ReadBytes(fd, payload.data() + payload.size() - step, step, deadline));
  }
  return payload;
}

}  // namespace glovebox::engine::worker
