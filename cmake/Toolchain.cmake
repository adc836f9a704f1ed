set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
find_package(Threads REQUIRED)
add_library(strongroom_warnings INTERFACE)
target_compile_options(strongroom_warnings INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wpedantic
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # false about std::string concatenation (GCC bug 105651)
if(CMAKE_UNITY_BUILD)
  target_compile_options(strongroom_warnings INTERFACE -Wno-subobject-linkage)  # takes the files that are included for headers
endif()

add_compile_definitions(STRONGROOM_VERSION="${PROJECT_VERSION}")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-fstack-protector-strong)
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
if(STRONGROOM_SANITIZE)
  add_compile_options(-fsanitize=${STRONGROOM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${STRONGROOM_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)  # false with sanitizers in g++ 12
  endif()
  if(STRONGROOM_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-tsan)  # Asio's fences; its mutexes order the same things
  endif()
endif()
if(STRONGROOM_FUZZ)  # coverage feedback everywhere; tests/fuzz links libFuzzer itself
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
