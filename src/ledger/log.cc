// SPDX-License-Identifier: Apache-2.0
#include "ledger/log.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/errors.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/kill_point.h"
#include "base/log.h"
#include "base/result.h"
#include "ledger/entry.h"
#include "ledger/events.h"
#include "ledger/genesis.h"
#include "ledger/journal.h"
#include "ledger/key_history.h"
#include "ledger/log_files.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/replay.h"
#include "ledger/signer.h"
#include "ledger/statement.h"
#include "ledger/tiles.h"

namespace glovebox::ledger {
namespace {

constexpr std::string_view kJournalName = "/journal";

Status Bad(std::string message) { return {ErrorCode::kInvalidParameterValue, std::move(message)}; }
Status DataLoss(std::string message) { return {ErrorCode::kDataLoss, std::move(message)}; }

// The name and key of a witness signer among the enrolled ones, or nullptr.
const EnrolledKey* FindWitness(const KeyHistory& keys, const Signer& signer) {
  for (const EnrolledKey& known : keys.keys()) {
    if (known.role == KeyRole::kWitness && known.key.public_key == signer.public_key()) {
      return &known;
    }
  }
  return nullptr;
}

Status CheckSigners(const KeyHistory& keys, const LogSigners& signers) {
  if (signers.log == nullptr || signers.log->public_key() != keys.log_key().public_key) {
    return Bad("the log's signer does not hold the key that entry 0 pins");
  }
  for (const EnrolledKey& known : keys.keys()) {
    bool present = false;
    for (const std::shared_ptr<const Signer>& signer : signers.witnesses) {
      const EnrolledKey* witness = FindWitness(keys, *signer);
      present = present || (witness != nullptr && witness->party == known.party);
    }
    if (!present) {
      return Bad("no signer holds a witness key of collaborator '" + known.party + "'");
    }
  }
  return {};
}

Result<std::string> SignCheckpoint(const Checkpoint& checkpoint, const KeyHistory& keys, const LogSigners& signers,
                                   TimeMs now) {
  Note note{checkpoint.Format(), {}};
  GB_RETURN_IF_ERROR(SignNote(checkpoint.origin, *signers.log, note));
  for (const std::shared_ptr<const Signer>& signer : signers.witnesses) {
    if (const EnrolledKey* witness = FindWitness(keys, *signer); witness != nullptr) {
      GB_RETURN_IF_ERROR(CosignNote(witness->key.name, *signer, now, note));
    }
  }
  return note.Format();
}

}  // namespace

struct Log::State final : Journal::Visitor {
  State(std::string folder_in, LogSigners signers_in, LogContext context_in)
      : folder(std::move(folder_in)), signers(std::move(signers_in)), context(context_in), files(folder) {}

  Status OpenJournal();
  Status Visit(const JournalRecord& record) override;
  Status CheckOpened() const;
  Status CheckNotRolledBack() const;
  Result<Entry> MakeEntry(const EntryFields& fields, const Signer* author, const KeyHistory& keys) const;
  Result<Envelope> MakeStatement(const Entry& entry, const Signer& author, const KeyHistory& keys) const;
  // Checks, makes durable and applies. `keys` and `origin` are those after entry 0.
  Result<EntryReceipt> Commit(const Entry& entry, const std::string& bytes, const KeyHistory& keys);
  void UpdateFiles();
  Result<std::string> EntryTile(const Tile& tile) const;

  const std::string folder;
  const LogSigners signers;
  const LogContext context;

  mutable std::mutex mutex;  // guards all below
  std::unique_ptr<Journal> journal;
  Tree tree;
  Replay replay;
  std::string note;  // of the newest checkpoint
  LogFiles files;
  std::uint64_t files_size = 0;  // up to where the files are written
  std::string last_entry_tile;   // the entry tile that is being filled
};

Status Log::State::OpenJournal() {
  GB_ASSIGN_OR_RETURN(journal, Journal::Open(folder + std::string(kJournalName), *this));
  return SyncDirectory(folder);
}

Status Log::State::Visit(const JournalRecord& record) {
  const std::string where = "entry " + std::to_string(record.index) + " of the ledger's journal";
  const Result<Entry> entry = ParseEntry(record.entry);
  if (!entry.ok()) {
    return DataLoss(where + ": " + entry.status().message());
  }
  if (const Status next = replay.Check(*entry, record.entry, tree, SignatureCheck::kTrusted); !next.ok()) {
    return DataLoss(where + ": " + next.message());
  }
  tree.Append(LeafHash(record.entry));
  replay.Apply(*entry, record.entry);
  const Result<Note> parsed = ParseNote(record.note);
  const Checkpoint expected{replay.origin(), tree.size(), tree.Root()};
  if (!parsed.ok() || parsed->text != expected.Format()) {
    return DataLoss(where + ": its checkpoint is not that of the entries");
  }
  note = record.note;
  if ((tree.size() - 1) % kTileWidth == 0) {
    last_entry_tile.clear();
  }
  AppendToEntryTile(record.entry, last_entry_tile);
  return {};
}

// The newest checkpoint vouches for all entries, so its signatures do.
Status Log::State::CheckOpened() const {
  std::vector<VerifierKey> known = {replay.keys().log_key()};
  for (const EnrolledKey& key : replay.keys().keys()) {
    known.push_back(key.key);
  }
  GB_ASSIGN_OR_RETURN(const Note newest, ParseNote(note));
  const Result<std::vector<VerifiedSignature>> verified = VerifyNote(newest, known);
  if (!verified.ok() || verified->front().key != 0) {
    return DataLoss("the newest checkpoint of the ledger's journal is not signed by the log's key");
  }
  GB_RETURN_IF_ERROR(CheckSigners(replay.keys(), signers));
  return CheckNotRolledBack();
}

// The checkpoint file is written after the journal is durable. One that is ahead of the journal, or on another branch,
// means that the journal is an older copy: going on would give two histories.
Status Log::State::CheckNotRolledBack() const {
  const Result<Note> file = ParseNote(files.ReadCheckpoint());
  if (!file.ok() || !VerifyNote(*file, {replay.keys().log_key()}).ok()) {
    return {};  // absent or torn: it follows from the journal
  }
  GB_ASSIGN_OR_RETURN(const Checkpoint published, ParseCheckpoint(file->text));
  if (published.size > tree.size()) {
    return DataLoss("the ledger was rolled back: a checkpoint of size " + std::to_string(published.size) +
                    " was released, the journal has " + std::to_string(tree.size()) + " entries");
  }
  if (published.origin != replay.origin() || tree.Root(published.size) != published.root) {
    return DataLoss("the ledger has another history than the checkpoint that was released");
  }
  return {};
}

Result<Envelope> Log::State::MakeStatement(const Entry& entry, const Signer& author, const KeyHistory& keys) const {
  const VerifierKey* key = keys.FindStatementKey(entry.actor.party, author.public_key());
  if (key == nullptr) {
    return Bad("the signer does not hold a statement key of '" + entry.actor.party + "'");
  }
  StatementBody body;
  body.room = entry.room;
  body.id = entry.id;
  body.type = WireName(entry.type);
  body.subject = entry.subject;
  body.data_sha256 = DataDigest(entry.data);
  body.seen = {tree.size(), tree.Root()};
  body.issued_at = entry.time;
  body.nonce = Base64UrlEncode(context.random->Bytes(kNonceBytes));
  return SignStatement(body, *key, author);
}

Result<Entry> Log::State::MakeEntry(const EntryFields& fields, const Signer* author, const KeyHistory& keys) const {
  Entry entry;
  entry.id = fields.id.empty() ? NewUuid(*context.clock, *context.random) : fields.id;
  entry.seq = tree.size();
  entry.room = replay.room();
  entry.time = context.clock->Now();
  entry.type = fields.type;
  entry.reason = fields.reason;
  entry.actor = {fields.party, "", fields.role};
  const std::string_view kind = SubjectKind(fields.type);
  entry.subject = {kind.empty() ? fields.subject_kind : std::string(kind), fields.subject};
  entry.data = fields.data;
  entry.statement = fields.statement;
  if (author != nullptr && !entry.statement.has_value()) {
    // Only a well-formed entry has one spelling that can be signed.
    GB_RETURN_IF_ERROR(EncodeEntry(entry).status());
    GB_ASSIGN_OR_RETURN(Envelope statement, MakeStatement(entry, *author, keys));
    entry.statement = std::move(statement);
  }
  if (entry.statement.has_value()) {
    entry.actor.key = entry.statement->key;
  }
  return entry;
}

Result<EntryReceipt> Log::State::Commit(const Entry& entry, const std::string& bytes, const KeyHistory& keys) {
  const Hash leaf = LeafHash(bytes);
  const Checkpoint next{keys.log_key().name, tree.size() + 1, tree.RootWith(leaf)};
  GB_ASSIGN_OR_RETURN(std::string signed_note, SignCheckpoint(next, keys, signers, context.clock->Now()));
  GB_RETURN_IF_ERROR(journal->Append({entry.seq, bytes, signed_note}));
  tree.Append(leaf);
  replay.Apply(entry, bytes);
  note = std::move(signed_note);
  if (entry.seq % kTileWidth == 0) {
    last_entry_tile.clear();
  }
  AppendToEntryTile(bytes, last_entry_tile);
  UpdateFiles();
  return EntryReceipt{entry.seq, entry.id, leaf, note};
}

void Log::State::UpdateFiles() {
  const Status updated = files.Update(tree, files_size, note, [this](const Tile& tile) { return EntryTile(tile); });
  if (updated.ok()) {
    files_size = tree.size();
    GB_KILL_POINT("ledger.after_tiles");
  } else {
    log::Warning("ledger: tiles could not be written; they will be with the next entry",
                 {{"size", static_cast<std::int64_t>(tree.size())}});
  }
}

Result<std::string> Log::State::EntryTile(const Tile& tile) const {
  if (tile.number == (tree.size() - 1) / kTileWidth) {
    return last_entry_tile;
  }
  std::string content;
  for (std::uint64_t i = 0; i < tile.width; ++i) {
    GB_ASSIGN_OR_RETURN(const JournalRecord record, journal->Read(tile.number * kTileWidth + i));
    AppendToEntryTile(record.entry, content);
  }
  return content;
}

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::Create(const std::string& folder, const Genesis& genesis, EntryFields first,
                                         const Signer& creator, LogSigners signers, LogContext context) {
  GB_RETURN_IF_ERROR(CheckGenesis(genesis));
  first.type = EventType::kRoomCreated;
  first.data = genesis.ToData();
  GB_RETURN_IF_ERROR(MakeDirectories(folder));
  auto state = std::make_unique<State>(folder, std::move(signers), context);
  GB_RETURN_IF_ERROR(state->OpenJournal());
  if (state->tree.size() != 0) {
    return Status(ErrorCode::kAlreadyExists, "the folder has a ledger");
  }
  GB_ASSIGN_OR_RETURN(const Entry draft, state->MakeEntry(first, &creator, KeyHistory(genesis, "")));
  GB_ASSIGN_OR_RETURN(const std::string bytes, EncodeEntry(draft));
  GB_ASSIGN_OR_RETURN(const Entry entry, ParseEntry(bytes));
  GB_RETURN_IF_ERROR(state->replay.Check(entry, bytes, state->tree, SignatureCheck::kVerify));
  const KeyHistory keys(genesis, OriginOf(genesis.host, bytes));
  GB_RETURN_IF_ERROR(CheckSigners(keys, state->signers));
  GB_ASSIGN_OR_RETURN(const EntryReceipt receipt, state->Commit(entry, bytes, keys));
  return std::unique_ptr<Log>(new Log(std::move(state)));
}

Result<std::unique_ptr<Log>> Log::Open(const std::string& folder, LogSigners signers, LogContext context) {
  if (!FileExists(folder + std::string(kJournalName))) {
    return Status(ErrorCode::kNotFound, "the folder has no ledger");
  }
  auto state = std::make_unique<State>(folder, std::move(signers), context);
  GB_RETURN_IF_ERROR(state->OpenJournal());
  if (state->tree.size() == 0) {
    return Status(ErrorCode::kNotFound, "the folder has a ledger without an entry");
  }
  GB_RETURN_IF_ERROR(state->CheckOpened());
  State& opened = *state;
  GB_RETURN_IF_ERROR(
      opened.files.Rebuild(opened.tree, opened.note, [&opened](const Tile& tile) { return opened.EntryTile(tile); }));
  opened.files_size = opened.tree.size();
  return std::unique_ptr<Log>(new Log(std::move(state)));
}

Result<EntryReceipt> Log::Append(const EntryFields& fields, const Signer* author) {
  const std::lock_guard lock(state_->mutex);
  const KeyHistory& keys = state_->replay.keys();
  GB_ASSIGN_OR_RETURN(const Entry draft, state_->MakeEntry(fields, author, keys));
  GB_ASSIGN_OR_RETURN(const std::string bytes, EncodeEntry(draft));
  // What is checked is what a verifier will read, not what we meant.
  GB_ASSIGN_OR_RETURN(const Entry entry, ParseEntry(bytes));
  GB_RETURN_IF_ERROR(state_->replay.Check(entry, bytes, state_->tree, SignatureCheck::kVerify));
  return state_->Commit(entry, bytes, keys);
}

const std::string& Log::origin() const { return state_->replay.origin(); }  // set once, before there is a Log
const std::string& Log::room() const { return state_->replay.room(); }
const Genesis& Log::genesis() const { return state_->replay.genesis(); }

Snapshot Log::Latest() const {
  const std::lock_guard lock(state_->mutex);
  return {{state_->replay.origin(), state_->tree.size(), state_->tree.Root()}, state_->note, state_->replay.keys()};
}

std::optional<std::uint64_t> Log::Find(std::string_view id) const {
  const std::lock_guard lock(state_->mutex);
  return state_->replay.Find(id);
}

Result<std::string> Log::Read(std::uint64_t index) const {
  const std::lock_guard lock(state_->mutex);
  if (index >= state_->tree.size()) {
    return Status(ErrorCode::kNotFound, "the ledger has no entry of this index");
  }
  GB_ASSIGN_OR_RETURN(JournalRecord record, state_->journal->Read(index));
  if (LeafHash(record.entry) != state_->tree.Node(0, index)) {
    return DataLoss("an entry of the ledger's journal changed on disk");
  }
  return std::move(record.entry);
}

Result<Proof> Log::InclusionProof(std::uint64_t index, std::uint64_t size) const {
  const std::lock_guard lock(state_->mutex);
  if (index >= size || size > state_->tree.size()) {
    return Bad("an inclusion proof needs an index below a size that the ledger has");
  }
  return state_->tree.InclusionProof(index, size);
}

Result<Proof> Log::ConsistencyProof(std::uint64_t old_size, std::uint64_t size) const {
  const std::lock_guard lock(state_->mutex);
  if (old_size == 0 || old_size > size || size > state_->tree.size()) {
    return Bad("a consistency proof needs two sizes that the ledger has had, in order");
  }
  return state_->tree.ConsistencyProof(old_size, size);
}

Tree Log::CopyTree() const {
  const std::lock_guard lock(state_->mutex);
  return state_->tree;
}

}  // namespace glovebox::ledger
