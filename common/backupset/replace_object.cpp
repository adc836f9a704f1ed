#include "common/backupset/replace_object.hpp"

namespace strongroom::backupset {

bool is_about_one_set(ErrorKind kind) {
    return kind == ErrorKind::corrupt || kind == ErrorKind::crypto || kind == ErrorKind::not_found;
}

void replace_object(storage::ObjectStore& store, const std::string& what, const std::string& key,
                    BytesView before, BytesView fresh, std::size_t max) {
    store.put(key, fresh);
    try {
        if (store.get(key, max).view() == fresh) return;
    } catch (const Error& error) {
        if (!is_about_one_set(error.kind())) throw;
    }
    store.put(key, before);
    throw Error(ErrorKind::storage,
                "the " + what + " " + key + " reads back with other bytes than were written",
                "The old one was written back. Check the store " + store.label() + ".");
}

}  // namespace strongroom::backupset
