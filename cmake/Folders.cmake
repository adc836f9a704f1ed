# One library per folder: every *.cpp directly in it. LINK names the lower folders and outside libraries.
# The preset release compiles the files of a folder six at a time (a whole build takes a third less); APART compiles each
# by itself, where each file of a folder has the same local names by design.
function(strongroom_library name)
  cmake_parse_arguments(ARG "APART" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(sources)
    add_library(strongroom_${name} STATIC ${sources})
    target_include_directories(strongroom_${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(strongroom_${name} PUBLIC ${ARG_LINK} PRIVATE strongroom_warnings)
    if(ARG_APART)
      set_target_properties(strongroom_${name} PROPERTIES UNITY_BUILD OFF)
    endif()
  else()
    add_library(strongroom_${name} INTERFACE)
    target_include_directories(strongroom_${name} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(strongroom_${name} INTERFACE ${ARG_LINK})
  endif()
endfunction()

# A program: main.cpp of this folder over the folder's library. All programs land in <build>/bin.
function(strongroom_program program)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${program} main.cpp)
  target_link_libraries(${program} PRIVATE ${ARG_LINK} strongroom_warnings)
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# Tests of one label for one folder: every *.cpp directly in the calling folder is one Catch2 program.
# LONG: they begin before others (ScriptTests.cmake says why).
# strongroom_tests(unit common_base LINK strongroom_base [TIMEOUT 60] [SERIAL] [LONG])
function(strongroom_tests label name)
  cmake_parse_arguments(ARG "SERIAL;LONG" "TIMEOUT" "LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(target ${label}_${name})
  add_executable(${target} ${sources})
  target_link_libraries(${target} PRIVATE ${ARG_LINK} strongroom_catch_main strongroom_test_support strongroom_warnings)
  target_compile_definitions(${target} PRIVATE
    STRONGROOM_SOURCE_DIR="${PROJECT_SOURCE_DIR}" STRONGROOM_BIN_DIR="${PROJECT_BINARY_DIR}/bin")
  # A test waits for processes, not for its own code: it is compiled with less care and in larger pieces, which takes a third
  # of the time.
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests UNITY_BUILD_BATCH_SIZE 16)
  set(begins)
  if(ARG_LONG)
    set(begins COST 900)
  endif()
  catch_discover_tests(${target} TEST_PREFIX "${label}/${name}: "
    PROPERTIES LABELS ${label} TIMEOUT ${ARG_TIMEOUT} RUN_SERIAL $<BOOL:${ARG_SERIAL}> ${begins})
endfunction()
