// SPDX-License-Identifier: Apache-2.0
//
// The catalogue's steps of the database schema, numbers 1 to 99.
#pragma once

#include <vector>

#include "store/database.h"

namespace glovebox::catalog {

const std::vector<store::Migration>& Migrations();

}  // namespace glovebox::catalog
