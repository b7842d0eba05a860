// SPDX-License-Identifier: Apache-2.0
//
// Reading single arguments. Pure, but for the environment.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace glovebox::cli {

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

// "127.0.0.1:8080", "[::1]:8080", "8080" (on 127.0.0.1); port 0 takes any free one.
Result<Address> ParseAddress(const std::string& text);
// Whether only this machine reaches the host: 127.0.0.0/8, ::1, localhost.
bool IsLoopback(const std::string& host);
// $XDG_DATA_HOME/glovebox, or ~/.local/share/glovebox.
Result<std::string> DefaultDataFolder();

}  // namespace glovebox::cli
