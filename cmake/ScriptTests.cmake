# Shell tests with the real programs: every *_test.sh of the calling folder is one CTest. They source tests/e2e/lab.sh.
# LONG names those that begin before all others, so that none of them runs on alone at the end: a fresh clone has no times of
# former runs to order tests by.
function(strongroom_script_tests label)
  cmake_parse_arguments(ARG "" "TIMEOUT" "LONG" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.sh)
  foreach(script IN LISTS scripts)
    get_filename_component(name ${script} NAME_WE)
    add_test(NAME ${label}/${name} COMMAND bash ${script})
    set_tests_properties(${label}/${name} PROPERTIES LABELS ${label} TIMEOUT ${ARG_TIMEOUT}
      ENVIRONMENT "STRONGROOM_BIN=${PROJECT_BINARY_DIR}/bin;STRONGROOM_KEYS=${STRONGROOM_KEY_DIR};STRONGROOM_FAULTY_CALLS=${PROJECT_BINARY_DIR}/tests/libstrongroom_faulty_calls.so")
  endforeach()
  set(cost 1000)
  foreach(name IN LISTS ARG_LONG)
    set_tests_properties(${label}/${name} PROPERTIES COST ${cost})
    math(EXPR cost "${cost} - 1")
  endforeach()
endfunction()
