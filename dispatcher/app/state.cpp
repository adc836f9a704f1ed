#include "dispatcher/app/state.hpp"

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::dispatcher {
namespace fs = std::filesystem;

State open_state(const fs::path& folder) {
    State state(fs::absolute(folder));
    if (!fs::exists(state.database))
        throw Error(ErrorKind::not_found, "there is no dispatcher in " + folder.string(),
                    "Make one with: strongroom-dispatcher --state-dir " + folder.string() + " init");
    make_private_dir(state.folder);  // checks it
    return state;
}

std::string read_own_fingerprint(const State& state) {
    const Bytes text = read_file(state.public_key, gpg::max_public_key);
    const std::string fingerprint = gpg::inspect_public_key(text).fingerprint;
    const gpg::Key key = gpg::find_key(gpg::Home::use(state.home), fingerprint, true);
    if (key.subkeys.empty() || !key.subkeys.front().secret)
        throw Error(ErrorKind::crypto,
                    "the secret key of " + fingerprint + " is not in " + state.home.string(),
                    "Restore the folder from its backup.");
    return fingerprint;
}

}  // namespace strongroom::dispatcher
