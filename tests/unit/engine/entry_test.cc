// SPDX-License-Identifier: Apache-2.0
//
// The entry of the test program: it is also the worker that the pool starts, as the server's executable is.
#include <gtest/gtest.h>

#include <string_view>

#include "engine/worker/worker_main.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "worker") {
    return glovebox::engine::worker::WorkerMain();
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
