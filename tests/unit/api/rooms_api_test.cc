// SPDX-License-Identifier: Apache-2.0
//
// The shapes and status of the clean room endpoints, over the real services with an engine that is told what to answer.
#include <string>
#include <utility>
#include <vector>

#include "api/room_apis.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/strings.h"
#include "http/router.h"
#include "tests/unit/room/fixture.h"

namespace glovebox::api {
namespace {

using http::Method;
using room::FakeEngine;

struct Answer {
  ErrorCode code = ErrorCode::kOk;
  std::string message;
  int status = 0;
  json::Value body;
  std::string text;
};

class RoomsApiTest : public room::RoomTest {
 protected:
  RoomsApiTest() {
    federation_token_ = catalog_->tokens.Create(federation_, "", std::nullopt)->value;
    insurer_token_ = catalog_->tokens.Create(insurer_, "", std::nullopt)->value;
    const Context context{.catalog = catalog_.get(),
                          .rooms = rooms_.get(),
                          .statements = nullptr,
                          .metrics = nullptr,
                          .blocking_jobs = &blocking_jobs_};
    for (const auto add : {AddRoomsApi, AddRoomAssetsApi, AddApprovalRulesApi, AddJobsApi, AddRoomRunsApi,
                           AddNativeRoomsApi, AddNativeOutputsApi, AddNativeLedgerApi}) {
      add(context, router_);
    }
  }

  Answer Send(const std::string& token, Method method, const std::string& target, const std::string& body = "") {
    http::Request request;
    request.method = method;
    request.raw_path = target.substr(0, target.find('?'));
    const std::vector<std::string> parts = Split(request.raw_path.substr(1), '/');
    for (const std::string& part : parts) {
      request.segments.push_back(PercentDecode(part).value());
    }
    if (const std::size_t question = target.find('?'); question != std::string::npos) {
      for (const std::string& pair : Split(target.substr(question + 1), '&')) {
        const std::size_t equals = pair.find('=');
        request.query.Add(pair.substr(0, equals), pair.substr(equals + 1));
      }
    }
    if (!token.empty()) {
      request.headers.Add("Authorization", "Bearer " + token);
    }
    request.body = std::make_unique<http::StringBody>(body);
    const http::Router::Match match = router_.Find(method, request.segments);
    Answer answer;
    if (match.handler == nullptr) {
      answer.code = match.status.code();
      return answer;
    }
    request.path_parameters = match.path_parameters;
    Result<http::Response> response = (*match.handler)(request);
    if (!response.ok()) {
      answer.code = response.status().code();
      answer.message = response.status().message();
      return answer;
    }
    answer.status = response->status;
    if (const auto* text = std::get_if<std::string>(&response->body); text != nullptr) {
      answer.text = *text;
      if (auto parsed = json::Parse(*text); parsed.ok()) {
        answer.body = std::move(*parsed);
      }
    }
    return answer;
  }
  Answer Fed(Method method, const std::string& target, const std::string& body = "") {
    return Send(federation_token_, method, target, body);
  }
  Answer Ins(Method method, const std::string& target, const std::string& body = "") {
    return Send(insurer_token_, method, target, body);
  }
  std::string RoomBody(const std::string& name) {
    return R"({"name":")" + name +
           R"(","comment":"c","unknown_member":1,"remote_detailed_info":{"cloud_vendor":"local",)" +
           R"("region":"here","collaborators":[{"collaborator_alias":"fed","global_metastore_id":")" +
           GlobalId(federation_) + R"("},{"catalog_alias":"ins","global_metastore_id":")" + GlobalId(insurer_) +
           R"(","invite_recipient_email":"ann@insurer.example","invite_recipient_workspace_id":123}]}})";
  }
  static std::string Keys(const json::Value& value) {
    std::string keys;
    for (const json::Member& member : value.as_object()) {
      keys += (keys.empty() ? "" : ",") + member.first;
    }
    return keys;
  }
  // Everything up to an approved notebook, by the endpoints.
  void MakeRoom() {
    EXPECT_EQ(Fed(Method::kPost, kRooms, RoomBody("games")).code, ErrorCode::kOk);
    EXPECT_EQ(Ins(Method::kPost, kNative + "/games/join").code, ErrorCode::kOk);
    const auto table = [](const std::string& name, const std::string& local) {
      return R"({"asset_type":"TABLE","name":")" + name + R"(","table_local_details":{"local_name":")" + local +
             R"("}})";
    };
    EXPECT_EQ(Fed(Method::kPost, kRooms + "/games/assets", table("fed.s.athletes", "main.default.athletes")).code,
              ErrorCode::kOk);
    EXPECT_EQ(Ins(Method::kPost, kRooms + "/games/assets", table("ins.h.customers", "main.default.customers")).code,
              ErrorCode::kOk);
    const std::string rule = json::Write(Rule());
    EXPECT_EQ(Fed(Method::kPut, kNative + "/games/assets/fed.s.athletes/rule", rule).code, ErrorCode::kOk);
    EXPECT_EQ(Ins(Method::kPut, kNative + "/games/assets/ins.h.customers/rule", R"({"rule":)" + rule + "}").code,
              ErrorCode::kOk);
    EXPECT_EQ(Fed(Method::kPost, kRooms + "/games/output-catalogs", R"({"catalog_name":"out"})").code, ErrorCode::kOk);
  }
  std::string UploadNotebook() {
    const Answer created =
        Fed(Method::kPost, kRooms + "/games/assets",
            R"({"asset_type":"NOTEBOOK_FILE","name":"overlap.sql","notebook":{"notebook_content":")" +
                Base64Encode("SELECT 1") + R"("}})");
    EXPECT_EQ(created.code, ErrorCode::kOk) << created.message;
    return created.body.Get("notebook")->GetString("etag");
  }
  Answer ReviewNotebook(const std::string& etag) {
    return Ins(Method::kPost, kRooms + "/games/assets/NOTEBOOK_FILE/overlap.sql/reviews",
               R"({"notebook_review":{"etag":")" + etag + R"(","review_state":"APPROVED","comment":"ok"}})");
  }
  Answer Submit() {
    return Fed(Method::kPost, "/api/2.2/jobs/runs/submit",
               R"({"run_name":"r","tasks":[{"task_key":"t","clean_rooms_notebook_task":{"clean_room_name":"games",)"
               R"("notebook_name":"overlap.sql"}}]})");
  }

  const std::string kRooms = "/api/2.0/clean-rooms";
  const std::string kNative = "/api/glovebox/v1/rooms";
  FairGate blocking_jobs_{2, 1};
  http::Router router_;
  std::string federation_token_;
  std::string insurer_token_;
};

TEST_F(RoomsApiTest, EveryEndpointWantsAToken) {
  EXPECT_EQ(Send("", Method::kGet, kRooms).code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(Send("dapi0000", Method::kPost, kRooms, "not even JSON").code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(Send("", Method::kGet, "/api/2.2/jobs/runs/get?run_id=1").code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(Send("", Method::kGet, kNative + "/games/evidence").code, ErrorCode::kUnauthenticated);
}

TEST_F(RoomsApiTest, CreatedListedAndFullRoom) {
  const Answer created = Fed(Method::kPost, kRooms, RoomBody("games"));
  ASSERT_EQ(created.code, ErrorCode::kOk) << created.message;
  EXPECT_EQ(Keys(created.body), "name,owner,created_at,status,comment");
  EXPECT_EQ(created.body.GetString("status"), "PROVISIONING");

  const Answer listed = Fed(Method::kGet, kRooms + "?page_size=100");
  ASSERT_EQ(listed.body.Get("clean_rooms")->as_array().size(), 1U);
  EXPECT_EQ(listed.body.Get("clean_rooms")->as_array()[0].Get("remote_detailed_info"), nullptr);
  EXPECT_EQ(listed.body.Get("next_page_token"), nullptr);

  const Answer full = Ins(Method::kGet, kRooms + "/games");
  const json::Value* details = full.body.Get("remote_detailed_info");
  ASSERT_NE(details, nullptr);
  EXPECT_EQ(details->Get("collaborators")->as_array().size(), 2U);
  EXPECT_EQ(details->Get("creator")->GetString("collaborator_alias"), "fed");
  EXPECT_EQ(full.body.GetString("local_collaborator_alias"), "ins");
  EXPECT_EQ(full.text.find("invite_recipient_email"), std::string::npos) << "for the creator only";
  EXPECT_NE(Fed(Method::kGet, kRooms + "/games").text.find("invite_recipient_email"), std::string::npos);

  EXPECT_EQ(Ins(Method::kPost, kNative + "/games/join").body.GetString("state"), "ACTIVE");
  EXPECT_EQ(Fed(Method::kGet, kRooms + "/games").body.GetString("status"), "ACTIVE");
}

TEST_F(RoomsApiTest, UpdatesComeWrappedBareOrEmpty) {
  Fed(Method::kPost, kRooms, RoomBody("games"));
  EXPECT_EQ(Fed(Method::kPatch, kRooms + "/games", R"({"clean_room":{"comment":"wrapped"}})").body.GetString("comment"),
            "wrapped");
  EXPECT_EQ(Fed(Method::kPatch, kRooms + "/games", R"({"comment":"bare"})").body.GetString("comment"), "bare");
  EXPECT_EQ(Fed(Method::kPatch, kRooms + "/games").body.GetString("comment"), "bare");
  EXPECT_EQ(Fed(Method::kPatch, kRooms + "/games", R"({"clean_room":{"name":"other"}})").code,
            ErrorCode::kInvalidParameterValue);
}

TEST_F(RoomsApiTest, BadBodiesAreNamedAndChangeNothing) {
  EXPECT_EQ(Fed(Method::kPost, kRooms, "{").code, ErrorCode::kMalformedRequest);
  EXPECT_EQ(Fed(Method::kPost, kRooms, "[]").code, ErrorCode::kMalformedRequest);
  EXPECT_EQ(Fed(Method::kPost, kRooms, R"({"name":5})").code, ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(Fed(Method::kPost, kRooms, R"({"name":"games"})").code, ErrorCode::kInvalidParameterValue);
  std::string shared = RoomBody("games");
  shared.insert(1, R"("enable_shared_output":true,)");
  EXPECT_EQ(Fed(Method::kPost, kRooms, shared).code, ErrorCode::kNotSupported);
  EXPECT_EQ(Fed(Method::kGet, kRooms).body.Get("clean_rooms")->as_array().size(), 0U);
  EXPECT_EQ(Fed(Method::kGet, kRooms + "/nothing").code, ErrorCode::kNotFound);
}

TEST_F(RoomsApiTest, AssetsShowEachSideWhatIsItsOwn) {
  MakeRoom();
  const Answer own = Ins(Method::kGet, kRooms + "/games/assets/TABLE/ins.h.customers");
  EXPECT_EQ(own.body.Get("table_local_details")->GetString("local_name"), "main.default.customers");
  const Answer other = Fed(Method::kGet, kRooms + "/games/assets/CleanRoomAssetAssetType.TABLE/ins.h.customers");
  EXPECT_EQ(other.body.Get("table_local_details"), nullptr);
  EXPECT_EQ(other.body.GetString("status"), "ACTIVE");
  EXPECT_EQ(other.text.find("hidden"), std::string::npos) << "a column that the rule does not name";
  EXPECT_EQ(other.body.Get("table")->Get("columns")->as_array()[0].GetString("type_name"), "STRING");
  EXPECT_EQ(Fed(Method::kGet, kRooms + "/games/assets").body.Get("assets")->as_array().size(), 2U);
  EXPECT_EQ(Fed(Method::kGet, kRooms + "/games/assets/VIEW/x").code, ErrorCode::kNotSupported);
  EXPECT_EQ(Fed(Method::kGet, kRooms + "/games/assets/NONSENSE/x").code, ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(Fed(Method::kGet, kNative + "/games/assets/ins.h.customers/rule").body.Get("rule")->GetInt("min_units"),
            50);
  EXPECT_EQ(Fed(Method::kDelete, kRooms + "/games/assets/TABLE/ins.h.customers").code, ErrorCode::kPermissionDenied);
}

TEST_F(RoomsApiTest, NotebookReviewsAndRevisions) {
  MakeRoom();
  const std::string etag = UploadNotebook();
  const Answer answer = ReviewNotebook(etag);
  EXPECT_EQ(answer.body.GetString("notebook_review_state"), "APPROVED") << answer.message;
  const json::Value& review = answer.body.Get("notebook_reviews")->as_array()[0];
  EXPECT_EQ(Keys(review), "reviewer_collaborator_alias,review_state,created_at_millis,comment");

  const Answer edited = Fed(Method::kPatch, kRooms + "/games/assets/NOTEBOOK_FILE/overlap.sql",
                            R"({"name":"overlap.sql","asset_type":"NOTEBOOK_FILE","notebook":{"notebook_content":")" +
                                Base64Encode("SELECT 2") + R"("}})");
  EXPECT_EQ(edited.body.Get("notebook")->GetString("review_state"), "PENDING");
  EXPECT_EQ(ReviewNotebook(etag).code, ErrorCode::kAborted);
  const std::string revisions = kRooms + "/games/assets/NOTEBOOK_FILE/overlap.sql/revisions";
  const Answer first = Fed(Method::kGet, revisions + "?page_size=1");
  ASSERT_EQ(first.body.Get("revisions")->as_array().size(), 1U);
  EXPECT_NE(first.body.Get("revisions")->as_array()[0].Get("notebook")->GetString("etag"), etag) << "newest first";
  const Answer second =
      Fed(Method::kGet, revisions + "?page_size=1&page_token=" + first.body.GetString("next_page_token"));
  EXPECT_EQ(second.body.Get("revisions")->as_array()[0].Get("notebook")->GetString("etag"), etag);
  EXPECT_EQ(second.body.Get("next_page_token"), nullptr);
  EXPECT_EQ(Fed(Method::kGet, revisions + "/" + etag).body.Get("notebook")->GetString("notebook_content"),
            Base64Encode("SELECT 1"))
      << "byte for byte";
  EXPECT_EQ(Fed(Method::kGet, revisions + "/0").code, ErrorCode::kNotFound);
  const Answer plan = Ins(Method::kPost, kNative + "/games/notebooks/overlap.sql/plan", "{}");
  EXPECT_EQ(plan.body.GetString("etag"), edited.body.Get("notebook")->GetString("etag"));
  const json::Value* planned = plan.body.Get("certificate")->Get("outputs");
  ASSERT_NE(planned, nullptr);
  ASSERT_NE(plan.body.Get("outputs"), nullptr);
  EXPECT_FALSE(planned->as_array().empty());
  EXPECT_EQ(plan.body.Get("outputs")->as_array().size(), planned->as_array().size());
  EXPECT_EQ(plan.body.Get("outputs")->as_array().at(0).GetString("name"), planned->as_array().at(0).GetString("name"));
  EXPECT_EQ(plan.body.Get("outputs")->as_array().at(0).Get("columns")->as_array().at(0).GetString("name"),
            planned->as_array().at(0).Get("columns")->as_array().at(0).GetString("name"));
}

TEST_F(RoomsApiTest, RequestsThatComputeHaveAShareForEachOrganisation) {
  MakeRoom();
  UploadNotebook();
  const std::string rule = kNative + "/games/assets/fed.s.athletes/rule";
  const std::string plan = kNative + "/games/notebooks/overlap.sql/plan";
  FairGate::Place place = blocking_jobs_.TryEnter(federation_.organisation.str());
  ASSERT_NE(place, nullptr);
  EXPECT_EQ(Fed(Method::kPost, plan, "{}").code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(Fed(Method::kPut, rule, json::Write(Rule())).code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(Fed(Method::kPost, kRooms + "/games/assets", R"({"asset_type":"NOTEBOOK_FILE","name":"other"})").code,
            ErrorCode::kResourceExhausted);
  EXPECT_EQ(Fed(Method::kGet, rule).code, ErrorCode::kOk);
  EXPECT_EQ(Ins(Method::kPost, plan, "{}").code, ErrorCode::kOk) << "another organisation has its own share";
  place.reset();
  EXPECT_EQ(Fed(Method::kPost, plan, "{}").code, ErrorCode::kOk);
}

TEST_F(RoomsApiTest, WhatIsKeptOfARoomsDetailsIsBounded) {
  const auto body = [this](std::size_t size) {
    std::string text = RoomBody("games");
    const std::string begin = R"("remote_detailed_info":{)";
    return text.insert(text.find(begin) + begin.size(),
                       R"("egress_network_policy":{"x":")" + std::string(size, 'x') + R"("},)");
  };
  EXPECT_EQ(Fed(Method::kPost, kRooms, body(limits::kCommentBytesMax)).code, ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(Fed(Method::kPost, kRooms, body(100)).code, ErrorCode::kOk);
}

TEST_F(RoomsApiTest, ApprovalRules) {
  MakeRoom();
  const std::string rules = kRooms + "/games/auto-approval-rules";
  const Answer created =
      Ins(Method::kPost, rules,
          R"({"auto_approval_rule":{"author_scope":"ANY_AUTHOR","runner_collaborator_alias":"ins"}})");
  ASSERT_EQ(created.code, ErrorCode::kOk) << created.message;
  const std::string id = created.body.GetString("rule_id");
  EXPECT_EQ(created.body.GetString("rule_owner_collaborator_alias"), "ins");
  EXPECT_EQ(Ins(Method::kPatch, rules + "/" + id, R"({"author_collaborator_alias":"fed"})")
                .body.GetString("author_collaborator_alias"),
            "fed");
  EXPECT_EQ(Ins(Method::kGet, rules).body.Get("rules")->as_array().size(), 1U);
  EXPECT_EQ(Fed(Method::kGet, rules + "/" + id).code, ErrorCode::kNotFound);
  EXPECT_EQ(Ins(Method::kDelete, rules + "/" + id).text, "{}");
}

TEST_F(RoomsApiTest, JobsRunTheApprovedVersion) {
  MakeRoom();
  const std::string etag = UploadNotebook();
  EXPECT_EQ(Submit().code, ErrorCode::kInvalidState) << "not approved";
  ReviewNotebook(etag);
  const Answer submitted = Submit();
  ASSERT_EQ(submitted.code, ErrorCode::kOk) << submitted.message;
  const std::string id = std::to_string(submitted.body.GetInt("run_id"));
  const Answer queued = Fed(Method::kGet, "/api/2.1/jobs/runs/get?run_id=" + id);
  EXPECT_EQ(queued.body.Get("state")->GetString("life_cycle_state"), "QUEUED");
  EXPECT_EQ(queued.body.GetInt("end_time"), 0);
  Settle();
  const Answer run = Fed(Method::kGet, "/api/2.2/jobs/runs/get?run_id=" + id);
  EXPECT_EQ(run.body.Get("state")->GetString("life_cycle_state"), "TERMINATED");
  EXPECT_EQ(run.body.Get("state")->GetString("result_state"), "SUCCESS");
  EXPECT_EQ(run.text.find("next_page_token"), std::string::npos) << "clients would never stop asking";
  const json::Value& task = run.body.Get("tasks")->as_array()[0];
  EXPECT_EQ(task.Get("clean_rooms_notebook_task")->GetString("clean_room_name"), "games");

  const Answer output =
      Fed(Method::kGet, "/api/2.2/jobs/runs/get-output?run_id=" + std::to_string(task.GetInt("run_id")));
  const json::Value* info = output.body.Get("clean_rooms_notebook_output")->Get("output_schema_info");
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->GetString("catalog_name"), "out");
  EXPECT_EQ(Fed(Method::kGet, "/api/2.2/jobs/runs/list").body.Get("runs")->as_array().size(), 2U);
  const Answer foreign = Ins(Method::kGet, "/api/2.2/jobs/runs/get?run_id=" + id);
  EXPECT_EQ(foreign.code, ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(foreign.message, "Run " + id + " does not exist.");
  const Answer shared = Ins(Method::kGet, kRooms + "/games/runs");
  ASSERT_EQ(shared.body.Get("runs")->as_array().size(), 2U);
  EXPECT_EQ(Keys(*shared.body.Get("runs")->as_array()[0].Get("collaborator_job_run_info")), "collaborator_alias");
  EXPECT_EQ(Fed(Method::kPost, "/api/2.2/jobs/runs/cancel", R"({"run_id":)" + id + "}").text, "{}");
  EXPECT_EQ(Fed(Method::kPost, "/api/2.2/jobs/runs/submit", R"({"tasks":[{"task_key":"a"}]})").code,
            ErrorCode::kNotSupported);
}

TEST_F(RoomsApiTest, OutputsAreReadReviewedAndExported) {
  MakeRoom();
  ReviewNotebook(UploadNotebook());
  engine_.columns.push_back({"surprise", "VARCHAR"});
  Submit();
  Settle();
  const Answer listed = Ins(Method::kGet, kNative + "/games/outputs");
  ASSERT_EQ(listed.body.Get("outputs")->as_array().size(), 1U);
  const json::Value& waiting = listed.body.Get("outputs")->as_array()[0];
  EXPECT_EQ(waiting.GetString("state"), "PENDING_REVIEW");
  EXPECT_EQ(listed.text.find(data_folder_), std::string::npos) << "no path leaves the server";
  EXPECT_EQ(waiting.Get("table"), nullptr) << "where the runner reads it is the runner's";
  const std::string output = kNative + "/games/outputs/" + waiting.GetString("output_id");
  EXPECT_EQ(Fed(Method::kGet, output + "/rows").code, ErrorCode::kInvalidState);
  EXPECT_EQ(Ins(Method::kGet, output + "/rows").code, ErrorCode::kPermissionDenied) << "reviewers see no rows";
  EXPECT_EQ(Ins(Method::kPost, output + "/review", R"({"decision":"MAYBE"})").code, ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(Ins(Method::kPost, output + "/review", R"({"decision":"APPROVED"})").body.GetString("state"), "RELEASED");
  EXPECT_EQ(json::Write(*Fed(Method::kGet, output + "/rows?limit=1").body.Get("rows")), R"([["Rowing",120]])");

  const Answer exported = Fed(Method::kPost, output + "/exports");
  ASSERT_EQ(exported.status, 201) << exported.message;
  EXPECT_EQ(exported.body.GetString("state"), "RELEASED");
  const std::string content = kNative + "/games/exports/" + exported.body.GetString("export_id") + "/content";
  EXPECT_EQ(Fed(Method::kGet, content).status, 200);
  EXPECT_EQ(Ins(Method::kGet, content).code, ErrorCode::kNotFound);
  EXPECT_EQ(Ins(Method::kPost, output + "/exports").code, ErrorCode::kPermissionDenied);
}

TEST_F(RoomsApiTest, LedgerAndEvidence) {
  MakeRoom();
  const Answer head = Ins(Method::kGet, kNative + "/games/ledger");
  const std::int64_t size = head.body.GetInt("size");
  EXPECT_GT(size, 5);
  EXPECT_EQ(Ins(Method::kGet, kNative + "/games/ledger/checkpoint").text, head.body.GetString("checkpoint"));
  const Answer entries = Ins(Method::kGet, kNative + "/games/ledger/entries?from=1&to=3");
  ASSERT_EQ(entries.body.Get("entries")->as_array().size(), 2U);
  EXPECT_EQ(entries.body.Get("entries")->as_array()[0].GetInt("index"), 1);
  EXPECT_EQ(entries.body.Get("entries")->as_array()[0].Get("entry")->GetString("type"), "room.joined");
  EXPECT_EQ(Ins(Method::kGet, kNative + "/games/ledger/entries?from=-1").code, ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(Ins(Method::kGet, kNative + "/games/evidence").status, 200);
  EXPECT_TRUE(ListDirectory(data_folder_ + "/evidence")->empty()) << "nothing is left behind";
}

TEST_F(RoomsApiTest, DeletedRoomIsGoneHereAndDeletedThere) {
  MakeRoom();
  EXPECT_EQ(Ins(Method::kDelete, kRooms + "/games").text, "{}");
  EXPECT_EQ(Ins(Method::kGet, kRooms + "/games").code, ErrorCode::kNotFound);
  EXPECT_EQ(Fed(Method::kGet, kRooms + "/games").body.GetString("status"), "DELETED");
}

}  // namespace
}  // namespace glovebox::api
