// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <algorithm>

#include "base/keyed_hash.h"

namespace glovebox::json {
namespace {

constexpr std::size_t kLinearSearchMax = 16;
constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
constexpr std::uint32_t kFreeSlot = static_cast<std::uint32_t>(-1);

template <typename T, typename Data>
auto& Checked(Data& data) {
  auto* value = std::get_if<T>(&data);
  GB_ASSERT(value != nullptr);
  return *value;
}

}  // namespace

Object::Object(std::initializer_list<Member> members) {
  for (const Member& member : members) {
    Set(member.first, member.second);
  }
}

std::size_t Object::PositionOf(std::string_view key) const {
  if (index_.empty()) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (members_[i].first == key) {
        return i;
      }
    }
    return kNowhere;
  }
  const std::size_t mask = index_.size() - 1;
  for (std::size_t slot = KeyedHash(key) & mask;; slot = (slot + 1) & mask) {
    if (index_[slot] == kFreeSlot) {
      return kNowhere;
    }
    if (members_[index_[slot]].first == key) {
      return index_[slot];
    }
  }
}

void Object::AddToIndex(std::size_t position) {
  const std::size_t mask = index_.size() - 1;
  std::size_t slot = KeyedHash(members_[position].first) & mask;
  while (index_[slot] != kFreeSlot) {
    slot = (slot + 1) & mask;
  }
  index_[slot] = static_cast<std::uint32_t>(position);
}

void Object::RebuildIndex() {
  index_.clear();
  if (members_.size() <= kLinearSearchMax) {
    return;
  }
  std::size_t slots = 4 * kLinearSearchMax;
  while (slots < 4 * members_.size()) {
    slots *= 2;
  }
  index_.assign(slots, kFreeSlot);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    AddToIndex(i);
  }
}

void Object::Append(std::string key, Value value) {
  GB_ASSERT(members_.size() < kFreeSlot);
  members_.emplace_back(std::move(key), std::move(value));
  if (members_.size() > kLinearSearchMax && members_.size() * 2 > index_.size()) {
    RebuildIndex();
  } else if (!index_.empty()) {
    AddToIndex(members_.size() - 1);
  }
}

const Value* Object::Find(std::string_view key) const {
  const std::size_t position = PositionOf(key);
  return position == kNowhere ? nullptr : &members_[position].second;
}

Value* Object::Find(std::string_view key) {
  const std::size_t position = PositionOf(key);
  return position == kNowhere ? nullptr : &members_[position].second;
}

void Object::Set(std::string key, Value value) {
  if (Value* present = Find(key); present != nullptr) {
    *present = std::move(value);
  } else {
    Append(std::move(key), std::move(value));
  }
}

bool Object::Insert(std::string key, Value value) {
  if (PositionOf(key) != kNowhere) {
    return false;
  }
  Append(std::move(key), std::move(value));
  return true;
}

void Object::Erase(std::string_view key) {
  const std::size_t position = PositionOf(key);
  if (position != kNowhere) {
    members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(position));
    RebuildIndex();
  }
}

bool Object::operator==(const Object& other) const {
  return size() == other.size() && std::all_of(begin(), end(), [&other](const Member& member) {
           const Value* found = other.Find(member.first);
           return found != nullptr && *found == member.second;
         });
}

bool Value::as_bool() const { return Checked<bool>(data_); }
std::int64_t Value::as_int() const { return Checked<std::int64_t>(data_); }
double Value::as_double() const { return is_int() ? static_cast<double>(as_int()) : Checked<double>(data_); }
const std::string& Value::as_string() const { return Checked<std::string>(data_); }
const Array& Value::as_array() const { return Checked<Array>(data_); }
Array& Value::as_array() { return Checked<Array>(data_); }
const Object& Value::as_object() const { return Checked<Object>(data_); }
Object& Value::as_object() { return Checked<Object>(data_); }

const Value* Value::Get(std::string_view key) const {
  const Value* value = is_object() ? as_object().Find(key) : nullptr;
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string Value::GetString(std::string_view key, std::string_view fallback) const {
  const Value* value = Get(key);
  return value != nullptr && value->is_string() ? value->as_string() : std::string(fallback);
}

std::int64_t Value::GetInt(std::string_view key, std::int64_t fallback) const {
  const Value* value = Get(key);
  return value != nullptr && value->is_int() ? value->as_int() : fallback;
}

bool Value::GetBool(std::string_view key, bool fallback) const {
  const Value* value = Get(key);
  return value != nullptr && value->is_bool() ? value->as_bool() : fallback;
}

}  // namespace glovebox::json
