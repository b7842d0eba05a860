// SPDX-License-Identifier: Apache-2.0
#include "room/run_repository.h"

#include "catalog/names.h"

namespace glovebox::room {
namespace {

using store::Row;
using store::Transaction;
using store::Value;

constexpr std::string_view kOutputColumns =
    "id, run_id, room_id, organisation_id, runner_alias, name, columns_json, row_count, byte_count, sha256, path, "
    "rows_path, state, reason, disclosed, opening, registered, register_problem, created_at, decide_by, expires_at, "
    "rows_sha256";
constexpr std::string_view kExportColumns =
    "id, room_id, output_id, run_id, organisation_id, runner_alias, principal_name, state, sha256, byte_count, "
    "created_at";

TimeMs Time(const Row& row, std::size_t column) { return TimeMs{row.Int(column)}; }
Value Number(TimeMs time) { return ToInt(time); }
Value Number(RunId id) { return static_cast<std::int64_t>(id); }
Value Text(std::string_view text) { return std::string(text); }

std::string Select(std::string_view columns, std::string_view rest) {
  return "SELECT " + std::string(columns) + " FROM " + std::string(rest);
}

// Certificate and completion, which are long, and what stands in their place in a list.
constexpr std::string_view kRunDocuments = "certificate, completion";
constexpr std::string_view kNoRunDocuments = "'', ''";

// In the order in which RunOf reads them.
std::string RunColumns(std::string_view documents = kRunDocuments) {
  return "id, task_id, room_id, organisation_id, runner_alias, principal_id, principal_name, run_name, task_key, "
         "idempotency_token, notebook_id, notebook_name, etag, parameters, state, outcome, error_code, message, rule, "
         "authorized_index, requested_at, visible_at, output_catalog, output_schema, output_expires_at, " +
         std::string(documents) + ", parameters_opening, computation, repeats";
}

std::string Insert(std::string_view table, std::string_view columns, std::size_t count) {
  std::string marks;
  for (std::size_t i = 0; i < count; ++i) {
    marks += i == 0 ? "?" : ", ?";
  }
  return "INSERT INTO " + std::string(table) + " (" + std::string(columns) + ") VALUES (" + marks + ")";
}

template <typename Enum>
Result<Enum> EnumFromName(std::string_view name, std::initializer_list<Enum> values) {
  for (const Enum value : values) {
    if (Name(value) == name) {
      return value;
    }
  }
  return Status(ErrorCode::kDataLoss, "The store holds a state that this program does not know.");
}

Result<Run> RunOf(const Row& row) {
  Run run;
  run.id = RunId{row.Int(0)};
  run.task_id = RunId{row.Int(1)};
  run.room = RoomId(row.Text(2));
  run.organisation = OrganisationId(row.Text(3));
  run.runner_alias = row.Text(4);
  run.principal = PrincipalId(row.Text(5));
  run.principal_name = row.Text(6);
  run.run_name = row.Text(7);
  run.task_key = row.Text(8);
  run.idempotency_token = row.Text(9);
  run.notebook = AssetId(row.Text(10));
  run.notebook_name = row.Text(11);
  run.etag = Etag(row.Text(12));
  GB_ASSIGN_OR_RETURN(run.parameters, JsonFromText(row.Text(13)));
  GB_ASSIGN_OR_RETURN(run.state, EnumFromName(row.Text(14), {RunState::kQueued, RunState::kRunning,
                                                             RunState::kFinishing, RunState::kTerminated}));
  GB_ASSIGN_OR_RETURN(run.outcome,
                      EnumFromName(row.Text(15), {RunOutcome::kNone, RunOutcome::kSuccess, RunOutcome::kFailed,
                                                  RunOutcome::kCanceled, RunOutcome::kDenied}));
  run.error_code = row.Text(16);
  run.message = row.Text(17);
  run.rule = row.Text(18);
  run.authorized_index = row.Int(19);
  run.requested_at = Time(row, 20);
  run.visible_at = Time(row, 21);
  run.output_catalog = row.Text(22);
  run.output_schema = row.Text(23);
  run.output_expires_at = Time(row, 24);
  GB_ASSIGN_OR_RETURN(run.certificate, JsonFromText(row.Text(25)));
  GB_ASSIGN_OR_RETURN(run.completion, JsonFromText(row.Text(26)));
  run.parameters_opening = row.Text(27);
  run.computation = row.Text(28);
  run.repeats = RunId{row.Int(29)};
  return run;
}

Result<Output> OutputOf(const Row& row) {
  Output output;
  output.id = OutputId(row.Text(0));
  output.run = RunId{row.Int(1)};
  output.room = RoomId(row.Text(2));
  output.organisation = OrganisationId(row.Text(3));
  output.runner_alias = row.Text(4);
  output.name = row.Text(5);
  GB_ASSIGN_OR_RETURN(output.columns, JsonFromText(row.Text(6)));
  output.rows = row.Int(7);
  output.bytes = row.Int(8);
  output.sha256 = row.Text(9);
  output.path = row.Text(10);
  output.rows_path = row.Text(11);
  GB_ASSIGN_OR_RETURN(output.state, EnumFromName(row.Text(12), {OutputState::kWaiting, OutputState::kReleased,
                                                                OutputState::kRejected, OutputState::kExpired}));
  output.reason = row.Text(13);
  output.disclosed = row.Int(14) != 0;
  output.opening = row.Text(15);
  output.registered = row.Int(16) != 0;
  output.register_problem = row.Text(17);
  output.created_at = Time(row, 18);
  output.decide_by = Time(row, 19);
  output.expires_at = Time(row, 20);
  output.rows_sha256 = row.Text(21);
  return output;
}

Result<Export> ExportOf(const Row& row) {
  Export item;
  item.id = row.Text(0);
  item.room = RoomId(row.Text(1));
  item.output = OutputId(row.Text(2));
  item.run = RunId{row.Int(3)};
  item.organisation = OrganisationId(row.Text(4));
  item.runner_alias = row.Text(5);
  item.principal_name = row.Text(6);
  GB_ASSIGN_OR_RETURN(item.state, EnumFromName(row.Text(7), {ExportState::kRequested, ExportState::kReleased,
                                                             ExportState::kDenied, ExportState::kInterrupted}));
  item.sha256 = row.Text(8);
  item.bytes = row.Int(9);
  item.created_at = Time(row, 10);
  return item;
}

template <typename T>
Result<std::vector<T>> QueryAll(Transaction& tx, const std::string& sql, const std::vector<Value>& parameters,
                                Result<T> (*convert)(const Row&)) {
  GB_ASSIGN_OR_RETURN(const auto rows, tx.Query(sql, parameters));
  std::vector<T> out;
  for (const Row& row : rows) {
    GB_ASSIGN_OR_RETURN(T item, convert(row));
    out.push_back(std::move(item));
  }
  return out;
}

template <typename T>
Result<std::optional<T>> QueryFirst(Transaction& tx, const std::string& sql, const std::vector<Value>& parameters,
                                    Result<T> (*convert)(const Row&)) {
  GB_ASSIGN_OR_RETURN(const auto row, tx.QueryOne(sql, parameters));
  if (!row) {
    return std::optional<T>();
  }
  GB_ASSIGN_OR_RETURN(T item, convert(*row));
  return std::optional<T>(std::move(item));
}

Result<std::vector<Run>> PageOfRuns(Transaction& tx, std::string_view scope, const Value& id, const RunFilter& filter,
                                    const NumberPage& page) {
  std::string rest = "room_runs WHERE " + std::string(scope) + " AND id < ?";
  std::vector<Value> parameters{id, page.before};
  if (filter.ended != RunFilter::Ended::kAny) {
    rest += filter.ended == RunFilter::Ended::kYes ? " AND state = 'TERMINATED'" : " AND state <> 'TERMINATED'";
  }
  if (!filter.notebook.empty()) {
    rest += " AND notebook_key = ?";
    parameters.push_back(Text(catalog::NameKey(filter.notebook)));
  }
  if (filter.principal) {
    rest += " AND principal_id = ?";
    parameters.push_back(Text(filter.principal->str()));
  }
  parameters.push_back(page.rows_max());
  return QueryAll(tx, Select(RunColumns(kNoRunDocuments), rest + " ORDER BY id DESC LIMIT ?"), parameters, &RunOf);
}

}  // namespace

Result<std::int64_t> LastRunNumber(Transaction& tx) {
  GB_ASSIGN_OR_RETURN(const auto row, tx.QueryOne("SELECT COALESCE(MAX(task_id), 0) FROM room_runs"));
  return row->Int(0);
}

Result<std::optional<Run>> FindRun(Transaction& tx, RunId id) {
  return QueryFirst(tx, Select(RunColumns(), "room_runs WHERE id = ? OR task_id = ?"), {Number(id), Number(id)},
                    &RunOf);
}

Result<std::optional<Run>> FindRunByToken(Transaction& tx, const OrganisationId& organisation,
                                          const std::string& idempotency_token) {
  return QueryFirst(tx, Select(RunColumns(), "room_runs WHERE organisation_id = ? AND idempotency_token = ?"),
                    {Text(organisation.str()), idempotency_token}, &RunOf);
}

Result<std::vector<Run>> ListRuns(Transaction& tx, const RoomId& room, const RunFilter& filter,
                                  const NumberPage& page) {
  return PageOfRuns(tx, "room_id = ?", Text(room.str()), filter, page);
}

Result<std::vector<Run>> ListRunsOf(Transaction& tx, const OrganisationId& organisation, const RunFilter& filter,
                                    const NumberPage& page) {
  return PageOfRuns(tx, "organisation_id = ?", Text(organisation.str()), filter, page);
}

Result<std::vector<Run>> UnfinishedRuns(Transaction& tx) {
  return QueryAll(tx, Select(RunColumns(), "room_runs WHERE state <> 'TERMINATED' ORDER BY id"), {}, &RunOf);
}

Result<std::vector<Run>> UnfinishedRunsIn(Transaction& tx, const RoomId& room) {
  return QueryAll(tx, Select(RunColumns(), "room_runs WHERE room_id = ? AND state <> 'TERMINATED' ORDER BY id"),
                  {Text(room.str())}, &RunOf);
}

Result<std::optional<Run>> FindAnsweringRun(Transaction& tx, const RoomId& room, const std::string& computation) {
  return QueryFirst(
      tx, Select(RunColumns(), "room_runs WHERE room_id = ? AND computation = ? AND computation <> '' AND repeats = 0"),
      {Text(room.str()), computation}, &RunOf);
}

Result<std::vector<RunId>> RunsWithCertificate(Transaction& tx, const RoomId& room) {
  GB_ASSIGN_OR_RETURN(const auto rows, tx.Query("SELECT id FROM room_runs WHERE room_id = ? AND state = 'TERMINATED' "
                                                "AND certificate <> '' ORDER BY id",
                                                {Text(room.str())}));
  std::vector<RunId> out;
  for (const Row& row : rows) {
    out.push_back(RunId{row.Int(0)});
  }
  return out;
}

Statement InsertRun(const Run& run) {
  return {Insert("room_runs", RunColumns() + ", notebook_key", 31),
          {Number(run.id),
           Number(run.task_id),
           Text(run.room.str()),
           Text(run.organisation.str()),
           run.runner_alias,
           Text(run.principal.str()),
           run.principal_name,
           run.run_name,
           run.task_key,
           run.idempotency_token.empty() ? Value{} : Value{run.idempotency_token},
           Text(run.notebook.str()),
           run.notebook_name,
           Text(run.etag.str()),
           JsonText(run.parameters),
           Text(Name(run.state)),
           Text(Name(run.outcome)),
           run.error_code,
           run.message,
           run.rule,
           run.authorized_index,
           Number(run.requested_at),
           Number(run.visible_at),
           run.output_catalog,
           run.output_schema,
           Number(run.output_expires_at),
           JsonText(run.certificate),
           JsonText(run.completion),
           run.parameters_opening,
           run.computation,
           Number(run.repeats),
           Text(catalog::NameKey(run.notebook_name))}};
}

Statement UpdateRun(const Run& run) {
  return {
      "UPDATE room_runs SET state = ?, outcome = ?, error_code = ?, message = ?, rule = ?, authorized_index = ?, "
      "visible_at = ?, output_schema = ?, output_expires_at = ?, certificate = ?, completion = ?, parameters_opening = "
      "?, computation = ?, repeats = ? WHERE id = ?",
      {Text(Name(run.state)), Text(Name(run.outcome)), run.error_code, run.message, run.rule, run.authorized_index,
       Number(run.visible_at), run.output_schema, Number(run.output_expires_at), JsonText(run.certificate),
       JsonText(run.completion), run.parameters_opening, run.computation, Number(run.repeats), Number(run.id)}};
}

Result<std::vector<ledger::OpeningSet>> OpeningsOf(Transaction& tx, const RoomId& room, const std::string& alias) {
  GB_ASSIGN_OR_RETURN(const auto rows,
                      tx.Query("SELECT authorized_index, parameters_opening FROM room_runs WHERE room_id = ? AND "
                               "runner_alias = ? AND authorized_index >= 0 ORDER BY authorized_index",
                               {Text(room.str()), alias}));
  std::vector<ledger::OpeningSet> out;
  for (const Row& row : rows) {
    out.push_back({static_cast<std::uint64_t>(row.Int(0)), {row.Text(1)}});
  }
  return out;
}

Statement UpdateRequestedAt(RunId id, TimeMs time) {
  return {"UPDATE room_runs SET requested_at = ? WHERE id = ?", {Number(time), Number(id)}};
}

Result<std::vector<json::Value>> LoadHistory(Transaction& tx, const RoomId& room) {
  GB_ASSIGN_OR_RETURN(
      const auto rows,
      tx.Query("SELECT record FROM room_release_records WHERE room_id = ? ORDER BY position", {Text(room.str())}));
  std::vector<json::Value> out;
  for (const Row& row : rows) {
    GB_ASSIGN_OR_RETURN(json::Value record, JsonFromText(row.Text(0)));
    out.push_back(std::move(record));
  }
  return out;
}

Statement InsertReleaseRecord(const ReleaseRecord& record) {
  return {
      "INSERT INTO room_release_records (run_id, room_id, position, record, salt, commitment, created_at) SELECT ?, "
      "?, COALESCE(MAX(position), 0) + 1, ?, ?, ?, ? FROM room_release_records WHERE room_id = ?",
      {Number(record.run), Text(record.room.str()), JsonText(record.record), record.salt, record.commitment,
       Number(record.created_at), Text(record.room.str())}};
}

Result<std::optional<Output>> FindOutput(Transaction& tx, const RoomId& room, const OutputId& id) {
  return QueryFirst(tx, Select(kOutputColumns, "room_outputs WHERE room_id = ? AND id = ?"),
                    {Text(room.str()), Text(id.str())}, &OutputOf);
}

Result<std::vector<Output>> ListOutputs(Transaction& tx, const RoomId& room) {
  return QueryAll(tx, Select(kOutputColumns, "room_outputs WHERE room_id = ? ORDER BY run_id DESC, name"),
                  {Text(room.str())}, &OutputOf);
}

Result<std::vector<Output>> OutputsOfRun(Transaction& tx, RunId run) {
  return QueryAll(tx, Select(kOutputColumns, "room_outputs WHERE run_id = ? ORDER BY name"), {Number(run)}, &OutputOf);
}

Result<std::vector<Output>> OutputsDue(Transaction& tx, TimeMs now) {
  return QueryAll(tx,
                  Select(kOutputColumns,
                         "room_outputs WHERE id IN (SELECT id FROM room_outputs WHERE state <> 'EXPIRED' AND "
                         "expires_at <= ? UNION SELECT id FROM room_outputs WHERE state = 'PENDING_REVIEW' AND "
                         "decide_by <= ?) ORDER BY id"),
                  {Number(now), Number(now)}, &OutputOf);
}

Result<std::vector<Output>> WaitingOutputs(Transaction& tx, TimeMs decide_by) {
  return QueryAll(tx,
                  Select(kOutputColumns, "room_outputs WHERE state = 'PENDING_REVIEW' AND decide_by <= ? ORDER BY id"),
                  {Number(decide_by)}, &OutputOf);
}

Result<std::int64_t> CountWaitingOutputs(Transaction& tx, TimeMs decide_by) {
  GB_ASSIGN_OR_RETURN(const auto row,
                      tx.QueryOne("SELECT COUNT(*) FROM room_outputs WHERE state = 'PENDING_REVIEW' AND "
                                  "decide_by <= ?",
                                  {Number(decide_by)}));
  return row->Int(0);
}

Result<std::vector<Output>> UnregisteredOutputs(Transaction& tx, const std::optional<RoomId>& room) {
  const std::string rest = "room_outputs WHERE state = 'RELEASED' AND registered = 0";
  return room ? QueryAll(tx, Select(kOutputColumns, rest + " AND room_id = ? ORDER BY id"), {Text(room->str())},
                         &OutputOf)
              : QueryAll(tx, Select(kOutputColumns, rest + " ORDER BY room_id, id"), {}, &OutputOf);
}

Result<std::vector<Output>> OutputsToRemove(Transaction& tx) {
  return QueryAll(tx, Select(kOutputColumns, "room_outputs WHERE state = 'EXPIRED' AND removed = 0 ORDER BY id"), {},
                  &OutputOf);
}

Statement InsertOutput(const Output& output) {
  return {Insert("room_outputs", kOutputColumns, 22),
          {Text(output.id.str()),
           Number(output.run),
           Text(output.room.str()),
           Text(output.organisation.str()),
           output.runner_alias,
           output.name,
           JsonText(output.columns),
           output.rows,
           output.bytes,
           output.sha256,
           output.path,
           output.rows_path,
           Text(Name(output.state)),
           output.reason,
           std::int64_t{output.disclosed ? 1 : 0},
           output.opening,
           std::int64_t{output.registered ? 1 : 0},
           output.register_problem,
           Number(output.created_at),
           Number(output.decide_by),
           Number(output.expires_at),
           output.rows_sha256}};
}

Statement UpdateOutputState(const Output& output) {
  return {"UPDATE room_outputs SET state = ?, disclosed = ? WHERE id = ?",
          {Text(Name(output.state)), std::int64_t{output.disclosed ? 1 : 0}, Text(output.id.str())}};
}

Statement MarkOutputRegistered(const OutputId& id) {
  return {"UPDATE room_outputs SET registered = 1, register_problem = '' WHERE id = ? AND state = 'RELEASED'",
          {Text(id.str())}};
}

Statement MarkOutputRemoved(const OutputId& id) {
  return {"UPDATE room_outputs SET registered = 0, removed = 1 WHERE id = ?", {Text(id.str())}};
}

Statement UpdateRegisterProblem(const OutputId& id, const std::string& problem) {
  return {"UPDATE room_outputs SET register_problem = ? WHERE id = ?", {problem, Text(id.str())}};
}

Result<std::vector<OutputDecision>> ListDecisions(Transaction& tx, const OutputId& output) {
  GB_ASSIGN_OR_RETURN(const auto rows,
                      tx.Query("SELECT output_id, reviewer_alias, decision, comment, decided_at FROM "
                               "room_output_decisions WHERE output_id = ? ORDER BY decided_at, reviewer_alias",
                               {Text(output.str())}));
  std::vector<OutputDecision> out;
  for (const Row& row : rows) {
    OutputDecision decision;
    decision.output = OutputId(row.Text(0));
    decision.reviewer_alias = row.Text(1);
    GB_ASSIGN_OR_RETURN(decision.decision,
                        EnumFromName(row.Text(2), {Decision::kPending, Decision::kApproved, Decision::kRejected}));
    decision.comment = row.Text(3);
    decision.decided_at = Time(row, 4);
    out.push_back(std::move(decision));
  }
  return out;
}

Statement UpsertDecision(const OutputDecision& decision) {
  return {
      "INSERT INTO room_output_decisions (output_id, reviewer_alias, decision, comment, decided_at) VALUES (?, ?, "
      "?, ?, ?) ON CONFLICT (output_id, reviewer_alias) DO UPDATE SET decision = excluded.decision, comment = "
      "excluded.comment, decided_at = excluded.decided_at",
      {Text(decision.output.str()), decision.reviewer_alias, Text(Name(decision.decision)), decision.comment,
       Number(decision.decided_at)}};
}

Result<std::optional<Export>> FindExport(Transaction& tx, const RoomId& room, const std::string& id) {
  return QueryFirst(tx, Select(kExportColumns, "room_exports WHERE room_id = ? AND id = ?"), {Text(room.str()), id},
                    &ExportOf);
}

Result<std::vector<Export>> ListExports(Transaction& tx, const RoomId& room) {
  return QueryAll(tx, Select(kExportColumns, "room_exports WHERE room_id = ? ORDER BY id DESC"), {Text(room.str())},
                  &ExportOf);
}

Result<std::vector<Export>> OpenExports(Transaction& tx, const std::optional<RoomId>& room) {
  const std::string rest = "room_exports WHERE state = 'REQUESTED'";
  return room ? QueryAll(tx, Select(kExportColumns, rest + " AND room_id = ? ORDER BY id"), {Text(room->str())},
                         &ExportOf)
              : QueryAll(tx, Select(kExportColumns, rest + " ORDER BY room_id, id"), {}, &ExportOf);
}

Result<std::int64_t> DeniedExports(Transaction& tx, const Export& asked, std::int64_t day) {
  GB_ASSIGN_OR_RETURN(const auto row,
                      tx.QueryOne("SELECT denied FROM room_denied_exports WHERE room_id = ? AND runner_alias = ? AND "
                                  "principal_name = ? AND day = ?",
                                  {Text(asked.room.str()), asked.runner_alias, asked.principal_name, day}));
  return row ? row->Int(0) : 0;
}

Result<std::int64_t> CountDeniedRuns(Transaction& tx, const Run& run, TimeMs after) {
  GB_ASSIGN_OR_RETURN(const auto row,
                      tx.QueryOne("SELECT COUNT(*) FROM room_runs WHERE organisation_id = ? AND principal_id = ? AND "
                                  "room_id = ? AND outcome = ? AND requested_at > ?",
                                  {Text(run.organisation.str()), Text(run.principal.str()), Text(run.room.str()),
                                   Text(Name(RunOutcome::kDenied)), ToInt(after)}));
  return row->Int(0);
}

Statement SetDeniedExports(const Export& asked, std::int64_t day, std::int64_t count) {
  return {
      "INSERT INTO room_denied_exports (room_id, runner_alias, principal_name, day, denied) VALUES (?, ?, ?, ?, ?) ON "
      "CONFLICT (room_id, runner_alias, principal_name) DO UPDATE SET day = excluded.day, denied = excluded.denied",
      {Text(asked.room.str()), asked.runner_alias, asked.principal_name, day, count}};
}

Statement InsertExport(const Export& item) {
  return {Insert("room_exports", kExportColumns, 11),
          {item.id, Text(item.room.str()), Text(item.output.str()), Number(item.run), Text(item.organisation.str()),
           item.runner_alias, item.principal_name, Text(Name(item.state)), item.sha256, item.bytes,
           Number(item.created_at)}};
}

Statement UpdateExport(const Export& item) {
  return {"UPDATE room_exports SET state = ? WHERE id = ?", {Text(Name(item.state)), item.id}};
}

}  // namespace glovebox::room
