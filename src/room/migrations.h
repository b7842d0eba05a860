// SPDX-License-Identifier: Apache-2.0
//
// The tables of this part. Numbers 100 to 199 of the product's migrations belong to it.
#pragma once

#include <vector>

#include "store/database.h"

namespace glovebox::room {

std::vector<store::Migration> Migrations();

}  // namespace glovebox::room
