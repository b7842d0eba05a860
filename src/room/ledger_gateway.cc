// SPDX-License-Identifier: Apache-2.0
#include "room/ledger_gateway.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/signature.h"

namespace glovebox::room {
namespace {

std::string SealPlace(const RoomId& room) { return "ledger-key/" + room.str(); }

// The key of a side whose metastore has another side in the room: an organisation's own key is pinned once a room.
Result<crypto::PrivateKey> DerivedKey(const crypto::PrivateKey& base, const RoomId& room, const std::string& alias) {
  const crypto::Digest seed = crypto::HmacSha256(base.seed(), "glovebox/side-key/v1\n" + room.str() + "\n" + alias);
  return crypto::PrivateKey::FromSeed(crypto::Bytes(seed));
}

json::Value PartiesToJson(const std::vector<LedgerParty>& parties) {
  json::Array out;
  for (const LedgerParty& party : parties) {
    out.emplace_back(json::Object{{"alias", party.alias}, {"organisation", party.organisation.str()}});
  }
  return json::Value(std::move(out));
}

Result<std::vector<LedgerParty>> PartiesFromText(const std::string& text) {
  GB_ASSIGN_OR_RETURN(const json::Value value, json::Parse(text));
  std::vector<LedgerParty> out;
  if (value.is_array()) {
    for (const json::Value& party : value.as_array()) {
      out.push_back({party.GetString("alias"), OrganisationId(party.GetString("organisation"))});
    }
  }
  return out;
}

}  // namespace

struct LedgerGateway::Book {
  struct Side {
    std::string alias;
    std::shared_ptr<const ledger::Signer> statement;
    std::shared_ptr<const ledger::Signer> witness;
  };
  std::vector<Side> sides;
  ledger::LogSigners signers;
  std::unique_ptr<ledger::Log> log;

  [[nodiscard]] const ledger::Signer* StatementSigner(const std::string& alias) const {
    const auto side =
        std::find_if(sides.begin(), sides.end(), [&](const Side& candidate) { return candidate.alias == alias; });
    return side == sides.end() ? nullptr : side->statement.get();
  }
};

LedgerGateway::LedgerGateway(catalog::Catalog& catalog, const std::string& data_folder, std::string host)
    : catalog_(catalog), folder_(data_folder + "/ledgers"), host_(std::move(host)) {}

LedgerGateway::~LedgerGateway() = default;

Result<std::unique_ptr<LedgerGateway::Book>> LedgerGateway::MakeBook(const RoomId& room,
                                                                     const std::vector<LedgerParty>& parties,
                                                                     const crypto::PrivateKey& log_key) {
  auto book = std::make_unique<Book>();
  std::set<OrganisationId> seen;
  for (const LedgerParty& party : parties) {
    GB_ASSIGN_OR_RETURN(crypto::PrivateKey statement, catalog_.organisations.StatementKey(party.organisation));
    GB_ASSIGN_OR_RETURN(crypto::PrivateKey witness, catalog_.organisations.CosignerKey(party.organisation));
    if (!seen.insert(party.organisation).second) {
      GB_ASSIGN_OR_RETURN(statement, DerivedKey(statement, room, party.alias));
      GB_ASSIGN_OR_RETURN(witness, DerivedKey(witness, room, party.alias));
    }
    book->sides.push_back({party.alias, ledger::NewMemorySigner(statement), ledger::NewMemorySigner(witness)});
    book->signers.witnesses.push_back(book->sides.back().witness);
  }
  book->signers.log = ledger::NewMemorySigner(log_key);
  return book;
}

Result<std::int64_t> LedgerGateway::Open(const RoomId& room, const std::vector<LedgerParty>& parties,
                                         const LedgerEntry& first) {
  const crypto::PrivateKey log_key = crypto::PrivateKey::Generate(*catalog_.context.random);
  GB_ASSIGN_OR_RETURN(std::unique_ptr<Book> book, MakeBook(room, parties, log_key));
  {
    // Before the log is there: without its key it could never be written again.
    GB_ASSIGN_OR_RETURN(const auto tx, catalog_.context.database->Begin(store::Access::kWrite));
    const std::string sealed =
        HexEncode(catalog_.context.master_key->Seal(log_key.seed(), SealPlace(room), *catalog_.context.random));
    GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t changed,
                        tx->Execute("INSERT INTO room_logs (room_id, sealed_key, parties) VALUES (?, ?, ?)",
                                    {room.str(), sealed, json::Write(PartiesToJson(parties))}));
    GB_RETURN_IF_ERROR(tx->Commit());
  }
  ledger::Genesis genesis{host_, ledger::HostingMode::kHosted, {}, log_key.public_key(), first.data};
  for (const Book::Side& side : book->sides) {
    genesis.collaborators.push_back(
        {side.alias,
         {side.alias, ledger::KeyAlgorithm::kEd25519Note, side.statement->public_key()},
         {side.alias + "/witness", ledger::KeyAlgorithm::kEd25519Cosignature, side.witness->public_key()}});
  }
  const ledger::Signer* author = book->StatementSigner(first.party);
  GB_ASSERT(author != nullptr);
  GB_RETURN_IF_ERROR(MakeDirectories(folder_));
  ledger::EntryFields fields = first;
  fields.data = {};
  GB_ASSIGN_OR_RETURN(book->log, ledger::Log::Create(Folder(room), genesis, fields, *author, book->signers,
                                                     {catalog_.context.clock, catalog_.context.random}));
  const std::lock_guard<std::mutex> guard(mutex_);
  books_[room] = std::move(book);
  return std::int64_t{0};
}

Result<LedgerGateway::Book*> LedgerGateway::BookOf(const RoomId& room) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (const auto known = books_.find(room); known != books_.end()) {
    return known->second.get();
  }
  std::unique_ptr<Book> book;
  {
    GB_ASSIGN_OR_RETURN(const auto tx, catalog_.context.database->Begin(store::Access::kRead));
    GB_ASSIGN_OR_RETURN(const auto row,
                        tx->QueryOne("SELECT sealed_key, parties FROM room_logs WHERE room_id = ?", {room.str()}));
    if (!row) {
      return Status(ErrorCode::kNotFound, "The room has no ledger.");
    }
    GB_ASSIGN_OR_RETURN(const std::string sealed, HexDecode(row->Text(0)));
    GB_ASSIGN_OR_RETURN(std::string seed, catalog_.context.master_key->Open(sealed, SealPlace(room)));
    const Result<crypto::PrivateKey> log_key = crypto::PrivateKey::FromSeed(seed);
    crypto::Wipe(seed);
    GB_RETURN_IF_ERROR(log_key.status());
    GB_ASSIGN_OR_RETURN(const std::vector<LedgerParty> parties, PartiesFromText(row->Text(1)));
    GB_ASSIGN_OR_RETURN(book, MakeBook(room, parties, *log_key));
  }
  GB_ASSIGN_OR_RETURN(
      book->log, ledger::Log::Open(Folder(room), book->signers, {catalog_.context.clock, catalog_.context.random}));
  return (books_[room] = std::move(book)).get();
}

Result<std::int64_t> LedgerGateway::Append(const RoomId& room, const LedgerEntry& entry) {
  GB_ASSIGN_OR_RETURN(Book* const book, BookOf(room));
  const bool by_server = entry.party == ledger::kOperator;
  const ledger::Signer* author = by_server ? nullptr : book->StatementSigner(entry.party);
  GB_ASSERT(by_server || author != nullptr);
  GB_ASSIGN_OR_RETURN(const ledger::EntryReceipt receipt, book->log->Append(entry, author));
  return static_cast<std::int64_t>(receipt.index);
}

Result<std::optional<std::int64_t>> LedgerGateway::Find(const RoomId& room, const std::string& entry_id) {
  const Result<Book*> book = BookOf(room);
  if (!book.ok()) {
    return book.status().code() == ErrorCode::kNotFound ? Result<std::optional<std::int64_t>>(std::nullopt)
                                                        : Result<std::optional<std::int64_t>>(book.status());
  }
  const std::optional<std::uint64_t> index = (*book)->log->Find(entry_id);
  return index ? std::optional<std::int64_t>(static_cast<std::int64_t>(*index)) : std::nullopt;
}

Result<LedgerHead> LedgerGateway::Head(const RoomId& room) {
  GB_ASSIGN_OR_RETURN(Book* const book, BookOf(room));
  const ledger::Snapshot snapshot = book->log->Latest();
  return LedgerHead{book->log->origin(), book->log->room(), static_cast<std::int64_t>(snapshot.checkpoint.size),
                    snapshot.note};
}

Result<std::string> LedgerGateway::Read(const RoomId& room, std::int64_t index) {
  GB_ASSIGN_OR_RETURN(Book* const book, BookOf(room));
  if (index < 0) {
    return Status(ErrorCode::kNotFound, "The ledger has no such entry.");
  }
  return book->log->Read(static_cast<std::uint64_t>(index));
}

Status LedgerGateway::WriteEvidence(const RoomId& room, const ledger::BundleContents& contents,
                                    const std::function<Status(std::string_view)>& write) {
  GB_ASSIGN_OR_RETURN(Book* const book, BookOf(room));
  return ledger::WriteBundleTar(*book->log, contents, write);
}

}  // namespace glovebox::room
