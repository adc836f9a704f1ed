#include "common/backupset/recipients.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "common/backupset/envelope.hpp"
#include "common/backupset/layout.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
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
    std::vector<std::string> sets = store.list_folders(sets_prefix(server));
    std::erase_if(sets, [](const std::string& name) { return !is_set_id(name); });
    std::vector<SetRecipients> out;
    std::exception_ptr failure;
    std::mutex mutex;  // out and failure
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        try {
            for (std::size_t i = next++; i < sets.size(); i = next++) {
                if (!store.stat(manifest_signature_key(server, sets[i]))) continue;
                SetRecipients one = recipients_of(store, server, sets[i]);
                const std::lock_guard lock(mutex);
                if (failure) return;
                out.push_back(std::move(one));
            }
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
        }
    };
    {
        std::vector<std::jthread> workers;
        for (std::size_t i = 0; i < std::min(at_once, sets.size()); ++i) workers.emplace_back(work);
    }
    if (failure) std::rethrow_exception(failure);
    std::ranges::sort(out, {}, &SetRecipients::set);
    return out;
}

}  // namespace strongroom::backupset
