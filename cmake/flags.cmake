# SPDX-License-Identifier: Apache-2.0
# Compiler and linker options that hold for every file of ours, and the sanitizers, which hold for the whole build.

add_library(glovebox_flags INTERFACE)
target_compile_options(glovebox_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough -Wnull-dereference $<$<BOOL:${GLOVEBOX_WERROR}>:-Werror>)
# Every program that may serve is hardened, what ./glovebox runs too. Sanitizers have checks of their own in these places,
# and the C library checks only what is optimised.
if(NOT GLOVEBOX_SANITIZE)
  target_compile_options(glovebox_flags INTERFACE -fstack-protector-strong -fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(glovebox_flags INTERFACE -fcf-protection)
  endif()
  if(NOT CMAKE_CXX_FLAGS MATCHES "-O0")
    target_compile_options(glovebox_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
endif()
# GCC 12 sees overlapping copies in every "text" + std::string that it inlines (GCC bug 105651, fixed in 13).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(glovebox_flags INTERFACE -Wno-restrict)
endif()
target_compile_definitions(glovebox_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(glovebox_flags INTERFACE -Wl,-z,relro,-z,now)
target_link_libraries(glovebox_flags INTERFACE Threads::Threads)

# Paths of this checkout do not belong into binaries, and a compiler cache serves every checkout only without them.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)

if(GLOVEBOX_SANITIZE)
  add_compile_options(-fsanitize=${GLOVEBOX_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${GLOVEBOX_SANITIZE})
endif()
if(GLOVEBOX_SANITIZE STREQUAL "thread")
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-tsan>)  # fences within libraries' headers
  # With what the sanitizer adds between them GCC 12 takes moves of standard strings for dereferences of null.
  target_compile_options(glovebox_flags INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-null-dereference>)
endif()
if(GLOVEBOX_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# The cache for compiled files, shared by all build folders and checkouts of a user.
find_program(GLOVEBOX_CCACHE ccache)
if(GLOVEBOX_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(launcher env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_ABSSTDERR=1 ${GLOVEBOX_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
