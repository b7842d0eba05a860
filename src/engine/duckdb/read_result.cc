// SPDX-License-Identifier: Apache-2.0
#include "engine/duckdb/read_result.h"

#include <duckdb.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace glovebox::engine::duckdb {
namespace {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr std::int64_t kMicrosPerSecond = 1'000'000;

struct KnownType {
  duckdb_type type;
  ColumnKind kind;
  const char* name;
};

constexpr std::array kKnownTypes = {
    KnownType{DUCKDB_TYPE_BOOLEAN, ColumnKind::kBoolean, "BOOLEAN"},
    KnownType{DUCKDB_TYPE_TINYINT, ColumnKind::kInteger, "TINYINT"},
    KnownType{DUCKDB_TYPE_SMALLINT, ColumnKind::kInteger, "SMALLINT"},
    KnownType{DUCKDB_TYPE_INTEGER, ColumnKind::kInteger, "INTEGER"},
    KnownType{DUCKDB_TYPE_BIGINT, ColumnKind::kInteger, "BIGINT"},
    KnownType{DUCKDB_TYPE_UTINYINT, ColumnKind::kInteger, "UTINYINT"},
    KnownType{DUCKDB_TYPE_USMALLINT, ColumnKind::kInteger, "USMALLINT"},
    KnownType{DUCKDB_TYPE_UINTEGER, ColumnKind::kInteger, "UINTEGER"},
    KnownType{DUCKDB_TYPE_UBIGINT, ColumnKind::kExact, "UBIGINT"},
    KnownType{DUCKDB_TYPE_HUGEINT, ColumnKind::kExact, "HUGEINT"},
    KnownType{DUCKDB_TYPE_UHUGEINT, ColumnKind::kExact, "UHUGEINT"},
    KnownType{DUCKDB_TYPE_DECIMAL, ColumnKind::kExact, "DECIMAL"},
    KnownType{DUCKDB_TYPE_FLOAT, ColumnKind::kDouble, "FLOAT"},
    KnownType{DUCKDB_TYPE_DOUBLE, ColumnKind::kDouble, "DOUBLE"},
    KnownType{DUCKDB_TYPE_VARCHAR, ColumnKind::kText, "VARCHAR"},
    KnownType{DUCKDB_TYPE_DATE, ColumnKind::kDate, "DATE"},
    KnownType{DUCKDB_TYPE_TIMESTAMP, ColumnKind::kTimestamp, "TIMESTAMP"},
    KnownType{DUCKDB_TYPE_SQLNULL, ColumnKind::kNull, "NULL"},
};

// Owns a duckdb_logical_type.
class LogicalType {
 public:
  explicit LogicalType(duckdb_logical_type type) : type_(type) {}
  ~LogicalType() { duckdb_destroy_logical_type(&type_); }
  LogicalType(const LogicalType&) = delete;
  LogicalType& operator=(const LogicalType&) = delete;
  [[nodiscard]] duckdb_logical_type get() const { return type_; }

 private:
  duckdb_logical_type type_;
};

std::string UnsignedText(UInt128 value) {
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

// `value` is in units of 10^-scale.
std::string DecimalText(Int128 value, std::size_t scale) {
  const bool negative = value < 0;
  // Negation in the unsigned type: the smallest value has no positive counterpart.
  std::string digits = UnsignedText(negative ? -static_cast<UInt128>(value) : static_cast<UInt128>(value));
  if (scale > 0) {
    if (digits.size() <= scale) {
      digits.insert(0, scale + 1 - digits.size(), '0');
    }
    digits.insert(digits.size() - scale, 1, '.');
  }
  return negative ? "-" + digits : digits;
}

Int128 ToInt128(const duckdb_hugeint& value) {
  return static_cast<Int128>((static_cast<UInt128>(static_cast<std::uint64_t>(value.upper)) << 64U) | value.lower);
}

// A vector's data and validity, read by row.
struct VectorView {
  explicit VectorView(duckdb_vector vector)
      : data(duckdb_vector_get_data(vector)), validity(duckdb_vector_get_validity(vector)) {}
  [[nodiscard]] bool IsNull(idx_t row) const {
    return validity != nullptr && (validity[row / 64] & (std::uint64_t{1} << (row % 64))) == 0;
  }
  template <typename T>
  [[nodiscard]] const T& At(idx_t row) const {
    return static_cast<const T*>(data)[row];
  }
  void* data;
  std::uint64_t* validity;
};

std::int64_t IntegerAt(const VectorView& view, duckdb_type type, idx_t row) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return view.At<bool>(row) ? 1 : 0;
    case DUCKDB_TYPE_TINYINT:
      return view.At<std::int8_t>(row);
    case DUCKDB_TYPE_SMALLINT:
      return view.At<std::int16_t>(row);
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_DATE:
      return view.At<std::int32_t>(row);
    case DUCKDB_TYPE_UTINYINT:
      return view.At<std::uint8_t>(row);
    case DUCKDB_TYPE_USMALLINT:
      return view.At<std::uint16_t>(row);
    case DUCKDB_TYPE_UINTEGER:
      return view.At<std::uint32_t>(row);
    default:
      GB_ASSERT(type == DUCKDB_TYPE_BIGINT || type == DUCKDB_TYPE_TIMESTAMP);
      return view.At<std::int64_t>(row);
  }
}

// How a column of exact numbers is stored: `type` is the physical integer, a DECIMAL's included.
struct ExactStorage {
  duckdb_type type;
  std::size_t scale;
};

ExactStorage StorageOf(duckdb_logical_type logical) {
  const duckdb_type type = duckdb_get_type_id(logical);
  if (type != DUCKDB_TYPE_DECIMAL) {
    return {type, 0};
  }
  return {duckdb_decimal_internal_type(logical), duckdb_decimal_scale(logical)};
}

std::string ExactAt(const VectorView& view, const ExactStorage& storage, idx_t row) {
  switch (storage.type) {
    case DUCKDB_TYPE_UBIGINT:
      return UnsignedText(view.At<std::uint64_t>(row));
    case DUCKDB_TYPE_UHUGEINT: {
      const auto& value = view.At<duckdb_uhugeint>(row);
      return UnsignedText((static_cast<UInt128>(value.upper) << 64U) | value.lower);
    }
    case DUCKDB_TYPE_HUGEINT:
      return DecimalText(ToInt128(view.At<duckdb_hugeint>(row)), storage.scale);
    default:
      return DecimalText(IntegerAt(view, storage.type, row), storage.scale);
  }
}

std::string_view TextAt(const VectorView& view, idx_t row) {
  const auto& text = view.At<duckdb_string_t>(row);
  if (duckdb_string_is_inlined(text)) {
    return {text.value.inlined.inlined, text.value.inlined.length};
  }
  return {text.value.pointer.ptr, text.value.pointer.length};
}

// Returns how many bytes of text were appended.
std::size_t AppendColumn(duckdb_vector vector, idx_t rows, ResultColumn& column) {
  const LogicalType logical(duckdb_vector_get_column_type(vector));
  const duckdb_type type = duckdb_get_type_id(logical.get());
  const VectorView view(vector);
  std::size_t text_bytes = 0;
  const ExactStorage storage = column.kind == ColumnKind::kExact ? StorageOf(logical.get()) : ExactStorage{type, 0};
  for (idx_t row = 0; row < rows; ++row) {
    const bool null = column.kind == ColumnKind::kNull || view.IsNull(row);
    column.is_null.push_back(null ? 1 : 0);
    switch (column.kind) {
      case ColumnKind::kBoolean:
      case ColumnKind::kInteger:
      case ColumnKind::kDate:
      case ColumnKind::kTimestamp:
        column.ints.push_back(null ? 0 : IntegerAt(view, type, row));
        break;
      case ColumnKind::kDouble:
        column.doubles.push_back(null                        ? 0.0
                                 : type == DUCKDB_TYPE_FLOAT ? static_cast<double>(view.At<float>(row))
                                                             : view.At<double>(row));
        break;
      case ColumnKind::kExact:
        column.texts.push_back(null ? std::string() : ExactAt(view, storage, row));
        break;
      case ColumnKind::kText:
        column.texts.emplace_back(null ? std::string_view() : TextAt(view, row));
        text_bytes += column.texts.back().size();
        break;
      case ColumnKind::kNull:
        break;
    }
  }
  return text_bytes;
}

std::string DateText(std::int64_t days) {
  duckdb_date date{};
  date.days = static_cast<std::int32_t>(days);
  if (!duckdb_is_finite_date(date)) {
    return days > 0 ? "infinity" : "-infinity";
  }
  const duckdb_date_struct parts = duckdb_from_date(date);
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%04d-%02d-%02d", parts.year, parts.month, parts.day);
  return text.data();
}

std::string TimestampText(std::int64_t micros) {
  duckdb_timestamp timestamp{};
  timestamp.micros = micros;
  if (!duckdb_is_finite_timestamp(timestamp)) {
    return micros > 0 ? "infinity" : "-infinity";
  }
  std::int64_t days = micros / kMicrosPerDay;
  std::int64_t rest = micros % kMicrosPerDay;
  if (rest < 0) {
    --days;
    rest += kMicrosPerDay;
  }
  const int seconds = static_cast<int>(rest / kMicrosPerSecond);
  const int fraction = static_cast<int>(rest % kMicrosPerSecond);
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), " %02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  std::string result = DateText(days) + text.data();
  if (fraction != 0) {
    (void)std::snprintf(text.data(), text.size(), ".%06d", fraction);
    result += text.data();
  }
  return result;
}

}  // namespace

Status DescribeColumns(void* result, ResultTable& table) {
  auto* const native = static_cast<duckdb_result*>(result);
  const idx_t count = duckdb_column_count(native);
  for (idx_t i = 0; i < count; ++i) {
    const LogicalType logical(duckdb_column_logical_type(native, i));
    const duckdb_type type = duckdb_get_type_id(logical.get());
    const auto* const known = std::find_if(kKnownTypes.begin(), kKnownTypes.end(),
                                           [type](const KnownType& candidate) { return candidate.type == type; });
    if (known == kKnownTypes.end()) {
      return {ErrorCode::kNotSupported,
              type == DUCKDB_TYPE_TIMESTAMP_TZ
                  ? "a column has the type TIMESTAMP WITH TIME ZONE; cast it to TIMESTAMP (UTC)"
                  : "a column has a type that is not supported (lists, structs, blobs, times and zones are not)"};
    }
    ResultColumn& column = table.columns.emplace_back();
    column.name = duckdb_column_name(native, i);
    column.kind = known->kind;
    column.type = known->name;
    if (type == DUCKDB_TYPE_DECIMAL) {
      column.type += "(" + std::to_string(duckdb_decimal_width(logical.get())) + "," +
                     std::to_string(duckdb_decimal_scale(logical.get())) + ")";
    }
  }
  return {};
}

std::size_t AppendChunk(void* chunk, std::size_t rows_max, ResultTable& table) {
  auto* const native = static_cast<duckdb_data_chunk>(chunk);
  const idx_t rows = std::min<idx_t>(duckdb_data_chunk_get_size(native), rows_max);
  GB_ASSERT(duckdb_data_chunk_get_column_count(native) == table.columns.size());
  std::size_t text_bytes = 0;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    text_bytes += AppendColumn(duckdb_data_chunk_get_vector(native, i), rows, table.columns[i]);
  }
  table.rows += rows;
  return text_bytes;
}

json::Value CellToJson(const ResultColumn& column, std::size_t row) {
  if (column.IsNull(row)) {
    return nullptr;
  }
  switch (column.kind) {
    case ColumnKind::kBoolean:
      return column.ints[row] != 0;
    case ColumnKind::kInteger:
      return column.ints[row];
    case ColumnKind::kDouble:
      return std::isfinite(column.doubles[row]) ? json::Value(column.doubles[row]) : json::Value(nullptr);
    case ColumnKind::kExact:
    case ColumnKind::kText:
      return column.texts[row];
    case ColumnKind::kDate:
      return DateText(column.ints[row]);
    case ColumnKind::kTimestamp:
      return TimestampText(column.ints[row]);
    case ColumnKind::kNull:
      break;
  }
  return nullptr;
}

}  // namespace glovebox::engine::duckdb
