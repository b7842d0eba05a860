// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include "base/file.h"
#include "base/limits.h"
#include "crypto/hash.h"

namespace glovebox::engine {

std::string ContentOf(const RunAsset& asset) {
  const json::Value parts(json::Array{asset.version, asset.policy_digest, asset.rule});
  return crypto::ToHex(crypto::Sha256::Of(json::WriteCanonical(parts)));
}

bool IsPlannersRefusal(ErrorCode code) {
  switch (code) {
    case ErrorCode::kQueryRefused:
    case ErrorCode::kSqlSyntax:
    case ErrorCode::kSqlUnknownName:
    case ErrorCode::kSqlType:
    case ErrorCode::kNotSupported:
    case ErrorCode::kInvalidParameterValue:
      return true;
    default:
      return false;
  }
}

Result<json::Value> ReadRecord(const std::string& output_folder) {
  const std::string path = output_folder + "/" + kRecordFileName;
  if (!FileExists(path)) {
    return json::Value();
  }
  GB_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, limits::kWorkerMessageBytesMax));
  Result<json::Value> record = json::Parse(text);
  return record.ok() ? std::move(record) : Status(ErrorCode::kDataLoss, "the record of a failed run does not read");
}

}  // namespace glovebox::engine
