#include "common/backupset/recipients.hpp"

#include <algorithm>
#include <mutex>

#include "common/backupset/envelope.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/error.hpp"
#include "common/base/shared_work.hpp"
#include "common/gpg/packets.hpp"

namespace strongroom::backupset {
namespace {

constexpr std::size_t at_once = 8;  // a store over a network is mostly waiting

SetRecipients recipients_of(storage::ObjectStore& store, const std::string& server, const std::string& set) {
    SetRecipients out{set, {}, {}};
    try {
        out.key_ids = gpg::recipient_key_ids(store.get(envelope_key(server, set), max_envelope).view());
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found && error.kind() != ErrorKind::corrupt &&
            error.kind() != ErrorKind::crypto)
            throw;
        out.problem = error.text();
    }
    return out;
}

}  // namespace

std::vector<SetRecipients> list_recipients(storage::ObjectStore& store, const std::string& server) {
    const auto sets = all_folders(store, server);
    std::vector<SetRecipients> out;
    std::mutex mutex;  // out
    SharedWork shared(sets.size());
    shared.run(at_once, [&] {
        while (const auto i = shared.next()) {
            if (!is_committed(store, server, sets[*i])) continue;
            SetRecipients one = recipients_of(store, server, sets[*i]);
            const std::lock_guard lock(mutex);
            out.push_back(std::move(one));
        }
    });
    std::ranges::sort(out, {}, &SetRecipients::set);
    return out;
}

}  // namespace strongroom::backupset
