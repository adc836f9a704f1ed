# Everything comes from Debian 12 (deploy/install-deps.sh lists the packages).
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(pugixml REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(Catch2 2 REQUIRED)
find_package(Gpgmepp REQUIRED)  # GPGME's own C++ binding
pkg_check_modules(GPGME REQUIRED IMPORTED_TARGET gpgme)
pkg_check_modules(GPG_ERROR REQUIRED IMPORTED_TARGET gpg-error)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(QRENCODE REQUIRED IMPORTED_TARGET libqrencode)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)

# libharu has neither a pkg-config file nor a CMake configuration.
find_library(HPDF_LIBRARY hpdf REQUIRED)
find_path(HPDF_INCLUDE hpdf.h REQUIRED)
add_library(hpdf INTERFACE IMPORTED)
target_include_directories(hpdf SYSTEM INTERFACE ${HPDF_INCLUDE})
target_link_libraries(hpdf INTERFACE ${HPDF_LIBRARY})

# SOCI 4.0.3 ships no CMake configuration in Debian.
add_library(soci INTERFACE IMPORTED)
target_include_directories(soci SYSTEM INTERFACE /usr/include/soci)
target_link_libraries(soci INTERFACE soci_core soci_sqlite3 SQLite::SQLite3)
