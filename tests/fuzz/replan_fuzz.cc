// SPDX-License-Identifier: Apache-2.0
//
// What a bundle's certificate and code may say, behind a ledger that is in order.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/encoding.h"
#include "crypto/hash.h"
#include "engine/engine.h"
#include "ledger/bundle.h"
#include "ledger/bundle_files.h"
#include "ledger/entry.h"
#include "ledger/tiles.h"
#include "room/replan.h"

namespace {

using namespace glovebox;  // NOLINT(google-build-using-namespace): a program of one file

std::string HexOf(std::string_view bytes) { return crypto::ToHex(crypto::Sha256::Of(bytes)); }

// Echoes what it is asked, so that every comparison is reached.
class EchoEngine final : public engine::Engine {
 public:
  Result<engine::SelectResult> Select(const engine::SelectRequest&) override { return Nothing(); }
  Status CheckFunction(const engine::Function&, const std::vector<engine::Function>&) override { return Nothing(); }
  Result<engine::PreparedAsset> Prepare(const engine::PrepareRequest&) override { return Nothing(); }
  Result<engine::RunResult> Run(const engine::RunRequest& request) override {
    engine::RunResult result;
    result.certificate = json::Object{{"runner", request.runner}};
    return result;
  }
  void Cancel(const std::string&) override {}

 private:
  static Status Nothing() { return Status(ErrorCode::kNotSupported, ""); }
};

ledger::Entry EntryOf(std::uint64_t seq, ledger::EventType type, const std::string& kind, const std::string& id,
                      json::Object data) {
  ledger::Entry entry;
  entry.id = "00000000-0000-7000-8000-00000000000" + std::to_string(seq);
  entry.seq = seq;
  entry.room = HexOf("");
  entry.type = type;
  entry.actor.party = "fed";
  entry.subject = {kind, id};
  entry.data = std::move(data);
  return entry;
}

}  // namespace

// The input: certificate, "\0", inputs of run.authorized, "\0", code.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto take = [&rest] {
    const std::size_t end = rest.find('\0');
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return std::string(part);
  };
  const std::string certificate = take();
  const Result<json::Value> inputs = json::Parse(take());
  const std::string code = take();
  using ledger::EventType;
  const ledger::Entry entries[] = {
      EntryOf(1, EventType::kCodeSubmitted, "code", "v",
              {{"notebook", "n"}, {"sha256", HexOf(code)}, {"runners", json::Array{"fed"}}}),
      EntryOf(2, EventType::kRunRequested, "run", "7", {{"etag", "v"}}),
      EntryOf(3, EventType::kRunAuthorized, "run", "7",
              {{"etag", "v"}, {"code_sha256", HexOf(code)}, {"inputs", inputs.ok() ? *inputs : json::Value()}}),
      EntryOf(4, EventType::kRunCompleted, "run", "7", {{"certificate_sha256", HexOf(certificate)}}),
  };
  std::string tile;
  for (const ledger::Entry& entry : entries) {
    const Result<std::string> bytes = ledger::EncodeEntry(entry);
    if (!bytes.ok()) {
      return 0;
    }
    ledger::AppendToEntryTile(*bytes, tile);
  }
  const std::uint64_t width = std::size(entries);
  const std::string log(ledger::kLogPrefix);
  const std::string checkpoint = ledger::OriginOf("host", "") + "\n" + std::to_string(width) + "\n" +
                                 Base64Encode(std::string(32, 'r')) + "\n\n\u2014 log AAAAAAAA\n";
  EchoEngine engine;
  const auto runs =
      room::Replan(ledger::MemoryBundle({{log + "checkpoint", checkpoint},
                                         {log + ledger::EntryTilePath({.level = 0, .number = 0, .width = width}), tile},
                                         {ledger::BlobPath(HexOf(certificate)), certificate},
                                         {ledger::BlobPath(HexOf(code)), code}}),
                   engine);
  GB_ASSERT(runs.ok() && runs->size() == 1);
  return 0;
}
