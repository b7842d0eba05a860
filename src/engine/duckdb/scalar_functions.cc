// SPDX-License-Identifier: Apache-2.0
#include "engine/duckdb/scalar_functions.h"

#include <duckdb.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "base/strings.h"

namespace glovebox::engine::duckdb {
namespace {

constexpr unsigned kByteBits = 8;
constexpr std::size_t kHalfHashBytes = 8;

enum class Canonicalise { kYes, kNo };

// A text argument, read by row.
class TextColumn {
 public:
  TextColumn(duckdb_data_chunk chunk, idx_t column) {
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, column);
    texts_ = static_cast<const duckdb_string_t*>(duckdb_vector_get_data(vector));
    validity_ = duckdb_vector_get_validity(vector);
  }
  [[nodiscard]] bool IsNull(idx_t row) const {
    return validity_ != nullptr && (validity_[row / 64] & (std::uint64_t{1} << (row % 64))) == 0;
  }
  [[nodiscard]] std::string_view At(idx_t row) const {
    const duckdb_string_t& text = texts_[row];
    return duckdb_string_is_inlined(text) ? std::string_view(text.value.inlined.inlined, text.value.inlined.length)
                                          : std::string_view(text.value.pointer.ptr, text.value.pointer.length);
  }

 private:
  const duckdb_string_t* texts_;
  const std::uint64_t* validity_;
};

void SetNull(duckdb_vector output, idx_t row) {
  duckdb_vector_ensure_validity_writable(output);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
}

bool IsPrintableAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// NfkcTrimLower, with a short cut for the texts on which the Unicode forms change nothing.
Result<std::string> CanonicalForm(std::string_view text) {
  if (!IsPrintableAscii(text)) {
    return NfkcTrimLower(text);
  }
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) {
    return std::string();
  }
  return AsciiLower(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

void NfkcTrimLowerFunction(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const TextColumn texts(input, 0);
  const idx_t rows = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row) {
    if (texts.IsNull(row)) {
      SetNull(output, row);
      continue;
    }
    const Result<std::string> form = CanonicalForm(texts.At(row));
    if (!form.ok()) {
      duckdb_scalar_function_set_error(info, "a text is not valid UTF-8");
      return;
    }
    duckdb_vector_assign_string_element_len(output, row, form->data(), form->size());
  }
}

using SharedKeyring = std::shared_ptr<const Keyring>;

void HmacFunction(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const Keyring& keyring = **static_cast<SharedKeyring*>(duckdb_scalar_function_get_extra_info(info));
  const TextColumn names(input, 0);
  const TextColumn texts(input, 1);
  const idx_t rows = duckdb_data_chunk_get_size(input);
  std::string name;  // of `key`; the name is a constant in practice
  const crypto::HmacKey* key = nullptr;
  for (idx_t row = 0; row < rows; ++row) {
    if (names.IsNull(row) || texts.IsNull(row)) {
      SetNull(output, row);
      continue;
    }
    if (key == nullptr || names.At(row) != name) {
      name = std::string(names.At(row));
      key = keyring.Find(name);
    }
    if (key == nullptr) {
      duckdb_scalar_function_set_error(info, "there is no such key");
      return;
    }
    const crypto::Digest digest = key->Of(texts.At(row));
    const std::string hex = crypto::ToHex(digest);
    duckdb_vector_assign_string_element_len(output, row, hex.data(), hex.size());
  }
}

struct UnitHash {
  crypto::HmacKey key;
  Canonicalise canonicalise;
};

// Appends the part's length and its bytes. False if the part is empty.
bool AppendPart(std::string_view part, std::string& message) {
  if (part.empty()) {
    return false;
  }
  const auto length = static_cast<std::uint32_t>(part.size());
  for (unsigned shift = 4 * kByteBits; shift > 0; shift -= kByteBits) {
    message.push_back(static_cast<char>((length >> (shift - kByteBits)) & 0xFFU));
  }
  message += part;
  return true;
}

std::uint64_t BigEndian(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kHalfHashBytes; ++i) {
    value = (value << kByteBits) | bytes[i];
  }
  return value;
}

void UnitHashFunction(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto& hash = *static_cast<UnitHash*>(duckdb_scalar_function_get_extra_info(info));
  std::vector<TextColumn> parts;
  for (idx_t column = 0; column < duckdb_data_chunk_get_column_count(input); ++column) {
    parts.emplace_back(input, column);
  }
  auto* const hashes = static_cast<duckdb_hugeint*>(duckdb_vector_get_data(output));
  const idx_t rows = duckdb_data_chunk_get_size(input);
  std::string message;
  for (idx_t row = 0; row < rows; ++row) {
    message.clear();
    bool complete = !parts.empty();
    for (const TextColumn& part : parts) {
      complete = complete && !part.IsNull(row);
      if (!complete) {
        break;
      }
      if (hash.canonicalise == Canonicalise::kNo) {
        complete = AppendPart(part.At(row), message);
        continue;
      }
      const Result<std::string> form = CanonicalForm(part.At(row));
      if (!form.ok()) {
        duckdb_scalar_function_set_error(info, "a text is not valid UTF-8");
        return;
      }
      complete = AppendPart(*form, message);
    }
    if (!complete) {
      SetNull(output, row);
      continue;
    }
    const crypto::Digest digest = hash.key.Of(message);
    hashes[row].upper = static_cast<std::int64_t>(BigEndian(digest.data()));
    hashes[row].lower = BigEndian(digest.data() + kHalfHashBytes);
  }
}

// Owns a duckdb_scalar_function while it is put together.
class FunctionBuilder {
 public:
  FunctionBuilder(const char* name, duckdb_type result, duckdb_scalar_function_t body)
      : function_(duckdb_create_scalar_function()) {
    duckdb_scalar_function_set_name(function_, name);
    WithType(result, [this](duckdb_logical_type type) { duckdb_scalar_function_set_return_type(function_, type); });
    duckdb_scalar_function_set_function(function_, body);
    duckdb_scalar_function_set_special_handling(function_);
  }
  ~FunctionBuilder() { duckdb_destroy_scalar_function(&function_); }
  FunctionBuilder(const FunctionBuilder&) = delete;
  FunctionBuilder& operator=(const FunctionBuilder&) = delete;

  void AddText() {
    WithType(DUCKDB_TYPE_VARCHAR,
             [this](duckdb_logical_type type) { duckdb_scalar_function_add_parameter(function_, type); });
  }
  void TakeAnyNumberOfTexts() {
    WithType(DUCKDB_TYPE_VARCHAR,
             [this](duckdb_logical_type type) { duckdb_scalar_function_set_varargs(function_, type); });
  }
  // The function owns `info` from here on.
  template <typename T>
  void SetInfo(std::unique_ptr<T> info) {
    duckdb_scalar_function_set_extra_info(function_, info.release(),
                                          [](void* owned) { delete static_cast<T*>(owned); });
  }
  Status Register(Connection& connection) {
    if (duckdb_register_scalar_function(static_cast<duckdb_connection>(connection.NativeHandle()), function_) !=
        DuckDBSuccess) {
      return {ErrorCode::kInternal, "a function cannot be registered"};
    }
    return {};
  }

 private:
  template <typename Use>
  static void WithType(duckdb_type id, Use use) {
    duckdb_logical_type type = duckdb_create_logical_type(id);
    use(type);
    duckdb_destroy_logical_type(&type);
  }

  duckdb_scalar_function function_;
};

}  // namespace

Status RegisterTextFunctions(Connection& connection, std::shared_ptr<const Keyring> keyring) {
  FunctionBuilder canonical("gb_nfkc_trim_lower", DUCKDB_TYPE_VARCHAR, NfkcTrimLowerFunction);
  canonical.AddText();
  GB_RETURN_IF_ERROR(canonical.Register(connection));
  FunctionBuilder hmac("gb_hmac_sha256", DUCKDB_TYPE_VARCHAR, HmacFunction);
  hmac.AddText();
  hmac.AddText();
  hmac.SetInfo(std::make_unique<SharedKeyring>(std::move(keyring)));
  return hmac.Register(connection);
}

Status RegisterUnitHash(Connection& connection, std::string_view unit_secret) {
  for (const Canonicalise canonicalise : {Canonicalise::kYes, Canonicalise::kNo}) {
    FunctionBuilder hash(canonicalise == Canonicalise::kYes ? "gb_unit_hash" : "gb_unit_hash_exact",
                         DUCKDB_TYPE_HUGEINT, UnitHashFunction);
    hash.TakeAnyNumberOfTexts();
    hash.SetInfo(std::make_unique<UnitHash>(UnitHash{crypto::HmacKey(unit_secret), canonicalise}));
    GB_RETURN_IF_ERROR(hash.Register(connection));
  }
  return {};
}

}  // namespace glovebox::engine::duckdb
