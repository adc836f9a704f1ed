// bench_dispatcher: drives a real dispatcher process on loopback. tests/bench/dispatcher.sh calls it.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include "common/base/file.hpp"
#include "tests/bench/dispatcher_phases.hpp"

namespace {

using namespace strongroom;
using namespace strongroom::bench;

int usage() {
    std::cerr
        << "usage: bench_dispatcher PROGRAM FOLDER [--keys N] [--agents N] [--registrations N] [--jobs N]\n"
           "       [--threads N] [--only jobs|register|sealed|flood|wait]...\n";
    return 2;
}

int run(int argc, char** argv) {
    if (argc < 3) return usage();
    const std::string program = argv[1];
    const std::filesystem::path folder = argv[2];
    Sizes sizes;
    int keys = 200;
    std::string only;
    for (int i = 3; i + 1 < argc; i += 2) {
        const std::string option = argv[i];
        const std::string value = argv[i + 1];
        if (option == "--keys")
            keys = std::stoi(value);
        else if (option == "--agents")
            sizes.agents = std::stoi(value);
        else if (option == "--registrations")
            sizes.registrations = std::stoi(value);
        else if (option == "--jobs")
            sizes.jobs = std::stoi(value);
        else if (option == "--threads")
            sizes.threads = std::stoi(value);
        else if (option == "--only")
            only += " " + value + " ";
        else
            return usage();
    }
    const auto wanted = [&](const std::string& phase) {
        return only.empty() || only.find(" " + phase + " ") != std::string::npos;
    };
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < static_cast<rlim_t>(sizes.agents) + 1000)
        note("only " + std::to_string(files.rlim_cur) + " descriptors are allowed: fewer agents can wait");

    gpg::initialise();
    make_private_dir(folder);
    if (wanted("jobs")) measure_jobs(folder, sizes);
    Site site(folder, program, keys);
    // The other phases need registered agents.
    if (wanted("register") || wanted("sealed") || wanted("flood") || wanted("wait"))
        measure_registration(site, sizes);
    if (wanted("sealed")) measure_sealed(site, sizes);
    if (wanted("flood")) measure_flood(site);
    if (wanted("wait")) measure_waiting(site, sizes);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    ::umask(077);
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return run(argc, argv);
    } catch (const Error& error) {
        std::cerr << "bench_dispatcher: " << error.text() << "\n";
    } catch (const std::exception& error) {
        std::cerr << "bench_dispatcher: " << error.what() << "\n";
    }
    return 1;
}
