# The dispatcher's public key is compiled in. Without STRONGROOM_DISPATCHER_KEY a development key is made once
# in the build folder; the programs refuse it for any address that is not loopback.
set(STRONGROOM_KEY_DIR ${PROJECT_BINARY_DIR}/dispatcher-key)
if(STRONGROOM_DISPATCHER_KEY)
  set(STRONGROOM_KEY_FILE ${STRONGROOM_DISPATCHER_KEY})
  set(STRONGROOM_KEY_IS_DEVELOPMENT false)
else()
  set(STRONGROOM_KEY_FILE ${STRONGROOM_KEY_DIR}/development-public.asc)
  set(STRONGROOM_KEY_IS_DEVELOPMENT true)
  if(NOT EXISTS ${STRONGROOM_KEY_FILE} OR NOT EXISTS ${STRONGROOM_KEY_DIR}/development-secret.asc)
    message(STATUS "Making a development dispatcher key in ${STRONGROOM_KEY_DIR}")
    execute_process(
      COMMAND ${PROJECT_SOURCE_DIR}/cmake/make-development-key.sh ${STRONGROOM_KEY_DIR}
      COMMAND_ERROR_IS_FATAL ANY)
  endif()
  message(STATUS "Dispatcher key: DEVELOPMENT key; the programs will refuse it for non-loopback addresses. "
                 "Use -DSTRONGROOM_DISPATCHER_KEY=dispatcher.asc for production.")
endif()
if(NOT EXISTS ${STRONGROOM_KEY_FILE})
  message(FATAL_ERROR "STRONGROOM_DISPATCHER_KEY: no such file: ${STRONGROOM_KEY_FILE}")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${STRONGROOM_KEY_FILE})
file(READ ${STRONGROOM_KEY_FILE} STRONGROOM_KEY_TEXT)
if(NOT STRONGROOM_KEY_TEXT MATCHES "BEGIN PGP PUBLIC KEY BLOCK")
  message(FATAL_ERROR "STRONGROOM_DISPATCHER_KEY: ${STRONGROOM_KEY_FILE} is not an armored OpenPGP public key")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/dispatcher_key.cpp.in ${STRONGROOM_KEY_DIR}/dispatcher_key.cpp @ONLY)
