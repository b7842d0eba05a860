// SPDX-License-Identifier: Apache-2.0
//
// `glovebox probe FILE.jsonl [--data DIR] [--history]`: tries a planner from both sides. Every line of the file is a
// query of the runner in the probe room (tests/probe/README.md): two protected tables of a provider, one own table. The
// SQL goes the same way as a run: worker process, parser, analyzer, rules, execution, difference check, release.
//
// Without `history` each line meets a room with no past; the steps of a line always share one.
// Prints one JSON object a line to stdout. Returns the exit code: 0 if every line was answered, 2 if the file or the
// data cannot be read.
#pragma once

#include <string>

#include "engine/engine.h"

namespace glovebox::cli {

enum class ProbeHistory { kPerLine, kShared };

int RunProbe(engine::Engine& engine, const std::string& file, const std::string& data_folder, ProbeHistory history);

}  // namespace glovebox::cli
