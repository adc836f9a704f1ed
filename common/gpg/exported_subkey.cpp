#include "common/gpg/exported_subkey.hpp"

#include <sstream>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/home.hpp"
#include "common/gpg/packets.hpp"

namespace strongroom::gpg {
namespace {

constexpr std::size_t max_export_packets = 64;  // keys, user id, self-signatures

[[noreturn]] void refuse_export(const std::string& text) {
    throw Error(ErrorKind::crypto, "the export of the decryption subkey " + text);
}

// doc/DETAILS of GnuPG, "GNU extensions to the S2K algorithm": specifier 101, a hash octet, "GNU", and 1 for
// a key whose secret part is left out. Nothing follows in such a packet.
bool take_is_stub(Bytes& body) {
    const bool stub = body.ends_with("GNU\x01");
    Secret::wipe(body);
    return stub;
}

// The fingerprints in the order of the keys, from gpg's own reading ("fpr" records of --with-colons).
std::vector<std::string> fingerprints(const Secret& exported) {
    const TempHome scratch(HomeFor::public_keys);
    SpawnOptions spawn;
    spawn.argv = {engine_path().string(),
                  "--homedir",
                  scratch.home().path().string(),
                  "--no-options",
                  "--no-keyring",
                  "--no-autostart",
                  "--batch",
                  "--no-tty",
                  "--quiet",
                  "--with-colons",
                  "--import-options",
                  "show-only",
                  "--import"};
    const RunResult result = run_program(std::move(spawn), exported.reveal());
    if (!result.status.ok()) refuse_export("cannot be read back: gpg: " + result.status.describe());
    std::vector<std::string> out;
    std::istringstream lines(result.out);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("fpr:")) continue;
        line.pop_back();
        out.push_back(line.substr(line.rfind(':') + 1));
    }
    return out;
}

}  // namespace

void require_only_secret_subkey(const Secret& exported, const std::string& identity,
                                const std::string& subkey) {
    int primaries = 0;
    int subkeys = 0;
    for (Packet& packet : read_packets(exported.reveal(), max_export_packets)) {
        if (packet.tag == tag_secret_key) {
            ++primaries;
            if (!take_is_stub(packet.body))
                refuse_export("also holds the secret identity key; nothing was deposited");
        } else if (packet.tag == tag_secret_subkey) {
            ++subkeys;
            if (take_is_stub(packet.body)) refuse_export("does not hold the subkey's secret");
        }
    }
    if (primaries != 1 || subkeys != 1)
        refuse_export("holds " + std::to_string(primaries) + " primary keys and " + std::to_string(subkeys) +
                      " secret subkeys instead of one of each");
    if (fingerprints(exported) != std::vector{identity, subkey}) refuse_export("holds another key");
}

}  // namespace strongroom::gpg
