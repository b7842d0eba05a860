// SPDX-License-Identifier: Apache-2.0
//
// The text of data/README-VERIFY.txt: the check by hand, for somebody who trusts nobody's program.
#pragma once

#include <string>

#include "ledger/note.h"

namespace glovebox::ledger {

// Indented lines are commands for a POSIX shell in the bundle's folder, in order.
std::string BundleReadme(const Checkpoint& checkpoint);

}  // namespace glovebox::ledger
