// SPDX-License-Identifier: Apache-2.0
#include "cli/audit.h"

#include <cstdio>
#include <utility>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "ledger/verify.h"

namespace glovebox::cli {
namespace {

int Fail(const Status& status) {
  std::fprintf(stderr, "glovebox: %s\n", status.message().c_str());
  return kExitFailed;
}

}  // namespace

int VerifyBundle(const VerifyRequest& request) {
  ledger::VerifyOptions options;
  if (!request.pin.empty()) {
    options.pin = request.pin;
  }
  options.min_size = request.min_size;
  for (const std::string& file : request.checkpoint_files) {
    auto note = ReadFile(file, limits::kLedgerNoteBytesMax);
    if (!note.ok()) {
      return Fail(note.status());
    }
    options.known_checkpoints.push_back(*std::move(note));
  }
  const auto report = ledger::VerifyPath(request.bundle, options);
  if (!report.ok()) {
    return Fail(report.status());
  }
  std::string text = request.form == ReportForm::kJson ? json::Write(report->ToJson()) : report->ToText();
  if (!text.ends_with('\n')) {
    text += '\n';
  }
  std::fputs(text.c_str(), stdout);
  if (!report->ok) {
    return kExitFailed;
  }
  return report->has_warnings ? kExitFindings : kExitOk;
}

}  // namespace glovebox::cli
