// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/messages.h"

#include <array>
#include <concepts>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "base/encoding.h"
#include "base/limits.h"

namespace glovebox::engine::worker {
namespace {

// One list of members per struct serves both directions: Visit(archive, value) with a Writer and a const value, or a
// Reader and a mutable one.
template <typename Value, typename Struct>
concept Is = std::same_as<std::remove_const_t<Value>, Struct>;

template <typename T>
inline constexpr bool kIsVector = false;
template <typename T>
inline constexpr bool kIsVector<std::vector<T>> = true;

template <typename Enum>
using EnumNames = std::span<const std::pair<Enum, std::string_view>>;

constexpr std::array<std::pair<JobKind, std::string_view>, 5> kJobKinds = {{{JobKind::kSelfTest, "self_test"},
                                                                            {JobKind::kSelect, "select"},
                                                                            {JobKind::kCheckFunction, "check_function"},
                                                                            {JobKind::kPrepare, "prepare"},
                                                                            {JobKind::kRun, "run"}}};
constexpr std::array<std::pair<Unconfined, std::string_view>, 2> kUnconfined = {
    {{Unconfined::kRefuse, "refuse"}, {Unconfined::kAllow, "allow"}}};
constexpr std::array<std::pair<Role, std::string_view>, 2> kRoles = {
    {{Role::kOwn, "own"}, {Role::kProtected, "protected"}}};
constexpr std::array<std::pair<RunMode, std::string_view>, 3> kRunModes = {
    {{RunMode::kPlanOnly, "plan_only"}, {RunMode::kPlanAndCheck, "plan_and_check"}, {RunMode::kExecute, "execute"}}};
constexpr std::array<std::pair<BadCast, std::string_view>, 2> kBadCasts = {
    {{BadCast::kNull, "null"}, {BadCast::kError, "error"}}};

EnumNames<JobKind> NamesOf(JobKind) { return kJobKinds; }
EnumNames<Unconfined> NamesOf(Unconfined) { return kUnconfined; }
EnumNames<Role> NamesOf(Role) { return kRoles; }
EnumNames<RunMode> NamesOf(RunMode) { return kRunModes; }
EnumNames<BadCast> NamesOf(BadCast) { return kBadCasts; }

void Visit(auto& a, Is<Confinement> auto& v) {
  a("readable_files", v.readable_files);
  a("writable_folders", v.writable_folders);
}
void Visit(auto& a, Is<WorkerSetup> auto& v) {
  a("confinement", v.confinement);
  a("unconfined", v.unconfined);
  a("address_space_bytes", v.address_space_bytes);
  a("cpu_seconds", v.cpu_seconds);
}
void Visit(auto& a, Is<JobLimits> auto& v) {
  a("memory_bytes", v.memory_bytes);
  a("threads", v.threads);
  a("spill_folder", v.spill_folder);
}
void Visit(auto& a, Is<Job> auto& v) {
  a("kind", v.kind);
  a("limits", v.limits);
  a("request", v.request);
}
void Visit(auto& a, Is<Column> auto& v) {
  a("name", v.name);
  a("type", v.type);
}
void Visit(auto& a, Is<TableFile> auto& v) {
  a("path", v.path);
  a("columns", v.columns);
  a("rows", v.rows);
}
void Visit(auto& a, Is<NamedTable> auto& v) {
  a("name", v.name);
  a("file", v.file);
}
void Visit(auto& a, Is<NamedFile> auto& v) {
  a("name", v.name);
  a("path", v.path);
}
void Visit(auto& a, Is<Function> auto& v) {
  a("name", v.name);
  a("parameters", v.parameters);
  a("body", v.body);
}
void Visit(auto& a, Is<Secret> auto& v) {
  a("scope", v.scope);
  a("key", v.key);
  a.Bytes("value", v.value);
}
void Visit(auto& a, Is<Parameter> auto& v) {
  a("name", v.name);
  a("type", v.type);
  a("value", v.value);
  a("is_null", v.is_null);
}
void Visit(auto& a, Is<SelectRequest> auto& v) {
  a("sql", v.sql);
  a("parameters", v.parameters);
  a("tables", v.tables);
  a("files", v.files);
  a("functions", v.functions);
  a("secrets", v.secrets);
  a("default_namespace", v.default_namespace);
  a("target_path", v.target_path);
  a("row_limit", v.row_limit);
  a("bad_cast", v.bad_cast);
}
void Visit(auto& a, Is<SelectResult> auto& v) {
  a("file", v.file);
  a("rows", v.rows);
  a("truncated", v.truncated);
}
void Visit(auto& a, Is<FunctionCheck> auto& v) {
  a("function", v.function);
  a("others", v.others);
}
void Visit(auto& a, Is<RowFilter> auto& v) {
  a("function", v.function);
  a("columns", v.columns);
}
void Visit(auto& a, Is<Mask> auto& v) {
  a("column", v.column);
  a("function", v.function);
  a("using_columns", v.using_columns);
}
void Visit(auto& a, Is<PrepareRequest> auto& v) {
  a("table", v.table);
  a("row_filters", v.row_filters);
  a("masks", v.masks);
  a("functions", v.functions);
  a("secrets", v.secrets);
  a("rule", v.rule);
  a.Bytes("unit_secret", v.unit_secret);
  a("target_path", v.target_path);
}
void Visit(auto& a, Is<PreparedAsset> auto& v) {
  a("file", v.file);
  a("statistics", v.statistics);
}
void Visit(auto& a, Is<RunAsset> auto& v) {
  a("name", v.name);
  a("owner", v.owner);
  a("role", v.role);
  a("rule", v.rule);
  a("version", v.version);
  a("policy_digest", v.policy_digest);
  a("prepared", v.prepared);
}
void Visit(auto& a, Is<Cell> auto& v) { a("sql", v.sql); }
void Visit(auto& a, Is<RunRequest> auto& v) {
  a("mode", v.mode);
  a("runner", v.runner);
  a("cells", v.cells);
  a("parameters", v.parameters);
  a("assets", v.assets);
  a("history", v.history);
  a("earlier_assets", v.earlier_assets);
  a("output_folder", v.output_folder);
  a("inline_rows_max", v.inline_rows_max);
  a("timeout_ms", v.timeout_ms);
}
void Visit(auto& a, Is<OutputTable> auto& v) {
  a("name", v.name);
  a("file", v.file);
  a("sha256", v.sha256);
  a("rows", v.rows);
}
void Visit(auto& a, Is<RunResult> auto& v) {
  a("certificate", v.certificate);
  a("record", v.record);
  a("outputs", v.outputs);
}

class Writer {
 public:
  template <typename T>
  static json::Value Write(const T& value) {
    if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, bool> || std::is_same_v<T, std::int64_t> ||
                  std::is_same_v<T, json::Value>) {
      return value;
    } else if constexpr (std::is_enum_v<T>) {
      for (const auto& [enumerator, name] : NamesOf(value)) {
        if (enumerator == value) {
          return name;
        }
      }
      GB_ASSERT(false);
    } else if constexpr (kIsVector<T>) {
      json::Array array;
      array.reserve(value.size());
      for (const auto& element : value) {
        array.push_back(Write(element));
      }
      return array;
    } else {
      Writer writer;
      Visit(writer, value);
      return std::move(writer.object_);
    }
  }

  template <typename T>
  void operator()(const char* key, const T& value) {
    object_.Set(key, Write(value));
  }
  void Bytes(const char* key, const std::string& value) { object_.Set(key, Base64Encode(value)); }

 private:
  json::Object object_;
};

class Reader {
 public:
  template <typename T>
  static Status Read(const json::Value& json, T& value, const char* what) {
    if constexpr (std::is_same_v<T, json::Value>) {
      value = json;
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!json.is_string()) {
        return Wrong(what);
      }
      value = json.as_string();
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!json.is_bool()) {
        return Wrong(what);
      }
      value = json.as_bool();
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      if (!json.is_int()) {
        return Wrong(what);
      }
      value = json.as_int();
    } else if constexpr (std::is_enum_v<T>) {
      return ReadEnum(json, value, what);
    } else if constexpr (kIsVector<T>) {
      if (!json.is_array()) {
        return Wrong(what);
      }
      value.reserve(json.as_array().size());
      for (const json::Value& element : json.as_array()) {
        GB_RETURN_IF_ERROR(Read(element, value.emplace_back(), what));
      }
    } else {
      if (!json.is_object()) {
        return Wrong(what);
      }
      Reader reader(json.as_object());
      Visit(reader, value);
      return reader.status_;
    }
    return {};
  }

  template <typename T>
  void operator()(const char* key, T& value) {
    if (const json::Value* member = Member(key)) {
      status_ = Read(*member, value, key);
    }
  }
  void Bytes(const char* key, std::string& value) {
    std::string text;
    (*this)(key, text);
    if (status_.ok()) {
      Result<std::string> bytes = Base64Decode(text);
      if (bytes.ok()) {
        value = std::move(bytes).value();
      } else {
        status_ = Wrong(key);
      }
    }
  }

 private:
  explicit Reader(const json::Object& object) : object_(object) {}

  static Status Wrong(const char* what) {
    return {ErrorCode::kMalformedRequest, std::string("a message between processes has a wrong ") + what};
  }
  template <typename T>
  static Status ReadEnum(const json::Value& json, T& value, const char* what) {
    if (json.is_string()) {
      for (const auto& [enumerator, name] : NamesOf(value)) {
        if (json.as_string() == name) {
          value = enumerator;
          return {};
        }
      }
    }
    return Wrong(what);
  }
  // nullptr after an error, and if the member is missing, which is one.
  const json::Value* Member(const char* key) {
    if (!status_.ok()) {
      return nullptr;
    }
    const json::Value* member = object_.Find(key);
    if (member == nullptr) {
      status_ = Wrong(key);
    }
    return member;
  }

  const json::Object& object_;
  Status status_;
};

}  // namespace

template <typename T>
json::Value ToJson(const T& value) {
  return Writer::Write(value);
}

template <typename T>
Result<T> FromJson(const json::Value& value) {
  T result;
  GB_RETURN_IF_ERROR(Reader::Read(value, result, "top"));
  return result;
}

#define GB_MESSAGE(T)                    \
  template json::Value ToJson(const T&); \
  template Result<T> FromJson(const json::Value&);
GB_MESSAGE(WorkerSetup)
GB_MESSAGE(Job)
GB_MESSAGE(SelectRequest)
GB_MESSAGE(SelectResult)
GB_MESSAGE(FunctionCheck)
GB_MESSAGE(PrepareRequest)
GB_MESSAGE(PreparedAsset)
GB_MESSAGE(RunRequest)
GB_MESSAGE(RunResult)
#undef GB_MESSAGE

std::string EncodeReply(const Result<json::Value>& result) {
  if (result.ok()) {
    return json::Write(json::Object{{"ok", *result}});
  }
  const Status& status = result.status();
  json::Object error{{"code", WireName(status.code())}, {"message", status.message()}, {"rule", status.rule()}};
  if (status.position().has_value()) {
    error.Set("position", static_cast<std::int64_t>(*status.position()));
  }
  return json::Write(json::Object{{"error", std::move(error)}});
}

Result<json::Value> DecodeReply(std::string_view text) {
  Result<json::Value> parsed = ParseMessage(text);
  if (parsed.ok() && parsed->is_object()) {
    if (const json::Value* const ok = parsed->as_object().Find("ok")) {
      return *ok;
    }
    const json::Value* const error = parsed->Get("error");
    const std::string code_name = error == nullptr ? "" : error->GetString("code");
    const ErrorCode code = ErrorCodeFromWireName(code_name);
    if (error != nullptr && !code_name.empty() && code != ErrorCode::kOk) {
      const std::int64_t position = error->GetInt("position", -1);
      return Status(code, error->GetString("message"))
          .WithRule(error->GetString("rule"))
          .At(position < 0 ? std::nullopt : std::optional<std::size_t>(static_cast<std::size_t>(position)));
    }
  }
  return Status(ErrorCode::kRunFailed, "a worker sent something that is no reply");
}

Result<json::Value> ParseMessage(std::string_view text) { return json::Parse(text, limits::kWorkerMessageDepthMax); }

}  // namespace glovebox::engine::worker
