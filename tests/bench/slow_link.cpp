// bench_slow_link TARGET-PORT DELAY-MS RATE : a link with a delay each way and a rate for each connection
// (tests/support/slow_link.hpp) to a port of this machine. Prints its own port and runs until it is killed,
// or until whoever started it has ended.
#include "tests/support/slow_link.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
    try {
        if (argc != 4) {
            std::cerr << "usage: bench_slow_link TARGET-PORT DELAY-MS BYTES-PER-SECOND\n";
            return 2;
        }
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const strongroom::test::SlowLink link(
            std::stoi(argv[1]),
            {.delay = std::chrono::milliseconds(std::stoll(argv[2])), .rate = std::stoll(argv[3])});
        std::cout << link.port() << std::endl;
        for (;;) ::pause();
    } catch (const std::exception& error) {
        std::cerr << "bench_slow_link: " << error.what() << "\n";
        return 1;
    }
}
