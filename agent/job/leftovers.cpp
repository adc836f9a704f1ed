#include "agent/job/leftovers.hpp"

#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/gpg/home.hpp"
#include "common/restore/held_folder.hpp"
#include "common/storage/open/open_store.hpp"

namespace strongroom::agent {
namespace {

constexpr std::chrono::seconds patience{30};  // with a store that hangs

}  // namespace

void remove_leftovers(const Host& host) noexcept {
    try {
        const std::size_t homes = gpg::remove_abandoned_homes();
        std::size_t files = remove_abandoned_temporaries(host.state.path());
        const std::size_t dumps = restore::remove_abandoned_folders(host.config.dump.mydumper_folder);
        try {
            const storage::Guard guard{.timeout = patience, .retry = {.attempts = 1}};
            files += storage::open_guarded_store(host.config.store, false, host.config.stores, guard)
                         ->remove_unfinished(host.agent.server + "/");
        } catch (const Error& error) {
            // Put-only credentials may not sweep; that is for the store's own rules then.
            const auto level = error.kind() == ErrorKind::forbidden ? Level::info : Level::warning;
            log_event(level, "AGENT_LEFTOVERS_KEPT", "the store could not be swept: {}", error.text());
        }
        if (homes + files + dumps > 0)
            log_event(
                Level::warning, "AGENT_LEFTOVERS_REMOVED",
                "a process was killed here; {} temporary GnuPG homes, {} temporary files and {} folders "
                "of mydumper were removed",
                homes, files, dumps);
    } catch (const std::exception& error) {
        log_event(Level::warning, "AGENT_LEFTOVERS_KEPT", "{}", error.what());
    }
}

}  // namespace strongroom::agent
