// SPDX-License-Identifier: Apache-2.0
#include "ledger/commitment.h"

#include <cstddef>
#include <string_view>
#include <utility>

#include "base/encoding.h"
#include "base/errors.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace glovebox::ledger {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kDisclosureMembers = 3;

Status Bad() { return {ErrorCode::kInvalidParameterValue, "an opening is malformed or does not fit its commitment"}; }

}  // namespace

std::string NewSalt(Random& random) { return Base64UrlEncode(random.Bytes(kSaltBytes)); }

Commitment Commit(std::string_view name, const json::Value& value, Random& random) {
  return CommitWith(NewSalt(random), name, value);
}

Commitment CommitWith(std::string_view salt, std::string_view name, const json::Value& value) {
  std::string opening = Base64UrlEncode(json::WriteCanonical(json::Array{salt, name, value}));
  std::string commitment = CommitmentOf(opening);
  return {std::move(commitment), std::move(opening)};
}

std::string CommitmentOf(std::string_view opening) {
  const crypto::Digest digest = crypto::Sha256::Of(opening);
  return Base64UrlEncode(crypto::Bytes(digest));
}

Result<OpenedValue> OpenCommitment(std::string_view opening, std::string_view commitment) {
  if (CommitmentOf(opening) != commitment) {
    return Bad();
  }
  GB_ASSIGN_OR_RETURN(const std::string text, Base64UrlDecode(opening));
  GB_ASSIGN_OR_RETURN(const json::Value parts, json::Parse(text, limits::kLedgerJsonDepthMax));
  if (!parts.is_array() || parts.as_array().size() != kDisclosureMembers || !parts.as_array()[0].is_string() ||
      !parts.as_array()[1].is_string()) {
    return Bad();
  }
  const Result<std::string> salt = Base64UrlDecode(parts.as_array()[0].as_string());
  if (!salt.ok() || salt->size() < kSaltBytes) {
    return Bad();
  }
  return OpenedValue{parts.as_array()[1].as_string(), parts.as_array()[2]};
}

}  // namespace glovebox::ledger
