// SPDX-License-Identifier: Apache-2.0
//
// Strong identifiers. Ids of different things do not convert into each other; inside they are
// UUIDv7 text (RFC 9562), or an int64 from a sequence where Databricks' API has an int64.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace glovebox {

class Clock;
enum class TimeMs : std::int64_t;
class Random;

// Text ids. Explicit both ways.
template <typename Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& str() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  std::string text_;
};

using OrganisationId = Id<struct OrganisationTag>;  // also its metastore's: one metastore each
using PrincipalId = Id<struct PrincipalTag>;
using RoomId = Id<struct RoomTag>;
using AssetId = Id<struct AssetTag>;
using TableId = Id<struct TableTag>;
using TableVersionId = Id<struct TableVersionTag>;
using Etag = Id<struct EtagTag>;  // a version of a notebook
using OutputId = Id<struct OutputTag>;

enum class RunId : std::int64_t {};

// A fresh UUIDv7: time-ordered, lower case, with hyphens.
std::string NewUuid(const Clock& clock, Random& random);
// As if it were that time: an id must not tell a moment that is not to be seen.
std::string NewUuidAt(TimeMs time, Random& random);
// Whether the text has the form of a UUID.
bool IsUuid(std::string_view text);

}  // namespace glovebox

template <typename Tag>
struct std::hash<glovebox::Id<Tag>> {
  std::size_t operator()(const glovebox::Id<Tag>& id) const { return std::hash<std::string>{}(id.str()); }
};
