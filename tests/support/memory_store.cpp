#include "tests/support/memory_store.hpp"

#include <cstring>
#include <set>

#include "common/base/error.hpp"

namespace strongroom::test {

void MemoryStore::put(const std::string& key, BytesView bytes) {
    storage::require_valid_key(key);
    const std::lock_guard lock(mutex_);
    objects_[key] = Bytes(bytes);
}

MemFile MemoryStore::get(const std::string& key, std::size_t max) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) throw Error(ErrorKind::not_found, "no object " + key);
    if (found->second.size() > max) throw Error(ErrorKind::corrupt, "object " + key + " is too long");
    MemFile out("object", found->second.size());
    if (!found->second.empty()) std::memcpy(out.data(), found->second.data(), found->second.size());
    return out;
}

std::optional<storage::ObjectInfo> MemoryStore::stat(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return std::nullopt;
    return storage::ObjectInfo{key, found->second.size()};
}

std::vector<storage::ObjectInfo> MemoryStore::list(const std::string& prefix) {
    const std::lock_guard lock(mutex_);
    std::vector<storage::ObjectInfo> out;
    for (const auto& [key, bytes] : objects_)
        if (key.starts_with(prefix)) out.push_back({key, bytes.size()});
    return out;
}

std::vector<std::string> MemoryStore::list_folders(const std::string& prefix) {
    std::set<std::string> names;
    for (const auto& object : list(prefix)) {
        const std::string rest = object.key.substr(prefix.size());
        const auto slash = rest.find('/');
        if (slash != std::string::npos) names.insert(rest.substr(0, slash));
    }
    return {names.begin(), names.end()};
}

void MemoryStore::remove(const std::string& key) {
    const std::lock_guard lock(mutex_);
    objects_.erase(key);
}

}  // namespace strongroom::test
