// SPDX-License-Identifier: Apache-2.0
//
// Clean rooms and what is in them, in Databricks' shapes and in ours. What is unknown is absent. Pure.
#pragma once

#include <string_view>

#include "base/json.h"
#include "room/rooms.h"

namespace glovebox::api {

// What the answer to a creation has, what a list has, and all.
enum class RoomDetail { kCreated, kListed, kFull };
json::Value RoomJson(const room::RoomView& view, RoomDetail detail);
json::Value NativeRoomJson(const room::RoomView& view);

json::Value TableAssetJson(const room::AssetView& view, const std::string& room_name);
json::Value NotebookAssetJson(const room::NotebookView& view, const std::string& room_name);
json::Value ReviewAnswerJson(const room::NotebookView& view);
json::Value ApprovalRuleJson(const room::AutoApprovalRule& rule, const std::string& room_name);

// A run in the shapes of the Jobs API, and its state alone.
json::Value JobRunJson(const room::RunView& view);
json::Value JobTaskJson(const room::RunView& view);
json::Object RunStateJson(const room::RunView& view);
// A run as every collaborator sees it.
json::Value NotebookTaskRunJson(const room::RunView& view, std::int64_t workspace_id);
json::Value TaskRunJson(const room::RunView& view, std::int64_t workspace_id);

json::Value OutputJson(const room::OutputView& view);
json::Value ExportJson(const room::Export& item);

}  // namespace glovebox::api
