// strongroom-agent: see --help.
#include <sys/stat.h>

#include <cstdlib>
#include <iostream>

#include "agent/app.hpp"
#include "common/base/error.hpp"

int main(int argc, char** argv) {
    using namespace strongroom;
    ::umask(077);
    int code = 1;
    try {
        code = agent::run_app(argc, argv);
    } catch (const Error& error) {
        std::cerr << describe("strongroom-agent", error);
        code = exit_code(error.kind());
    } catch (const std::exception& error) {
        std::cerr << describe("strongroom-agent", Error(ErrorKind::internal, error.what()));
    }
    std::cout.flush();
    if (!std::cout && code == 0) code = exit_code(ErrorKind::storage);
    std::_Exit(code);  // the daemon's poller may still sit in a request
}
