// SPDX-License-Identifier: Apache-2.0
#include "cli/audit.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/printable.h"
#include "ledger/bundle_files.h"
#include "ledger/verify.h"
#include "room/replan.h"

namespace glovebox::cli {
namespace {

int Fail(const Status& status) {
  std::fprintf(stderr, "glovebox: %s\n", Printable(status.message()).c_str());
  return kExitFailed;
}

struct Verified {
  std::unique_ptr<ledger::BundleFiles> bundle;
  ledger::Report report;
};

Result<Verified> Open(const VerifyRequest& request) {
  ledger::VerifyOptions options;
  if (!request.pin.empty()) {
    options.pin = request.pin;
  }
  options.min_size = request.min_size;
  for (const std::string& file : request.checkpoint_files) {
    GB_ASSIGN_OR_RETURN(std::string note, ReadFile(file, limits::kLedgerNoteBytesMax));
    options.known_checkpoints.push_back(std::move(note));
  }
  Verified verified;
  GB_ASSIGN_OR_RETURN(verified.bundle, ledger::OpenBundle(request.bundle));
  verified.report = ledger::Verify(*verified.bundle, options);
  return verified;
}

int ExitCodeOf(const ledger::Report& report) {
  if (!report.ok) {
    return kExitFailed;
  }
  return report.has_warnings ? kExitFindings : kExitOk;
}

void Print(std::string text) {
  if (!text.ends_with('\n')) {
    text += '\n';
  }
  std::fputs(text.c_str(), stdout);
}

constexpr const char* kSameText = "the certificate is what code, rules and schemas give";

// Of a bundle that is not valid, the whole report; of any other one, a line.
std::string ReplanText(const ledger::Report& report, const std::vector<room::ReplannedRun>& runs) {
  if (!report.ok) {
    return report.ToText();
  }
  std::string text = report.has_warnings ? "VALID, with findings: see audit verify\n" : "VALID\n";
  for (const room::ReplannedRun& run : runs) {
    text +=
        "run " + Printable(run.run) + ": " + (run.difference.empty() ? kSameText : Printable(run.difference)) + "\n";
  }
  return text + (runs.empty() ? "no run has completed\n" : "");
}

json::Value ReplanJson(const ledger::Report& report, const std::vector<room::ReplannedRun>& runs) {
  json::Array list;
  for (const room::ReplannedRun& run : runs) {
    list.emplace_back(json::Object{{"run", run.run},
                                   {"entry", static_cast<std::int64_t>(run.entry)},
                                   {"same", run.difference.empty()},
                                   {"difference", run.difference}});
  }
  return json::Object{{"verification", report.ToJson()}, {"runs", std::move(list)}};
}

}  // namespace

int VerifyBundle(const VerifyRequest& request) {
  const Result<Verified> verified = Open(request);
  if (!verified.ok()) {
    return Fail(verified.status());
  }
  Print(request.form == ReportForm::kJson ? json::Write(verified->report.ToJson()) : verified->report.ToText());
  return ExitCodeOf(verified->report);
}

int ReplanBundle(const VerifyRequest& request, engine::Engine& engine) {
  const Result<Verified> verified = Open(request);
  if (!verified.ok()) {
    return Fail(verified.status());
  }
  const ledger::Report& report = verified->report;
  std::vector<room::ReplannedRun> runs;
  if (report.ok) {
    Result<std::vector<room::ReplannedRun>> replanned = room::Replan(*verified->bundle, engine);
    if (!replanned.ok()) {
      return Fail(replanned.status());
    }
    runs = *std::move(replanned);
  }
  Print(request.form == ReportForm::kJson ? json::Write(ReplanJson(report, runs)) : ReplanText(report, runs));
  const bool same = std::ranges::all_of(runs, [](const room::ReplannedRun& run) { return run.difference.empty(); });
  return same ? ExitCodeOf(report) : kExitFailed;
}

}  // namespace glovebox::cli
