// Rotation alone, for tests/bench/rotate.sh: a store with many sets of one server and one rewrap of them all,
// by the engine that the agent uses.
//
//   bench_rotate make HOME STORE SETS ALGORITHM   a key, SETS envelopes with commit records; prints KEY
//   bench_rotate rewrap HOME STORE KEY WORKERS KIND    a new subkey, then the rewrap; prints
//                                                 "SECONDS ENVELOPES PRIVATE-KEY-USES BYTES-WRITTEN"
#include <chrono>
#include <iostream>
#include <thread>

#include "common/backupset/envelope.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/rewrap.hpp"
#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/bulk_cipher.hpp"
#include "common/gpg/keys.hpp"
#include "common/storage/open/open_store.hpp"

namespace {

using namespace strongroom;
constexpr const char* server = "0a1b2c3d-1111-4222-8333-444455556666";

// Envelopes with commit records beside them: all that a rotation reads of a set.
void make_sets(const gpg::Home& home, const std::string& key, storage::ObjectStore& store, int count) {
    const SystemClock clock;
    const std::string subkey = gpg::find_key(home, key).encryption_subkey()->fingerprint;
    const auto envelope = [&](const std::string& set) {
        store.put(backupset::envelope_key(server, set),
                  backupset::make_envelope(home, subkey, gpg::make_data_passphrase()));
        store.put(backupset::manifest_signature_key(server, set), "signature");
    };
    const UtcTime start = clock.now();
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
        threads.emplace_back([&, thread] {
            for (int i = thread; i < count; i += 4) envelope(make_set_id(start - std::chrono::seconds(i)));
        });
}

int run(int argc, char** argv) {
    gpg::initialise();
    const std::string command = argc > 1 ? argv[1] : "";
    if (command == "make" && argc == 6) {
        const gpg::Home home = gpg::Home::create(argv[2]);
        const std::string key = gpg::generate_key(home, "bench@test", argv[5]);
        make_sets(home, key, *storage::open_store(std::string("file://") + argv[3], true),
                  std::stoi(argv[4]));
        std::cout << key << "\n";
        return 0;
    }
    if (command == "rewrap" && argc == 7) {
        const gpg::Home home = gpg::Home::use(argv[2]);
        const auto store = storage::open_store(std::string("file://") + argv[3], false);
        const std::string subkey = gpg::add_encryption_subkey(home, argv[4], argv[6]);
        const auto start = std::chrono::steady_clock::now();
        const auto result = backupset::rewrap_envelopes({server, subkey, std::stoi(argv[5])}, *store, home);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        if (!result.problems.empty()) throw Error(ErrorKind::corrupt, result.problems.front().text);
        std::cout << took.count() << " " << result.rewrapped << " " << result.private_key_uses << " "
                  << result.bytes_written << "\n";
        return 0;
    }
    std::cerr << "usage: see the head of rotate.cpp\n";
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "bench_rotate: " << error.what() << "\n";
        return 1;
    }
}
