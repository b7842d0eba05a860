// SPDX-License-Identifier: Apache-2.0
//
// The closed list of what a room's ledger can say. docs/formats/ledger.md has the members of `data` that each type
// needs; room_state.h enforces their order.
//
// X(enumerator, wire name, kind of its subject, who must sign, outcome)
//   kParty: the acting collaborator's statement is mandatory; kServer: a statement may be there, none is needed.
//   subject kind "": any.
#pragma once

#include <optional>
#include <string_view>

namespace glovebox::ledger {

// clang-format off
#define GB_LEDGER_EVENTS(X)                                                          \
  X(kRoomCreated, "room.created", "room", kParty, kSuccess)                          \
  X(kRoomJoined, "room.joined", "room", kParty, kSuccess)                            \
  X(kRoomActive, "room.active", "room", kServer, kSuccess)                           \
  X(kRoomClosing, "room.closing", "room", kParty, kSuccess)                          \
  X(kRoomClosed, "room.closed", "room", kParty, kSuccess)                            \
  X(kAssetPublished, "asset.published", "asset", kParty, kSuccess)                   \
  X(kAssetUpdated, "asset.updated", "asset", kParty, kSuccess)                       \
  X(kAssetWithdrawn, "asset.withdrawn", "asset", kParty, kSuccess)                   \
  X(kRuleSet, "rule.set", "asset", kParty, kSuccess)                                 \
  X(kCodeSubmitted, "code.submitted", "code", kParty, kSuccess)                      \
  X(kApprovalGranted, "approval.granted", "code", kParty, kSuccess)                  \
  X(kApprovalDenied, "approval.denied", "code", kParty, kDenied)                     \
  X(kRuleCreated, "rule.created", "rule", kParty, kSuccess)                          \
  X(kRuleDeleted, "rule.deleted", "rule", kParty, kSuccess)                          \
  X(kRuleApplied, "rule.applied", "code", kServer, kSuccess)                         \
  X(kRunRequested, "run.requested", "run", kParty, kSuccess)                         \
  X(kRunAuthorized, "run.authorized", "run", kServer, kSuccess)                      \
  X(kRunStarted, "run.started", "run", kServer, kSuccess)                            \
  X(kRunCompleted, "run.completed", "run", kServer, kSuccess)                        \
  X(kRunFailed, "run.failed", "run", kServer, kFailure)                              \
  X(kRunDenied, "run.denied", "run", kServer, kDenied)                               \
  X(kOutputCreated, "output.created", "output", kServer, kSuccess)                   \
  X(kOutputExpired, "output.expired", "output", kServer, kSuccess)                   \
  X(kReviewDecided, "review.decided", "output", kParty, kSuccess)                    \
  X(kExportRequested, "export.requested", "export", kParty, kSuccess)                \
  X(kExportReleased, "export.released", "export", kServer, kSuccess)                 \
  X(kExportDenied, "export.denied", "export", kServer, kDenied)                      \
  X(kAccessDenied, "access.denied", "", kServer, kDenied)                            \
  X(kAuditRead, "audit.read", "", kServer, kSuccess)                                 \
  X(kKeyEnrolled, "key.enrolled", "key", kParty, kSuccess)
// clang-format on

enum class EventType : int {
#define GB_LEDGER_ENUMERATOR(name, wire, subject, signer, outcome) name,
  GB_LEDGER_EVENTS(GB_LEDGER_ENUMERATOR)
#undef GB_LEDGER_ENUMERATOR
};

enum class SignedBy { kParty, kServer };
enum class Outcome { kSuccess, kDenied, kFailure };

[[nodiscard]] std::string_view WireName(EventType type);
[[nodiscard]] std::optional<EventType> EventTypeFromWireName(std::string_view name);
[[nodiscard]] std::string_view SubjectKind(EventType type);  // "" is any
[[nodiscard]] SignedBy MustBeSignedBy(EventType type);
[[nodiscard]] Outcome OutcomeOf(EventType type);
[[nodiscard]] std::string_view WireName(Outcome outcome);

}  // namespace glovebox::ledger
