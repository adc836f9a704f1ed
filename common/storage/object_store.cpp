#include "common/storage/object_store.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"

namespace strongroom::storage {
namespace {

constexpr std::size_t max_key = 512;

bool is_key_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

// Dots in front are refused as a whole: that covers "." and "..", and keeps stores free to use such names for
// what is not an object yet.
bool is_valid_part(std::string_view part) {
    return !part.empty() && part.front() != '.' && std::ranges::all_of(part, is_key_character);
}

}  // namespace

bool is_valid_key(std::string_view key) {
    bool valid = !key.empty() && key.size() <= max_key;
    for (std::size_t start = 0; valid && start <= key.size();) {
        const std::size_t end = std::min(key.find('/', start), key.size());
        valid = is_valid_part(key.substr(start, end - start));
        start = end + 1;
    }
    return valid;
}

void require_valid_prefix(std::string_view prefix) {
    if (prefix.empty()) return;
    if (prefix.back() != '/')
        throw Error(ErrorKind::storage, "the prefix " + printable_line(prefix, 80) + " must end with '/'");
    require_valid_key(prefix.substr(0, prefix.size() - 1));
}

void require_valid_key(std::string_view key) {
    if (!is_valid_key(key))
        throw Error(ErrorKind::storage, "not a valid object key: \"" + printable_line(key, 80) + "\"");
}

void ObjectStore::try_remove(const std::string& key) noexcept {
    try {
        remove(key);
    } catch (const std::exception&) {
        // The caller has a better error, or needs none.
    }
}

bool ObjectStore::check_writable(const std::string& prefix) {
    const std::string key = prefix + "writable-probe";  // the same each time: it may not be removable
    const Bytes probe = random_bytes(64);
    const std::string context = "the store " + label() + " cannot be written";
    try {
        put(key, probe);
        MemFile back("probe");
        try {
            get_into(key, probe.size(), back);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::forbidden) throw;
            try_remove(key);
            return false;
        }
        if (back.view() != probe)
            throw Error(ErrorKind::storage, "object " + key + " reads back with other bytes");
        remove(key);
        if (stat(key)) throw Error(ErrorKind::storage, "object " + key + " is still there after its removal");
        return true;
    } catch (const Error& error) {
        try_remove(key);
        throw Error(ErrorKind::storage, context + ": " + error.text(),
                    error.hint().empty() ? "Check that this user may write there and that there is room."
                                         : error.hint());
    }
}

KeptVersions ObjectStore::kept_versions(const std::string&) {
    return {};
}

std::size_t network_transfers(std::int64_t connections, std::size_t workers) {
    if (connections > 0) return static_cast<std::size_t>(connections);
    return std::max<std::size_t>(4, 2 * workers);
}

}  // namespace strongroom::storage
