// SPDX-License-Identifier: Apache-2.0
#include "engine/duckdb/unit_aggregates.h"

#include <duckdb.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace glovebox::engine::duckdb {

std::string UnitsAtLeastName(std::uint32_t k) { return "gb_units_at_least_" + std::to_string(k); }

namespace {

constexpr std::uint32_t kInlineUnits = 6;
constexpr std::uint32_t kFirstTableSlots = 32;
constexpr std::uint32_t kHashMultiplier = 0x9E3779B1U;  // 2^32 / golden ratio
constexpr idx_t kVectorRows = 2048;
constexpr std::uint32_t kPrefetchDistance = 8;

// What a registration shares with all states: k, and the heap that they hold together.
struct Registration {
  std::uint32_t k = 0;
  std::size_t heap_bytes_max = 0;
  std::atomic<std::size_t> heap_bytes = 0;
};

// An open-addressing set of ids with linear probing; 0 marks a free slot.
struct Table {
  Registration* owner;   // the destructor of a state is given nothing else to find it by
  std::uint32_t slots;   // a power of two
  std::uint32_t ids[1];  // `slots` of them
};

std::size_t TableBytes(std::uint32_t slots) { return offsetof(Table, ids) + sizeof(std::uint32_t) * slots; }

// Trivially copyable and without pointers into itself: DuckDB moves it with memcpy. count == k means saturated, and
// then there is no table any more.
struct State {
  std::uint32_t count;
  std::uint32_t slot_bits;  // log2 of the table's slots; 0: the units are inline
  union {
    std::uint32_t inline_ids[kInlineUnits];
    Table* table;
  };
};
static_assert(sizeof(State) == 32);

State& StateOf(duckdb_aggregate_state state) { return *reinterpret_cast<State*>(state); }

Registration& RegistrationOf(duckdb_function_info info) {
  return *static_cast<Registration*>(duckdb_aggregate_function_get_extra_info(info));
}

// nullptr if the heap's limit is reached.
Table* NewTable(Registration& owner, std::uint32_t slots) {
  const std::size_t bytes = TableBytes(slots);
  if (owner.heap_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes > owner.heap_bytes_max) {
    owner.heap_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    return nullptr;
  }
  auto* table = static_cast<Table*>(std::calloc(1, bytes));
  if (table == nullptr) {
    owner.heap_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    return nullptr;
  }
  table->owner = &owner;
  table->slots = slots;
  return table;
}

void FreeTable(Table* table) {
  table->owner->heap_bytes.fetch_sub(TableBytes(table->slots), std::memory_order_relaxed);
  std::free(table);
}

std::uint32_t FirstSlot(std::uint32_t slot_bits, std::uint32_t id) {
  return (id * kHashMultiplier) >> (32U - slot_bits);
}

std::uint32_t SlotBits(const Table& table) { return static_cast<std::uint32_t>(std::countr_zero(table.slots)); }

// Whether the id was not there yet. REQUIRES: a free slot.
bool Insert(Table& table, std::uint32_t slot_bits, std::uint32_t id) {
  const std::uint32_t mask = (std::uint32_t{1} << slot_bits) - 1;
  for (std::uint32_t slot = FirstSlot(slot_bits, id);; slot = (slot + 1) & mask) {
    if (table.ids[slot] == id) {
      return false;
    }
    if (table.ids[slot] == 0) {
      table.ids[slot] = id;
      return true;
    }
  }
}

template <typename Visit>
void ForEachUnit(const State& state, Visit visit) {
  if (state.slot_bits == 0) {
    std::for_each_n(state.inline_ids, state.count, visit);
    return;
  }
  for (std::uint32_t slot = 0; slot < state.table->slots; ++slot) {
    if (state.table->ids[slot] != 0) {
      visit(state.table->ids[slot]);
    }
  }
}

void Saturate(State& state, std::uint32_t k) {
  if (state.slot_bits != 0) {
    FreeTable(state.table);
  }
  state = State{};
  state.count = k;
}

// Slots for `units` at a load of at most seven eighths.
std::uint32_t SlotsFor(std::uint32_t units) { return std::bit_ceil(std::max(kFirstTableSlots, units + units / 7 + 1)); }

// Moves the units into a table that has room for `units`. False if there is no memory.
bool Reserve(Registration& registration, State& state, std::uint32_t units) {
  const std::uint32_t slots = SlotsFor(units);
  if (state.slot_bits != 0 && (std::uint32_t{1} << state.slot_bits) >= slots) {
    return true;
  }
  Table* const table = NewTable(registration, slots);
  if (table == nullptr) {
    return false;
  }
  const std::uint32_t slot_bits = SlotBits(*table);
  ForEachUnit(state, [table, slot_bits](std::uint32_t id) { Insert(*table, slot_bits, id); });
  if (state.slot_bits != 0) {
    FreeTable(state.table);
  }
  state.table = table;
  state.slot_bits = slot_bits;
  return true;
}

// Adds a unit to a state that is not saturated. False if there is no memory.
bool Add(Registration& registration, State& state, std::uint32_t id) {
  if (state.slot_bits == 0) {
    std::uint32_t* const end = state.inline_ids + state.count;
    if (std::find(state.inline_ids, end, id) != end) {
      return true;
    }
    if (state.count + 1 >= registration.k) {
      Saturate(state, registration.k);
      return true;
    }
    if (state.count < kInlineUnits) {
      *end = id;
      ++state.count;
      return true;
    }
  }
  if (!Reserve(registration, state, state.count + 1)) {
    return false;
  }
  if (Insert(*state.table, state.slot_bits, id) && ++state.count >= registration.k) {
    Saturate(state, registration.k);
  }
  return true;
}

// Copies: under a window DuckDB uses the source again, so nothing may be taken away from it.
bool AddAll(Registration& registration, const State& source, State& target) {
  if (target.count >= registration.k || source.count == 0) {
    return true;
  }
  if (source.count >= registration.k) {
    Saturate(target, registration.k);
    return true;
  }
  // All room at once: inserting a table in the order of its slots into a small one that grows is quadratic.
  if (source.slot_bits != 0 && !Reserve(registration, target, std::max(source.count, target.count))) {
    return false;
  }
  bool added = true;
  ForEachUnit(source, [&](std::uint32_t id) {
    if (added && target.count < registration.k) {
      added = Add(registration, target, id);
    }
  });
  return added;
}

bool IsValid(const std::uint64_t* validity, idx_t row) {
  return validity == nullptr || (validity[row / 64] & (std::uint64_t{1} << (row % 64))) != 0;
}

constexpr const char* kOutOfMemory = "the unit counters need more memory than they may have";

idx_t StateSize(duckdb_function_info) { return sizeof(State); }

void Init(duckdb_function_info, duckdb_aggregate_state state) { StateOf(state) = State{}; }

void Update(duckdb_function_info info, duckdb_data_chunk input, duckdb_aggregate_state* states) {
  Registration& registration = RegistrationOf(info);
  const idx_t rows = duckdb_data_chunk_get_size(input);
  duckdb_vector units = duckdb_data_chunk_get_vector(input, 0);
  const auto* const ids = static_cast<const std::uint32_t*>(duckdb_vector_get_data(units));
  const std::uint64_t* const unit_valid = duckdb_vector_get_validity(units);
  const std::uint64_t* const value_valid = duckdb_data_chunk_get_column_count(input) > 1
                                               ? duckdb_vector_get_validity(duckdb_data_chunk_get_vector(input, 1))
                                               : nullptr;
  std::array<std::uint32_t, kVectorRows> open;  // rows whose group is not saturated yet; usually none soon
  for (idx_t first = 0; first < rows; first += kVectorRows) {
    std::uint32_t open_count = 0;
    const idx_t end = std::min(rows, first + kVectorRows);
    for (idx_t row = first; row < end; ++row) {
      open[open_count] = static_cast<std::uint32_t>(row);
      open_count += StateOf(states[row]).count < registration.k ? 1U : 0U;
    }
    for (std::uint32_t i = 0; i < open_count; ++i) {
      if (i + kPrefetchDistance < open_count) {
        const State& later = StateOf(states[open[i + kPrefetchDistance]]);
        if (later.slot_bits != 0) {
          __builtin_prefetch(&later.table->ids[FirstSlot(later.slot_bits, ids[open[i + kPrefetchDistance]])], 1);
        }
      }
      const idx_t row = open[i];
      State& state = StateOf(states[row]);
      if (state.count < registration.k && IsValid(unit_valid, row) && IsValid(value_valid, row) && ids[row] != 0 &&
          !Add(registration, state, ids[row])) {
        duckdb_aggregate_function_set_error(info, kOutOfMemory);
        return;
      }
    }
  }
}

void Combine(duckdb_function_info info, duckdb_aggregate_state* sources, duckdb_aggregate_state* targets, idx_t count) {
  Registration& registration = RegistrationOf(info);
  for (idx_t i = 0; i < count; ++i) {
    if (!AddAll(registration, StateOf(sources[i]), StateOf(targets[i]))) {
      duckdb_aggregate_function_set_error(info, kOutOfMemory);
      return;
    }
  }
}

void Finalize(duckdb_function_info, duckdb_aggregate_state* states, duckdb_vector result, idx_t count, idx_t offset) {
  auto* const counts = static_cast<std::uint32_t*>(duckdb_vector_get_data(result));
  for (idx_t i = 0; i < count; ++i) {
    counts[offset + i] = StateOf(states[i]).count;
  }
}

void Destroy(duckdb_aggregate_state* states, idx_t count) {
  for (idx_t i = 0; i < count; ++i) {
    State& state = StateOf(states[i]);
    if (state.slot_bits != 0) {
      FreeTable(state.table);
      state = State{};
    }
  }
}

bool AddOverload(duckdb_aggregate_function_set set, duckdb_type value_type, std::uint32_t k,
                 std::size_t heap_bytes_max) {
  auto registration = std::make_unique<Registration>();
  registration->k = k;
  registration->heap_bytes_max = heap_bytes_max;
  duckdb_aggregate_function function = duckdb_create_aggregate_function();
  duckdb_aggregate_function_set_name(function, UnitsAtLeastName(k).c_str());
  duckdb_logical_type unit = duckdb_create_logical_type(DUCKDB_TYPE_UINTEGER);
  duckdb_aggregate_function_add_parameter(function, unit);
  if (value_type != DUCKDB_TYPE_INVALID) {
    duckdb_logical_type value = duckdb_create_logical_type(value_type);
    duckdb_aggregate_function_add_parameter(function, value);
    duckdb_destroy_logical_type(&value);
  }
  duckdb_aggregate_function_set_return_type(function, unit);
  duckdb_destroy_logical_type(&unit);
  duckdb_aggregate_function_set_functions(function, StateSize, Init, Update, Combine, Finalize);
  duckdb_aggregate_function_set_destructor(function, Destroy);
  duckdb_aggregate_function_set_extra_info(function, registration.release(),
                                           [](void* info) { delete static_cast<Registration*>(info); });
  const bool added = duckdb_add_aggregate_function_to_set(set, function) == DuckDBSuccess;
  duckdb_destroy_aggregate_function(&function);
  return added;
}

}  // namespace

Status RegisterUnitsAtLeast(Connection& connection, std::uint32_t k, std::size_t heap_bytes_max) {
  GB_ASSERT(k >= 1 && k <= limits::kMinUnitsMax);
  const std::string name = UnitsAtLeastName(k);
  duckdb_aggregate_function_set set = duckdb_create_aggregate_function_set(name.c_str());
  bool registered = true;
  for (const duckdb_type value_type : {DUCKDB_TYPE_INVALID, DUCKDB_TYPE_ANY}) {
    registered = registered && AddOverload(set, value_type, k, heap_bytes_max);
  }
  registered = registered && duckdb_register_aggregate_function_set(
                                 static_cast<duckdb_connection>(connection.NativeHandle()), set) == DuckDBSuccess;
  duckdb_destroy_aggregate_function_set(&set);
  if (!registered) {
    return {ErrorCode::kInternal, "a unit counter cannot be registered"};
  }
  return {};
}

}  // namespace glovebox::engine::duckdb
