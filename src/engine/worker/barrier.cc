// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/barrier.h"

#include <sys/prctl.h>

#include <csignal>

#include "engine/worker/landlock.h"
#include "engine/worker/private_root.h"
#include "engine/worker/system_calls.h"

namespace glovebox::engine::worker {

Result<BarrierReport> Confine(const Confinement& confinement) {
  BarrierReport report;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Status(ErrorCode::kInternal, "the kernel refuses no_new_privs");
  }
  GB_ASSIGN_OR_RETURN(report.namespaces, EnterNamespaces());
  if (report.namespaces) {
    GB_ASSIGN_OR_RETURN(report.private_root, EnterPrivateRoot(confinement));
  }
  GB_ASSIGN_OR_RETURN(report.landlock_abi, ApplyLandlock(confinement));
  GB_ASSIGN_OR_RETURN(report.unprivileged, DropPrivileges());
  // A change of identity clears the first and sets the second, so both come after it.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return Status(ErrorCode::kInternal, "the kernel refuses to tie the worker to its server");
  }
  report.seccomp = ApplySystemCallFilter();
  return report;
}

json::Value ToJson(const BarrierReport& report) {
  return json::Object{{"landlock_abi", report.landlock_abi},
                      {"seccomp", report.seccomp},
                      {"namespaces", report.namespaces},
                      {"private_root", report.private_root},
                      {"unprivileged", report.unprivileged}};
}

BarrierReport BarrierReportFromJson(const json::Value& value) {
  return {.landlock_abi = static_cast<int>(value.GetInt("landlock_abi")),
          .seccomp = value.GetBool("seccomp"),
          .namespaces = value.GetBool("namespaces"),
          .private_root = value.GetBool("private_root"),
          .unprivileged = value.GetBool("unprivileged")};
}

}  // namespace glovebox::engine::worker
