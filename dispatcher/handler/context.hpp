// What a handler works with. A handler is a function Input -> Output for one message; it runs inside one
// transaction, knows nothing of sockets, SQL or OpenPGP messages, and throws Error to refuse: then nothing
// happened.
#pragma once

#include <string>
#include <vector>

#include "common/gpg/keys.hpp"
#include "dispatcher/auth/admission.hpp"
#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

struct ChallengeDraft;
struct IdentityProof;

struct Context {
    Transaction& tx;
    const Admission& caller;  // proven; read anew in this transaction
    const gpg::Key* key;      // of a registration or a rotation, inspected and proven; otherwise nullptr
    UtcTime now;
    std::chrono::milliseconds lease;            // how long a silent agent keeps its job
    std::vector<std::string>& wake;             // servers that have work now; woken after the commit
    const ChallengeDraft* challenge = nullptr;  // of escrow.challenge, made before the transaction
    const IdentityProof* identity = nullptr;    // of identity.change, verified before the transaction

    std::int64_t now_ms() const { return to_millis(now); }
    // The calling user or agent. Only for routes of that role.
    const User& user() const { return *caller.user; }
    const Server& server() const { return *caller.server; }
    // Writes to the owner's audit log, in the same transaction.
    void audit(const std::string& action, const std::string& object, const std::string& text) const;
};

// Ownership (S16), apart from authentication. Each throws the same Error{forbidden} for an object that does
// not exist and for one of somebody else, so that ids cannot be probed.
Server owned_server(const Context& context, const std::string& uuid);  // of the calling user
Job owned_job(const Context& context, const std::string& id);  // of the calling user, or the calling agent

// Sets that are gone from the store are no longer listed, and that is audited. Returns how many were. Whether
// they are gone, only the user and the agent know: an untrue word changes that user's list alone.
std::int64_t forget_backups(const Context& context, const std::string& server,
                            const std::vector<std::string>& sets);

}  // namespace strongroom::dispatcher
