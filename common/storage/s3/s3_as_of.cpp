#include "common/storage/s3/s3_as_of.hpp"

#include <set>

#include "common/base/error.hpp"
#include "common/storage/s3/s3_versions.hpp"

namespace strongroom::storage {
namespace {

[[noreturn]] void refuse_write(const std::string& key) {
    throw Error(ErrorKind::refused, "object " + key + ": the past of a store cannot be changed");
}

}  // namespace

S3AsOfStore::S3AsOfStore(const std::string& url, S3Settings settings, UtcTime moment)
    : client_(url, std::move(settings)), moment_(moment + std::chrono::milliseconds(999)) {}

std::string S3AsOfStore::label() const {
    return client_.address().label() + " as of " + format_utc(moment_);
}

S3AsOfStore::Snapshot S3AsOfStore::take_snapshot(const std::string& folder) {
    const std::string root = client_.address().prefix();
    std::map<std::string, S3Version> newest;  // of those that were there at the moment
    for_each_version(client_, folder, [&](S3Version& version) {
        if (version.modified > moment_) return;
        const std::string key = version.key.substr(root.size());
        const auto known = newest.find(key);
        // The server lists the newest first; of two with one time the first stays.
        if (known == newest.end() || known->second.modified < version.modified)
            newest.insert_or_assign(key, std::move(version));
    });
    Snapshot out;
    for (const auto& [key, version] : newest)
        if (!version.deleted) out[key] = {version.id, static_cast<std::size_t>(version.size)};
    return out;
}

const S3AsOfStore::Snapshot& S3AsOfStore::snapshot_for(const std::string& key_or_prefix) {
    const auto slash = key_or_prefix.find('/');
    const std::string folder = slash == std::string::npos ? "" : key_or_prefix.substr(0, slash + 1);
    const std::lock_guard lock(mutex_);
    auto found = snapshots_.find(folder);
    if (found == snapshots_.end()) found = snapshots_.emplace(folder, take_snapshot(folder)).first;
    return found->second;  // a map's values stay where they are
}

MemFile S3AsOfStore::get(const std::string& key, std::size_t max) {
    MemFile out("object");
    get_into(key, max, out);
    return out;
}

void S3AsOfStore::get_into(const std::string& key, std::size_t max, MemFile& into) {
    require_valid_key(key);
    const auto& snapshot = snapshot_for(key);
    const auto found = snapshot.find(key);
    if (found == snapshot.end()) throw Error(ErrorKind::not_found, "no object " + key + " in " + label());
    client_.expect(200, "get of " + key,
                   {.method = "GET",
                    .key = key,
                    .query = {{"versionId", found->second.id}},
                    .download = &into,
                    .max_download = max});
}

std::optional<ObjectInfo> S3AsOfStore::stat(const std::string& key) {
    require_valid_key(key);
    const auto& snapshot = snapshot_for(key);
    const auto found = snapshot.find(key);
    if (found == snapshot.end()) return std::nullopt;
    return ObjectInfo{key, found->second.size};
}

std::vector<ObjectInfo> S3AsOfStore::list(const std::string& prefix) {
    std::vector<ObjectInfo> out;
    for (const auto& [key, version] : snapshot_for(prefix))
        if (key.starts_with(prefix)) out.push_back({key, version.size});
    return out;
}

std::vector<std::string> S3AsOfStore::list_folders(const std::string& prefix) {
    std::set<std::string> out;
    for (const auto& object : list(prefix)) {
        const auto slash = object.key.find('/', prefix.size());
        if (slash != std::string::npos) out.insert(object.key.substr(prefix.size(), slash - prefix.size()));
    }
    return {out.begin(), out.end()};
}

void S3AsOfStore::put(const std::string& key, BytesView) {
    refuse_write(key);
}
void S3AsOfStore::remove(const std::string& key) {
    refuse_write(key);
}
std::size_t S3AsOfStore::remove_unfinished(const std::string&) {
    return 0;
}

}  // namespace strongroom::storage
