// A server with a real (ed25519) key, and a store in memory: what tests of backup sets start from.
#pragma once

#include <string>

#include "common/backupset/layout.hpp"
#include "common/backupset/opener.hpp"
#include "common/backupset/sealer.hpp"
#include "common/backupset/set_list.hpp"
#include "common/backupset/verifier.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/home.hpp"
#include "common/gpg/keys.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/streams.hpp"

namespace strongroom::test {

struct SetBench {
    SetBench() {
        gpg::initialise();
        identity = gpg::generate_key(temp_home.home(), server + "@agents.test", "ed25519");
    }

    const gpg::Home& home() const { return temp_home.home(); }

    backupset::SealOptions options(std::int64_t segment_size = 4096) const {
        backupset::SealOptions out;
        out.server = server;
        out.identity = identity;
        out.stream = "raw";
        out.source_tool = "test";
        out.source_version = "test 1.0";
        out.segment_size = segment_size;
        out.workers = 3;
        return out;
    }
    // Each set is one second younger than the one before.
    std::string next_set() {
        clock.advance(std::chrono::seconds(1));
        return make_set_id(clock.now());
    }
    backupset::Manifest seal(const Bytes& plain, const backupset::SealOptions& with) {
        BufferSource source(plain);
        return backupset::seal(with, next_set(), source, store, home(), clock);
    }
    backupset::Manifest seal(const Bytes& plain) { return seal(plain, options()); }
    backupset::Manifest read(const std::string& set) {
        return backupset::read_manifest(store, server, set, home(), identity);
    }
    std::vector<backupset::SetInfo> list() { return backupset::list_sets(store, server, home(), identity); }

    gpg::TempHome temp_home;
    std::string server = random_uuid();
    std::string identity;
    MemoryStore store;
    FakeClock clock;
};

}  // namespace strongroom::test
