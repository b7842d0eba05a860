// SPDX-License-Identifier: Apache-2.0
//
// The program's start. A worker is told apart before anything else happens: its process has one thread and nothing to
// inherit.
#include <sys/stat.h>

#include <string_view>

#include "app/program.h"
#include "cli/cli.h"
#include "engine/worker/worker_main.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "worker") {
    return glovebox::engine::worker::WorkerMain();
  }
  umask(S_IRWXG | S_IRWXO);  // no file of ours is for other users
  glovebox::app::Program program;
  return glovebox::cli::Main(argc, argv, program);
}
