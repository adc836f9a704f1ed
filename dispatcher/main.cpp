#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <exception>
#include <iostream>

#include "common/base/error.hpp"
#include "dispatcher/command/command_line.hpp"

namespace {

using namespace strongroom;

int report(const Error& error) {
    std::cerr << describe(dispatcher::program_name, error);
    return exit_code(error.kind());
}

}  // namespace

int main(int argc, char** argv) {
    ::umask(077);
    const rlimit no_core{0, 0};  // no secret reaches a core file (S25)
    ::setrlimit(RLIMIT_CORE, &no_core);
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return dispatcher::run_command(argc, argv);
    } catch (const Error& error) {
        return report(error);
    } catch (const std::exception& error) {
        return report(Error(ErrorKind::internal, error.what()));
    }
}
