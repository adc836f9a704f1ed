// After a change of the identity key: the manifests that the former key signed get the new key's signature.
// No manifest changes, only the detached signature beside it.
//
// One manifest: get signature and manifest -> verify (a key whose signature still counts for this set) ->
// sign
// -> verify -> put -> get and compare. A crash leaves each set with one signature or the other, both of which
// readers accept; running it again does what is left.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/backupset/signers.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

struct ResignProblem {
    std::string set;
    std::string text;
};

struct ResignResult {
    std::size_t sets = 0;  // that are signed by the key in use now
    std::size_t signed_anew = 0;
    std::vector<ResignProblem> problems;  // sets that were not trusted before either; they stay as they are
};

// Called from worker threads, one call at a time. Throwing from it ends the work with that error.
using OnResign = std::function<void(std::size_t done, std::size_t total)>;

// `signers.home` holds the secret of the key in use. Throws what the store or gpg as a whole refuses
// (Error{forbidden}: these credentials may not read manifests), and Error{interrupted} on `stop`.
ResignResult resign_manifests(const std::string& server, const Signers& signers, storage::ObjectStore& store,
                              int workers, const std::stop_token& stop = {},
                              const OnResign& on_progress = {});

}  // namespace strongroom::backupset
