# SPDX-License-Identifier: Apache-2.0
# Foreign libraries. A header of one of these appears in one folder of src/ only (tools/layers.txt).
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(GTest 1.12 REQUIRED)
if(GLOVEBOX_TESTS)
  find_package(rapidcheck REQUIRED)
endif()
find_package(Boost 1.81 REQUIRED COMPONENTS json)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
add_library(sodium ALIAS PkgConfig::SODIUM)
add_library(seccomp ALIAS PkgConfig::SECCOMP)
add_library(utf8proc ALIAS PkgConfig::UTF8PROC)
add_library(boost_headers ALIAS Boost::headers)

# DuckDB: the official shared library and its C header, unpacked by ./glovebox into build/deps/duckdb.
set(GLOVEBOX_DUCKDB_DIR ${CMAKE_SOURCE_DIR}/build/deps/duckdb CACHE PATH "libduckdb.so and duckdb.h")
add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION ${GLOVEBOX_DUCKDB_DIR}/libduckdb.so
  INTERFACE_INCLUDE_DIRECTORIES ${GLOVEBOX_DUCKDB_DIR})
if(NOT EXISTS ${GLOVEBOX_DUCKDB_DIR}/libduckdb.so)
  message(FATAL_ERROR "${GLOVEBOX_DUCKDB_DIR}/libduckdb.so is missing: run ./glovebox once, it fetches what is needed")
endif()

# Programs find libduckdb.so relative to themselves, so that a checkout can be moved with its build folders.
file(RELATIVE_PATH GLOVEBOX_DUCKDB_RELATIVE ${CMAKE_BINARY_DIR} ${GLOVEBOX_DUCKDB_DIR})
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH "$ORIGIN/${GLOVEBOX_DUCKDB_RELATIVE}")
