// The phases of the dispatcher's benchmark; each prints its figures.
#pragma once

#include "tests/bench/dispatcher_site.hpp"

namespace strongroom::bench {

struct Sizes {
    int agents = 10'000;        // that wait at once
    int registrations = 5'000;  // servers that are there when the last registrations are measured
    int jobs = 10'000;
    int callers = 32;  // of the store at once, when jobs are handed out
    int threads = 4;   // of the bare GPGME loop: as many as the dispatcher has
};

void measure_jobs(const std::filesystem::path& folder, const Sizes& sizes);
void measure_registration(Site& site, const Sizes& sizes);
void measure_sealed(Site& site, const Sizes& sizes);
void measure_flood(Site& site);
void measure_waiting(Site& site, const Sizes& sizes);  // and waking, and the restart

// What the bare GPGME loop does for each message: (sealed bytes, sender's fingerprint).
struct BareWork {
    std::string own_home;
    std::string own;    // fingerprint
    std::string peers;  // folder of the peers' homes
    std::string reply;  // plain
    std::vector<std::pair<std::string, std::string>> messages;
};
double bare_rate(const BareWork& work, int threads);  // messages a second

}  // namespace strongroom::bench
