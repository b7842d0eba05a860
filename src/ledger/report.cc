// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include "base/json.h"
#include "ledger/verify.h"

namespace glovebox::ledger {
namespace {

constexpr std::string_view kProven =
    "Proven, if one collaborator's copy or key is honest: the order and bytes of all entries up to this size, that "
    "all\n"
    "collaborators saw the same log, and who signed each approval, publication and request.\n"
    "Not proven: that an entry is true, that the engine computed correctly, that nothing happened outside the room.\n";

std::string Line(const Finding& finding) {
  std::string line(WireName(finding.severity));
  if (finding.entry.has_value()) {
    line += ": entry " + std::to_string(*finding.entry);
  }
  if (!finding.file.empty()) {
    line += finding.entry.has_value() ? " (" + finding.file + ")" : ": " + finding.file;
  }
  return line + ": " + finding.text + "\n";
}

json::Value ToJsonValue(const Finding& finding) {
  json::Object out;
  out.Set("severity", WireName(finding.severity));
  if (finding.entry.has_value()) {
    out.Set("entry", static_cast<std::int64_t>(*finding.entry));
  }
  if (!finding.file.empty()) {
    out.Set("file", finding.file);
  }
  out.Set("text", finding.text);
  return out;
}

}  // namespace

std::string_view WireName(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "";
}

std::string Report::ToText() const {
  std::string text;
  text += ok ? (has_warnings ? "VALID, with findings\n" : "VALID\n") : "INVALID\n";
  text += "origin    " + origin + "\n";
  text += "entries   " + std::to_string(size) + (closed ? ", room closed\n" : ", room open\n");
  text += "root      " + root + "\n";
  text += "mode      " + mode + "\n";
  text += "cosigned ";
  for (const std::string& party : cosigned_by) {
    text += " " + party;
  }
  text += "\n";
  for (const auto& [type, count] : event_counts) {
    text += "  " + std::to_string(count) + " " + type + "\n";
  }
  for (const Finding& finding : findings) {
    text += Line(finding);
  }
  return text + std::string(kProven);
}

json::Value Report::ToJson() const {
  json::Array list;
  for (const Finding& finding : findings) {
    list.push_back(ToJsonValue(finding));
  }
  json::Array parties(cosigned_by.begin(), cosigned_by.end());
  json::Object counts;
  for (const auto& [type, count] : event_counts) {
    counts.Set(type, static_cast<std::int64_t>(count));
  }
  return json::Object{{"ok", ok},
                      {"warnings", has_warnings},
                      {"origin", origin},
                      {"size", static_cast<std::int64_t>(size)},
                      {"root", root},
                      {"mode", mode},
                      {"closed", closed},
                      {"cosigned_by", std::move(parties)},
                      {"events", std::move(counts)},
                      {"findings", std::move(list)}};
}

}  // namespace glovebox::ledger
