// SPDX-License-Identifier: Apache-2.0
#include "catalog/privileges.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/strings.h"

namespace glovebox::catalog {
namespace {

using Kind = SecurableKind;

struct KindInfo {
  Kind kind;
  std::string_view wire;
  std::string_view display;
};

constexpr std::array kKinds = {
    KindInfo{Kind::kMetastore, "METASTORE", "Metastore"},
    KindInfo{Kind::kCatalog, "CATALOG", "Catalog"},
    KindInfo{Kind::kSchema, "SCHEMA", "Schema"},
    KindInfo{Kind::kTable, "TABLE", "Table"},
    KindInfo{Kind::kVolume, "VOLUME", "Volume"},
    KindInfo{Kind::kFunction, "FUNCTION", "Function"},
    KindInfo{Kind::kCleanRoom, "CLEAN_ROOM", "Clean room"},
};

// Where a privilege says something, and the containers where it may be granted for what is in them.
struct PrivilegeInfo {
  Privilege privilege;
  std::string_view wire;
  std::array<bool, 7> concerns;   // by Kind
  std::array<bool, 7> grantable;  // by Kind
};

//                            metastore catalog schema table volume function room
constexpr std::array<bool, 7> kNowhere = {false, false, false, false, false, false, false};
constexpr std::array<bool, 7> kEverywhere = {true, true, true, true, true, true, true};
constexpr std::array<bool, 7> kBelowMetastore = {false, true, true, true, true, true, true};
constexpr std::array<bool, 7> kOnMetastore = {true, false, false, false, false, false, false};
constexpr std::array<bool, 7> kOnCatalog = {false, true, false, false, false, false, false};
constexpr std::array<bool, 7> kOnSchema = {false, false, true, false, false, false, false};
constexpr std::array<bool, 7> kToSchema = {false, true, true, false, false, false, false};
constexpr std::array<bool, 7> kOnTable = {false, false, false, true, false, false, false};
constexpr std::array<bool, 7> kToTable = {false, true, true, true, false, false, false};
constexpr std::array<bool, 7> kOnVolume = {false, false, false, false, true, false, false};
constexpr std::array<bool, 7> kToVolume = {false, true, true, false, true, false, false};
constexpr std::array<bool, 7> kOnFunction = {false, false, false, false, false, true, false};
constexpr std::array<bool, 7> kToFunction = {false, true, true, false, false, true, false};
constexpr std::array<bool, 7> kOnRoom = {false, false, false, false, false, false, true};

constexpr std::array kPrivileges = {
    PrivilegeInfo{Privilege::kAllPrivileges, "ALL_PRIVILEGES", kNowhere, kBelowMetastore},
    PrivilegeInfo{Privilege::kBrowse, "BROWSE", kEverywhere, kEverywhere},
    PrivilegeInfo{Privilege::kManage, "MANAGE", kEverywhere, kBelowMetastore},
    PrivilegeInfo{Privilege::kUseCatalog, "USE_CATALOG", kOnCatalog, kOnCatalog},
    PrivilegeInfo{Privilege::kUseSchema, "USE_SCHEMA", kOnSchema, kToSchema},
    PrivilegeInfo{Privilege::kSelect, "SELECT", kOnTable, kToTable},
    PrivilegeInfo{Privilege::kModify, "MODIFY", kOnTable, kToTable},
    PrivilegeInfo{Privilege::kExecute, "EXECUTE", kOnFunction, kToFunction},
    PrivilegeInfo{Privilege::kReadVolume, "READ_VOLUME", kOnVolume, kToVolume},
    PrivilegeInfo{Privilege::kWriteVolume, "WRITE_VOLUME", kOnVolume, kToVolume},
    PrivilegeInfo{Privilege::kCreateCatalog, "CREATE_CATALOG", kOnMetastore, kOnMetastore},
    PrivilegeInfo{Privilege::kCreateSchema, "CREATE_SCHEMA", kOnCatalog, kOnCatalog},
    PrivilegeInfo{Privilege::kCreateTable, "CREATE_TABLE", kOnSchema, kToSchema},
    PrivilegeInfo{Privilege::kCreateVolume, "CREATE_VOLUME", kOnSchema, kToSchema},
    PrivilegeInfo{Privilege::kCreateFunction, "CREATE_FUNCTION", kOnSchema, kToSchema},
    PrivilegeInfo{Privilege::kCreateCleanRoom, "CREATE_CLEAN_ROOM", kOnMetastore, kOnMetastore},
    PrivilegeInfo{Privilege::kCreateSecretScope, "CREATE_SECRET_SCOPE", kOnMetastore, kOnMetastore},
    PrivilegeInfo{Privilege::kModifyCleanRoom, "MODIFY_CLEAN_ROOM", kOnRoom, kOnRoom},
    PrivilegeInfo{Privilege::kExecuteCleanRoomTask, "EXECUTE_CLEAN_ROOM_TASK", kOnRoom, kOnRoom},
};

const KindInfo& Info(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

const PrivilegeInfo& Info(Privilege privilege) { return kPrivileges[static_cast<std::size_t>(privilege)]; }

}  // namespace

std::string_view WireName(SecurableKind kind) { return Info(kind).wire; }

std::string_view DisplayName(SecurableKind kind) { return Info(kind).display; }

std::optional<SecurableKind> ParseSecurableKind(std::string_view text) {
  std::string name = AsciiUpper(text);
  constexpr std::string_view kEnumPrefix = "SECURABLETYPE.";
  if (name.starts_with(kEnumPrefix)) {
    name.erase(0, kEnumPrefix.size());
  }
  const auto found =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const KindInfo& info) { return info.wire == name; });
  return found == kKinds.end() ? std::nullopt : std::optional(found->kind);
}

SecurableKind ContainerKind(SecurableKind kind) {
  GB_ASSERT(kind != Kind::kMetastore);
  switch (kind) {
    case Kind::kSchema:
      return Kind::kCatalog;
    case Kind::kTable:
    case Kind::kVolume:
    case Kind::kFunction:
      return Kind::kSchema;
    default:
      return Kind::kMetastore;
  }
}

std::string_view WireName(Privilege privilege) { return Info(privilege).wire; }

std::string SqlName(Privilege privilege) {
  std::string name(Info(privilege).wire);
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::optional<Privilege> ParsePrivilege(std::string_view text) {
  std::string name = AsciiUpper(text);
  std::replace(name.begin(), name.end(), ' ', '_');
  constexpr std::string_view kEnumPrefix = "PRIVILEGE.";
  if (name.starts_with(kEnumPrefix)) {
    name.erase(0, kEnumPrefix.size());
  }
  const auto found = std::find_if(kPrivileges.begin(), kPrivileges.end(),
                                  [&](const PrivilegeInfo& info) { return info.wire == name; });
  return found == kPrivileges.end() ? std::nullopt : std::optional(found->privilege);
}

bool IsGrantable(Privilege privilege, SecurableKind kind) {
  return Info(privilege).grantable[static_cast<std::size_t>(kind)];
}

bool Concerns(Privilege privilege, SecurableKind kind) {
  return Info(privilege).concerns[static_cast<std::size_t>(kind)];
}

std::vector<Privilege> PrivilegesOf(SecurableKind kind) {
  std::vector<Privilege> result;
  for (const PrivilegeInfo& info : kPrivileges) {
    if (info.concerns[static_cast<std::size_t>(kind)]) {
      result.push_back(info.privilege);
    }
  }
  return result;
}

}  // namespace glovebox::catalog
