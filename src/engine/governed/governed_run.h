// SPDX-License-Identifier: Apache-2.0
//
// The governed run: from the text of a notebook to released tables. The steps, in this order:
//
//   1 parse and plan                 text, schemas, rules: refusals, the certificate; kPlanOnly ends here
//   2 own dimensions (P9)            own tables only: refused if a combination of them has too few own units;
//                                    kPlanAndCheck ends here
//   3 groups and moments             one scan for each governed query
//   4 minimum group (P8, P4)         row counts first; exact counts of units only for what they leave open
//   5 membership (P9)                groups that an own table shapes: those that match and those that do not
//   6 options of rules (P12)         sums that one unit dominates; groups beyond the largest number of rows
//   7 difference check (P10)         against the room's history, within the run, totals with their parts
//   8 release                        withheld cells become NULL, rows without any aggregate left are absent
//   9 outputs                        the rest of the author's query, over released results
//
// Until the end of step 2 an error may be shown to the author. After it there is one error, RUN_FAILED, without detail.
//
// Who learns what: the certificate is for every collaborator; the record (which cells are out, their populations and
// row counts) is for the owners of the protected assets only; the outputs are for the recipients once they are
// released.
//
// Threads: one; the connection has its own.
#pragma once

#include "base/result.h"
#include "engine/duckdb/connection.h"
#include "engine/engine.h"

namespace glovebox::engine::governed {

// REQUIRES: asset i of the request is attached as database "asset_<i>" with the table `data` (and `units`), earlier
// assets are counted on; the connection is locked but for the request's output folder.
Result<RunResult> RunGoverned(duckdb::Connection& connection, const RunRequest& request);

}  // namespace glovebox::engine::governed
