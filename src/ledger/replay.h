// SPDX-License-Identifier: Apache-2.0
//
// A room's log walked from entry 0, entry by entry: the one place that says whether an entry may stand where it stands.
// The log asks before it appends, verification asks for every entry of a bundle.
//
// Checked: seq is the index; the id is new; entry 0 creates the room, every other names it; statements are there where
// they must be, by a key of the actor that was enrolled then, over this very event, and their `seen` is this log's own
// root at that size; keys are enrolled with proof of possession; the order of room_state.h.
//
// Threads: a plain value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ledger/entry.h"
#include "ledger/genesis.h"
#include "ledger/key_history.h"
#include "ledger/merkle.h"
#include "ledger/room_state.h"

namespace glovebox::ledger {

// kTrusted: for bytes that were checked before they were stored and whose root is signed.
enum class SignatureCheck { kVerify, kTrusted };

class Replay {
 public:
  // Whether the entry may come next. `tree` has at least the leaves of all entries before it.
  [[nodiscard]] Status Check(const Entry& entry, std::string_view bytes, const Tree& tree,
                             SignatureCheck signatures) const;
  // Takes note of it. REQUIRES: entry 0, when applied, had passed Check.
  void Apply(const Entry& entry, std::string_view bytes);
  // Counts an entry that cannot be read, so that those behind it are judged by their own. REQUIRES: size() > 0.
  void Skip() { ++size_; }

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::optional<std::uint64_t> Find(std::string_view id) const;
  // REQUIRES for the rest: size() > 0.
  [[nodiscard]] const Genesis& genesis() const { return *genesis_; }
  [[nodiscard]] const std::string& origin() const { return origin_; }
  [[nodiscard]] const std::string& room() const { return room_; }
  [[nodiscard]] const KeyHistory& keys() const { return *keys_; }
  [[nodiscard]] const RoomState& state() const { return *state_; }

 private:
  [[nodiscard]] Status CheckStatement(const Entry& entry, const Tree& tree, const KeyHistory& keys,
                                      SignatureCheck signatures) const;

  std::uint64_t size_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> ids_;
  std::string room_;
  std::string origin_;
  std::optional<Genesis> genesis_;
  std::optional<KeyHistory> keys_;
  std::optional<RoomState> state_;
};

}  // namespace glovebox::ledger
