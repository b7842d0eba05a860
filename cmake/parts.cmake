# SPDX-License-Identifier: Apache-2.0
#
# A part is a folder src/NAME: one static library glovebox_NAME, linked to the parts that tools/layers.txt lets it
# include. Sources and tests are found by folder, so that adding a file needs no change here:
#   src/NAME/**.cc                 the part; main.cc is a program's and stays out
#   tests/unit/NAME/**.cc          one GoogleTest program NAME_test, registered as unit.NAME
#   tests/scenarios/runner/*.cc    the program scenario_test, registered as scenarios
#   tests/property/*.cc            the program property_test, registered as property
#   tests/fuzz/NAME_fuzz.cc        a libFuzzer program NAME_fuzz (preset fuzz)
#   bench/NAME_bench.cc            a program NAME_bench (preset release)
# A fuzz or bench program is linked to the parts whose headers it includes.

# Reads the `part` lines of tools/layers.txt: GLOVEBOX_PARTS in order, GLOVEBOX_EDGES_<part> for each.
function(glovebox_read_layers file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} lines REGEX "^part ")
  set(parts "")
  foreach(line ${lines})
    if(NOT line MATCHES "^part +([a-z_]+) *:([a-z_ ]*)$")
      message(FATAL_ERROR "${file}: cannot read '${line}'")
    endif()
    set(part ${CMAKE_MATCH_1})
    string(STRIP "${CMAKE_MATCH_2}" edges)
    separate_arguments(edges)
    list(APPEND parts ${part})
    set(GLOVEBOX_EDGES_${part} "${edges}" PARENT_SCOPE)
  endforeach()
  set(GLOVEBOX_PARTS "${parts}" PARENT_SCOPE)
endfunction()

# A part without sources yet is left out, and so are links to it.
function(glovebox_part name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  if(NOT sources)
    return()
  endif()
  add_library(glovebox_${name} STATIC ${sources})
  target_link_libraries(glovebox_${name} PUBLIC glovebox_flags PRIVATE ${GLOVEBOX_EXTERNAL_${name}})
  foreach(part ${GLOVEBOX_EDGES_${name}})
    if(TARGET glovebox_${part})
      target_link_libraries(glovebox_${name} PUBLIC glovebox_${part})
    endif()
  endforeach()
endfunction()

function(glovebox_unit_test name)
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${name}/*.cc)
  if(tests AND TARGET glovebox_${name})
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE glovebox_${name} GTest::gmock GTest::gtest_main)
    target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR})
    add_test(NAME unit.${name} COMMAND ${name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(unit.${name} PROPERTIES TIMEOUT 600)
  endif()
endfunction()

function(glovebox_scenario_test)
  file(GLOB runner CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/scenarios/runner/*.cc)
  if(runner AND TARGET glovebox_engine)
    add_executable(scenario_test ${runner})
    target_link_libraries(scenario_test PRIVATE glovebox_engine GTest::gtest)
    target_include_directories(scenario_test PRIVATE ${CMAKE_SOURCE_DIR})
    add_test(NAME scenarios COMMAND scenario_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(scenarios PROPERTIES TIMEOUT 600)
  endif()
endfunction()

function(glovebox_property_test)
  file(GLOB properties CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/property/*.cc)
  if(properties AND TARGET glovebox_engine)
    add_executable(property_test ${properties} tests/scenarios/runner/room.cc tests/scenarios/runner/rows.cc
      tests/scenarios/runner/scenario_file.cc)
    target_link_libraries(property_test PRIVATE glovebox_engine rapidcheck GTest::gtest_main)
    target_include_directories(property_test PRIVATE ${CMAKE_SOURCE_DIR})
    # Each property is one thread for minutes: two processes share them, each with a folder for its results.
    foreach(shard RANGE 1)
      add_test(NAME property.${shard} COMMAND property_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
      set_tests_properties(property.${shard} PROPERTIES TIMEOUT 7200
        ENVIRONMENT "GTEST_TOTAL_SHARDS=2;GTEST_SHARD_INDEX=${shard}"
        ENVIRONMENT_MODIFICATION "GTEST_OUTPUT=string_append:shard${shard}/")
    endforeach()
  endif()
endfunction()

# glovebox_programs_in(FOLDER SUFFIX [OPTION...]): every FOLDER/*SUFFIX.cc as a program of its own.
function(glovebox_programs_in folder suffix)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*${suffix}.cc)
  set(programs "")
  foreach(source ${sources})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    get_filename_component(program ${source} NAME_WE)
    add_executable(${program} ${source})
    target_include_directories(${program} PRIVATE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${program} PRIVATE glovebox_flags)
    target_link_options(${program} PRIVATE ${ARGN})
    file(STRINGS ${source} includes REGEX "^#include \"[a-z_]+/")
    foreach(include ${includes})
      string(REGEX REPLACE "^#include \"([a-z_]+)/.*" "\\1" part "${include}")
      if(TARGET glovebox_${part})
        target_link_libraries(${program} PRIVATE glovebox_${part})
      endif()
    endforeach()
    list(APPEND programs ${program})
  endforeach()
  string(REGEX REPLACE ".*/" "" kind ${folder})
  if(programs)
    add_custom_target(all_${kind} DEPENDS ${programs})
  endif()
endfunction()

function(glovebox_program name source part)
  if(TARGET glovebox_${part} AND EXISTS ${CMAKE_SOURCE_DIR}/${source})
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE glovebox_${part})
  endif()
endfunction()
