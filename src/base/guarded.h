// SPDX-License-Identifier: Apache-2.0
//
// For the loops that must go on whatever one of their tasks does: our functions return errors, and what throws all the
// same (memory, a library) becomes INTERNAL_ERROR instead of the end of the process.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.h"

namespace glovebox {

// What `function`, which returns a Status or a Result, returns. `what` names it in the message, which carries no more:
// the text of a foreign exception may hold anything.
template <typename Function>
std::invoke_result_t<Function&> RunGuarded(std::string_view what, Function&& function) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return Status(ErrorCode::kInternal, std::string(what) + " ran out of memory.");
  } catch (const std::exception&) {
    return Status(ErrorCode::kInternal, std::string(what) + " threw an exception.");
  }
}

}  // namespace glovebox
