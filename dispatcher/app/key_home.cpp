#include "dispatcher/app/key_home.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::dispatcher {

bool has_secret_key(const gpg::Home& home, const std::string& fingerprint) {
    return std::ranges::any_of(gpg::list_keys(home, true), [&](const gpg::Key& key) {
        return key.fingerprint == fingerprint && !key.subkeys.empty() && key.subkeys.front().secret;
    });
}

void remove_secret_key(const gpg::Home& home, const std::string& fingerprint) {
    if (!is_fingerprint(fingerprint)) throw Error(ErrorKind::internal, "no fingerprint to remove");
    if (!has_secret_key(home, fingerprint)) return;
    const auto result =
        run_program({.argv = {gpg::engine_path().string(), "--homedir", home.path().string(), "--batch",
                              "--no-tty", "--yes", "--delete-secret-keys", fingerprint},
                     .fds = {},
                     .environment = {},
                     .directory = {}});
    if (!result.status.ok() || has_secret_key(home, fingerprint))
        throw Error(ErrorKind::crypto, "gpg did not remove the secret key " + fingerprint + " (" +
                                           result.status.describe() +
                                           "): " + printable_line(result.err, 300));
}

Secret export_own_keys(const gpg::Home& home, const OwnKeys& keys) {
    std::string all;
    const auto add = [&](const std::string& fingerprint) {
        all += gpg::export_secret_key(home, fingerprint).reveal();
    };
    all.reserve(1U << 18U);  // no copy is left behind by growing
    add(keys.current);
    if (!keys.next.empty()) add(keys.next);
    for (const auto& fingerprint : keys.former)
        if (has_secret_key(home, fingerprint)) add(fingerprint);
    return Secret(std::move(all));
}

std::vector<std::string> import_own_keys(const gpg::Home& home, const Secret& exported) {
    constexpr std::string_view begin = "-----BEGIN PGP PRIVATE KEY BLOCK-----";
    std::vector<std::string> out;
    const std::string_view text = exported.reveal();
    for (auto at = text.find(begin); at != std::string_view::npos;) {
        const auto end = text.find(begin, at + begin.size());
        out.push_back(gpg::import_secret_key(home, Secret(std::string(text.substr(at, end - at)))));
        at = end;
    }
    if (out.empty()) throw Error(ErrorKind::corrupt, "it holds no secret key");
    return out;
}

}  // namespace strongroom::dispatcher
