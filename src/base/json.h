// SPDX-License-Identifier: Apache-2.0
//
// JSON in and out. Input goes through one strict parser: UTF-8 only, no duplicate keys, no comments,
// no trailing commas, no infinities, depth at most limits::kJsonDepthMax. Output is our own: shortest
// doubles, keys in the order in which they were added, or canonical (RFC 8785) for what is hashed.
//
// Integers are int64 and exact; one that does not fit is refused. A number with a fraction or an exponent
// is a double, also when its value is whole, and Write keeps that difference (2.0). Decimals travel as strings.
// Threads: a Value is a plain value.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace glovebox::json {

class Value;
using Array = std::vector<Value>;
using Member = std::pair<std::string, Value>;

// An object keeps the order of insertion; a key is there at most once. Find and Set take constant time
// however many members there are; keys that an adversary chose do not change that (keyed hash).
class Object {
 public:
  Object() = default;
  Object(std::initializer_list<Member> members);
  // The member's value, or nullptr.
  [[nodiscard]] const Value* Find(std::string_view key) const;
  [[nodiscard]] Value* Find(std::string_view key);
  // Sets or replaces.
  void Set(std::string key, Value value);
  // Adds a member, or returns false and changes nothing if the key is there.
  [[nodiscard]] bool Insert(std::string key, Value value);
  void Erase(std::string_view key);  // linear
  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::vector<Member>::const_iterator begin() const;
  [[nodiscard]] std::vector<Member>::const_iterator end() const;
  // The order of the members does not matter.
  [[nodiscard]] bool operator==(const Object& other) const;

 private:
  [[nodiscard]] std::size_t PositionOf(std::string_view key) const;
  void Append(std::string key, Value value);
  void RebuildIndex();
  void AddToIndex(std::size_t position);

  std::vector<Member> members_;
  // Positions in members_ by hash of the key, open addressing; empty while a linear search is faster.
  std::vector<std::uint32_t> index_;
};

class Value {
 public:
  Value() = default;                                            // null
  Value(std::nullptr_t) {}                                      // NOLINT(google-explicit-constructor)
  Value(bool value) : data_(value) {}                           // NOLINT(google-explicit-constructor)
  Value(int value) : data_(std::int64_t{value}) {}              // NOLINT(google-explicit-constructor)
  Value(std::int64_t value) : data_(value) {}                   // NOLINT(google-explicit-constructor)
  Value(double value) : data_(value) {}                         // NOLINT(google-explicit-constructor)
  Value(std::string value) : data_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Value(std::string_view value) : data_(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  Value(const char* value) : data_(std::string(value)) {}       // NOLINT(google-explicit-constructor)
  Value(const void*) = delete;                                  // no pointer is a bool
  Value(Array value) : data_(std::move(value)) {}               // NOLINT(google-explicit-constructor)
  Value(Object value) : data_(std::move(value)) {}              // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(data_); }
  [[nodiscard]] bool is_int() const { return std::holds_alternative<std::int64_t>(data_); }
  [[nodiscard]] bool is_double() const { return std::holds_alternative<double>(data_); }
  [[nodiscard]] bool is_number() const { return is_int() || is_double(); }
  [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(data_); }
  [[nodiscard]] bool is_array() const { return std::holds_alternative<Array>(data_); }
  [[nodiscard]] bool is_object() const { return std::holds_alternative<Object>(data_); }

  // REQUIRES: the value is of that kind (asserted). Only for values whose kind was checked.
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_int() const;
  [[nodiscard]] double as_double() const;  // an int is converted
  [[nodiscard]] const std::string& as_string() const;
  [[nodiscard]] const Array& as_array() const;
  [[nodiscard]] Array& as_array();
  [[nodiscard]] const Object& as_object() const;
  [[nodiscard]] Object& as_object();

  // The member of an object, or nullptr if this is no object, the member is absent or it is null.
  [[nodiscard]] const Value* Get(std::string_view key) const;
  // The member if it is there and of the kind; otherwise the fallback. For messages that we wrote
  // ourselves; requests use ObjectReader.
  [[nodiscard]] std::string GetString(std::string_view key, std::string_view fallback = "") const;
  [[nodiscard]] std::int64_t GetInt(std::string_view key, std::int64_t fallback = 0) const;
  [[nodiscard]] bool GetBool(std::string_view key, bool fallback = false) const;

  [[nodiscard]] bool operator==(const Value& other) const = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data_;
};

inline bool Object::empty() const { return members_.empty(); }
inline std::size_t Object::size() const { return members_.size(); }
inline std::vector<Member>::const_iterator Object::begin() const { return members_.begin(); }
inline std::vector<Member>::const_iterator Object::end() const { return members_.end(); }

// Returns MALFORMED_REQUEST, naming the byte offset, if `text` is not strict JSON.
Result<Value> Parse(std::string_view text, std::size_t depth_max = limits::kJsonDepthMax);

// Compact text; Parse gives the same value back. A double that is not finite becomes null, as in ECMAScript.
std::string Write(const Value& value);
// RFC 8785 (JCS): keys sorted by UTF-16 code units, ECMAScript numbers. Integers beyond 2^53 are written exactly,
// where other implementations would round, and whole doubles from 2^63 to 1e21 in a form that Parse refuses: send such
// numbers as strings. REQUIRES: doubles are finite.
std::string WriteCanonical(const Value& value);
// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so that the result always
// is.
void AppendQuoted(std::string_view text, std::string& out);

// Reads the members of a request's object with their kinds checked. Unknown members are ignored
// (clients are newer than servers); each error is INVALID_PARAMETER_VALUE and names the member.
class ObjectReader {
 public:
  // Returns an error if `value` is no object. `what` names it in messages. Keeps a pointer to value.
  static Result<ObjectReader> Of(const Value& value, std::string_view what);

  Result<std::string> RequiredString(std::string_view key) const;
  Result<std::string> OptionalString(std::string_view key, std::string_view fallback = "") const;
  Result<std::int64_t> OptionalInt(std::string_view key, std::int64_t fallback) const;  // also "12"
  Result<std::int64_t> RequiredInt(std::string_view key) const;
  Result<bool> OptionalBool(std::string_view key, bool fallback) const;
  Result<std::vector<std::string>> OptionalStrings(std::string_view key) const;
  [[nodiscard]] const Value* Find(std::string_view key) const;  // nullptr if absent or null

 private:
  ObjectReader(const Object* object, std::string_view what) : object_(object), what_(what) {}
  const Object* object_;
  std::string what_;
};

}  // namespace glovebox::json
