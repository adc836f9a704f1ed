// The JSON files that a program reads back from its own folders: known servers and recovered homes of the
// client, the agent's records. They lie in private folders; a damaged one must be refused, not half believed.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/state/records.hpp"
#include "client/known_servers/known_servers.hpp"
#include "client/recovery/recover.hpp"
#include "common/backupset/escrow_index.hpp"
#include "common/base/ids.hpp"
#include "proto/dispatcher_pins.hpp"
#include "proto/statement_messages.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace strongroom::fuzz {
namespace {

namespace fs = std::filesystem;

// In memory, so that a file costs microseconds; one folder for each process.
const fs::path& folder() {
    static const struct Folder {
        fs::path path = "/dev/shm/srf." + std::to_string(::getpid());
        Folder() { fs::create_directory(path), fs::permissions(path, fs::perms::owner_all); }
        ~Folder() {
            std::error_code ignored;
            fs::remove_all(path, ignored);
        }
    } made;
    return made.path;
}

void write(const fs::path& file, BytesView bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
}

void read_known_servers(BytesView input) {
    const fs::path file = folder() / "known-servers.json";
    write(file, input);
    accepts([&] {
        client::KnownServers known(file);
        const std::string fresh = random_uuid();
        const std::string identity(40, 'A');
        require(!known.identity_of(fresh), "a server that was never seen is not known");
        known.pin(fresh, identity, from_millis(0));
        const client::KnownServers again(file);
        require(again.identity_of(fresh) == identity, "what was pinned is read back");
        require(!accepts([&] { again.check(fresh, std::string(40, 'B')); }), "another key is refused");
    });
}

void read_recovered_home(BytesView input) {
    const std::string server = "11111111-1111-4111-8111-111111111111";
    write(folder() / "server.json", input);
    accepts([&] {
        const auto home = client::open_recovered_home(folder(), server);
        require(home.server == server && is_fingerprint(home.identity), "the home is of this server");
        for (const auto& subkey : home.subkeys) require(is_fingerprint(subkey), "subkeys are fingerprints");
    });
}

template <class T>
void read_record(const Json& json) {
    T value;
    if (!accepts([&] { value = from_json<T>(json); })) return;
    require(to_json(value) == json, "a record that was accepted is written as it was read");
}

}  // namespace

void fuzz(BytesView input) {
    read_known_servers(input);
    read_recovered_home(input);
    Json json;
    if (!accepts([&] { json = parse_json(input, 16U << 20U); })) return;
    read_record<agent::AgentRecord>(json);
    read_record<agent::EscrowState>(json);
    read_record<agent::RecoveryState>(json);
    read_record<agent::KeyState>(json);
    read_record<backupset::EscrowIndex>(json);
    read_record<proto::RecoveryKeysStatement>(json);
    read_record<agent::ScheduleState>(json);
    read_record<agent::RunState>(json);
    read_record<agent::Begun>(json);
    read_record<proto::PinnedKeys>(json);
}

}  // namespace strongroom::fuzz
