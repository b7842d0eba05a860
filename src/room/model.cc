// SPDX-License-Identifier: Apache-2.0
#include "room/model.h"

#include <algorithm>

#include "base/assert.h"
#include "catalog/names.h"

namespace glovebox::room {

bool SameName(std::string_view a, std::string_view b) { return catalog::NameKey(a) == catalog::NameKey(b); }

std::string_view Name(RoomState state) {
  switch (state) {
    case RoomState::kProvisioning:
      return "PROVISIONING";
    case RoomState::kActive:
      return "ACTIVE";
    case RoomState::kClosing:
      return "CLOSING";
    case RoomState::kClosed:
      return "CLOSED";
    case RoomState::kFailed:
      return "FAILED";
  }
  GB_ASSERT(false);
}

std::string_view Name(AssetType type) { return type == AssetType::kTable ? "TABLE" : "NOTEBOOK_FILE"; }

std::string_view Name(Decision decision) {
  switch (decision) {
    case Decision::kPending:
      return "PENDING";
    case Decision::kApproved:
      return "APPROVED";
    case Decision::kRejected:
      return "REJECTED";
  }
  GB_ASSERT(false);
}

std::string_view Name(RunState state) {
  switch (state) {
    case RunState::kQueued:
      return "QUEUED";
    case RunState::kRunning:
      return "RUNNING";
    case RunState::kFinishing:
      return "FINISHING";
    case RunState::kTerminated:
      return "TERMINATED";
  }
  GB_ASSERT(false);
}

std::string_view Name(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::kNone:
      return "";
    case RunOutcome::kSuccess:
      return "SUCCESS";
    case RunOutcome::kFailed:
      return "FAILED";
    case RunOutcome::kCanceled:
      return "CANCELED";
    case RunOutcome::kDenied:
      return "DENIED";
  }
  GB_ASSERT(false);
}

std::string_view Name(OutputState state) {
  switch (state) {
    case OutputState::kWaiting:
      return "PENDING_REVIEW";
    case OutputState::kReleased:
      return "RELEASED";
    case OutputState::kRejected:
      return "REJECTED";
    case OutputState::kExpired:
      return "EXPIRED";
  }
  GB_ASSERT(false);
}

std::string_view Name(ExportState state) {
  switch (state) {
    case ExportState::kRequested:
      return "REQUESTED";
    case ExportState::kReleased:
      return "RELEASED";
    case ExportState::kDenied:
      return "DENIED";
    case ExportState::kInterrupted:
      return "INTERRUPTED";
  }
  GB_ASSERT(false);
}

const Member* Room::FindAlias(std::string_view alias) const {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const Member& m) { return SameName(m.alias, alias); });
  return found == members.end() ? nullptr : &*found;
}

bool Room::AllJoined() const {
  return std::all_of(members.begin(), members.end(), [](const Member& m) { return m.joined_at.has_value(); });
}

bool Room::IsSelfCollaboration() const {
  return members.size() > 1 && std::all_of(members.begin(), members.end(), [this](const Member& m) {
           return m.organisation == members.front().organisation;
         });
}

}  // namespace glovebox::room
