// SPDX-License-Identifier: Apache-2.0
#include "ledger/events.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace glovebox::ledger {
namespace {

struct Event {
  EventType type;
  std::string_view wire;
  std::string_view subject;
  SignedBy signer;
  Outcome outcome;
};

constexpr std::array kEvents = {
#define GB_LEDGER_ROW(name, wire, subject, signer, outcome) \
  Event{EventType::name, wire, subject, SignedBy::signer, Outcome::outcome},
    GB_LEDGER_EVENTS(GB_LEDGER_ROW)
#undef GB_LEDGER_ROW
};

const Event& Of(EventType type) { return kEvents[static_cast<std::size_t>(type)]; }

}  // namespace

std::string_view WireName(EventType type) { return Of(type).wire; }

std::optional<EventType> EventTypeFromWireName(std::string_view name) {
  for (const Event& event : kEvents) {
    if (event.wire == name) {
      return event.type;
    }
  }
  return std::nullopt;
}

std::string_view SubjectKind(EventType type) { return Of(type).subject; }
SignedBy MustBeSignedBy(EventType type) { return Of(type).signer; }
Outcome OutcomeOf(EventType type) { return Of(type).outcome; }

std::string_view WireName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSuccess:
      return "success";
    case Outcome::kDenied:
      return "denied";
    case Outcome::kFailure:
      return "failure";
  }
  return "";
}

}  // namespace glovebox::ledger
