#include "client/command/restore_from.hpp"

#include "client/command/trusted_identity.hpp"
#include "common/backupset/identity_objects.hpp"
#include "common/base/error.hpp"

namespace strongroom::client {

namespace {

// After a change of the identity key, the store leads from the one of the recovered home to the others; none
// if there was no change, or the store has no agent.asc. `url`, `as_of`: of that store.
std::optional<backupset::Signers> signers_for(Context& context, storage::ObjectStore& store,
                                              const std::string& url, const std::string& as_of,
                                              const RecoveredHome& recovered) {
    ShownIdentities shown;
    try {
        shown = shown_by_store(context, store, url, as_of, recovered.server);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) throw;  // without agent.asc: the home knows the key
        return std::nullopt;
    }
    if (shown.changes.empty()) return std::nullopt;
    return backupset::signers_of(Identities::follow(shown, recovered.identity, approvers_of(context)));
}

}  // namespace

RestoreFrom restore_from(Context& context, storage::ObjectStore& store, const std::string& url,
                         const std::string& as_of, const RecoveredHome& recovered, const gpg::Home& home,
                         StageProgress& progress) {
    RestoreFrom out{store, recovered, home, 0, {}};
    out.on_progress = [&context, &progress](const backupset::Progress& now) {
        context.check_interrupted();
        progress.update(now.stage, now.plain_bytes, now.total_bytes);
    };
    out.say = [&context](const std::string& line) { context.say(line); };
    out.signers = signers_for(context, store, url, as_of, recovered);
    return out;
}

}  // namespace strongroom::client
