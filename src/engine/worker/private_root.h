// SPDX-License-Identifier: Apache-2.0
//
// Own namespaces, a root folder with nothing but the job's files, and the loss of privileges. Internal to
// engine/worker.
//
// Protocol: EnterNamespaces, then EnterPrivateRoot if that gave true, then (after Landlock) DropPrivileges.
// Errors: INTERNAL_ERROR if something failed half-way. Threads: REQUIRES a process with a single thread.
#pragma once

#include "base/result.h"
#include "engine/worker/barrier.h"

namespace glovebox::engine::worker {

// Whether the process is now in mount, network, IPC and UTS namespaces of its own; false if that is refused here.
Result<bool> EnterNamespaces();
// Whether the process now sees nothing but the confinement's paths, under their names; false if that is refused here.
Result<bool> EnterPrivateRoot(const Confinement& confinement);
// Gives up root's identity, all capabilities (but, of a server run by root, the one to open its own files) and what a
// program could regain. Whether the uid is not root's outside.
Result<bool> DropPrivileges();

}  // namespace glovebox::engine::worker
