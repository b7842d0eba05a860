// SPDX-License-Identifier: Apache-2.0
//
// Kinds of securable objects and the privileges of Unity Catalog on them: names on the wire, names in SQL, and which
// privilege may be granted where. A privilege that is granted on a container counts for what is in it. Pure.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace glovebox::catalog {

enum class SecurableKind { kMetastore, kCatalog, kSchema, kTable, kVolume, kFunction, kCleanRoom };

// "CLEAN_ROOM", and "Clean room" for messages.
std::string_view WireName(SecurableKind kind);
std::string_view DisplayName(SecurableKind kind);
// Ignores case; also takes "SecurableType.CLEAN_ROOM", which is what some clients send.
std::optional<SecurableKind> ParseSecurableKind(std::string_view text);
// The kind of the container: of a table the schema, of a clean room the metastore. REQUIRES: not kMetastore.
SecurableKind ContainerKind(SecurableKind kind);

enum class Privilege {
  kAllPrivileges,  // everything that can be granted there but MANAGE
  kBrowse,
  kManage,
  kUseCatalog,
  kUseSchema,
  kSelect,
  kModify,
  kExecute,
  kReadVolume,
  kWriteVolume,
  kCreateCatalog,
  kCreateSchema,
  kCreateTable,
  kCreateVolume,
  kCreateFunction,
  kCreateCleanRoom,
  kCreateSecretScope,  // Databricks has no name for what lets one create scopes
  kModifyCleanRoom,
  kExecuteCleanRoomTask,
};

// "CREATE_CLEAN_ROOM" and "CREATE CLEAN ROOM".
std::string_view WireName(Privilege privilege);
std::string SqlName(Privilege privilege);
// Takes both forms and ignores case.
std::optional<Privilege> ParsePrivilege(std::string_view text);
// Whether it may be granted on objects of this kind.
bool IsGrantable(Privilege privilege, SecurableKind kind);
// Whether it says something about an object of this kind (not only about what is in it).
bool Concerns(Privilege privilege, SecurableKind kind);
// All that concern a kind, in the order of the enum, without ALL_PRIVILEGES.
std::vector<Privilege> PrivilegesOf(SecurableKind kind);

}  // namespace glovebox::catalog
