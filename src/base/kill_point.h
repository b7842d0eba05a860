// SPDX-License-Identifier: Apache-2.0
//
// Places at which a test lets the process die as if by `kill -9`: GB_KILL_POINT("ledger.after_append") raises SIGKILL
// on itself if the environment variable GB_KILL_AT is exactly that name, and does nothing otherwise. They stand where a
// crash is most telling: between a durable record and what follows from it. Names are "part.place", each used once.
//
// They are in every build, so that what is tested is what runs; whoever can set the server's environment can kill it
// anyway. Threads: the variable is read once, before main's threads could change it.
#pragma once

namespace glovebox {

void ReachKillPoint(const char* name);

}  // namespace glovebox

#define GB_KILL_POINT(name) ::glovebox::ReachKillPoint(name)
