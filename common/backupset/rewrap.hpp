// Rewrap: every envelope of a server is opened and written again for another decryption subkey; the data
// stays untouched. What rotation of keys costs: one small object for each set, whatever its size.
//
// One envelope: get -> open -> encrypt to the new subkey -> open that again and compare -> put -> get and
// compare bytes. So nothing is replaced by what was not proven to open, and after a crash at any point each
// set has an envelope that opens, by the old subkey or the new. Running it again does what is left; an
// envelope that is for the new subkey already is opened too, so that a run that ends without problems has
// proven every set.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

struct RewrapOptions {
    std::string server;  // UUID
    std::string subkey;  // fingerprint of the subkey that all envelopes shall be for
    int workers = 0;     // 0: twice the cores (a worker mostly waits for gpg and the store)
};

// A set whose envelope could not be rewrapped; it is as it was before.
struct RewrapProblem {
    std::string set;
    std::string text;
};

struct RewrapResult {
    std::size_t sets = 0;              // with an envelope
    std::size_t rewrapped = 0;         // written by this run
    std::size_t bytes_written = 0;     // of their envelopes
    std::size_t private_key_uses = 0;  // decryptions by gpg
    std::vector<RewrapProblem> problems;
};

// Called from worker threads, one call at a time. Throwing from it ends the work with that error.
using OnRewrap = std::function<void(std::size_t done, std::size_t total)>;

// `home` holds the secrets of the old subkeys and of the new one. Sets without a commit record count only as
// far as they have a sound envelope. Damage of a set (no envelope, one that opens with no key of `home`, one
// that holds the passphrase of another set) is a problem in the result, and the others go on; what the store
// or gpg as a whole refuses is thrown, and a request on `stop` ends with Error{interrupted}.
RewrapResult rewrap_envelopes(const RewrapOptions& options, storage::ObjectStore& store,
                              const gpg::Home& home, const std::stop_token& stop = {},
                              const OnRewrap& on_progress = {});

}  // namespace strongroom::backupset
