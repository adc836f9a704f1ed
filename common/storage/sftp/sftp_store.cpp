#include "common/storage/sftp/sftp_store.hpp"

#include <algorithm>
#include <mutex>
#include <set>

#include "common/base/clock.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::storage {
namespace {

constexpr std::string_view former_prefix = ".former-";
constexpr std::string_view upload_prefix = ".upload-";  // then the UTC stamp of its start
constexpr std::chrono::hours unfinished_age{24};

std::string in_quotes(const std::string& path) {
    return "\"" + path + "\"";
}

// Removes folders that hold nothing, the deepest first; the server refuses the others.
std::vector<std::string> rmdir_up(std::string folder, const std::string& root) {
    std::vector<std::string> out;
    for (; folder.size() > root.size(); folder = folder.substr(0, folder.rfind('/')))
        out.push_back("*rmdir " + in_quotes(folder));
    return out;
}

}  // namespace

SftpStore::SftpStore(const std::string& url, SftpSettings settings)
    : client_(parse_sftp_url(url), std::move(settings)) {}

SftpStore::Place SftpStore::place_of(const std::string& key) const {
    require_valid_key(key);
    const std::string path = client_.address().root + "/" + key;
    const auto slash = path.rfind('/');
    return {path.substr(0, slash), path.substr(slash + 1)};
}

std::string SftpStore::folder_of(const std::string& prefix) const {
    if (prefix.empty()) return client_.address().root;
    require_valid_prefix(prefix);
    return client_.address().root + "/" + prefix.substr(0, prefix.size() - 1);
}

template <class Function>
auto SftpStore::named(const std::string& what, Function function) {
    try {
        return function();
    } catch (const Error& error) {
        throw Error(error.kind(), what + ": " + error.text() + " (" + label() + ")", error.hint())
            .with_system_code(error.system_code());
    }
}

void SftpStore::put(const std::string& key, BytesView bytes) {
    const Place place = place_of(key);
    const std::string temporary = place.folder + "/" + std::string(upload_prefix) +
                                  format_compact(SystemClock().now()) + "-" + to_hex(random_bytes(6));
    const std::shared_lock folders_stay(folders_mutex_);
    named("put of " + key, [&] {
        try {
            client_.upload(temporary, bytes);
            replace(place, temporary);
        } catch (const Error&) {
            try {
                client_.run({"*rm " + in_quotes(temporary)});
            } catch (const Error&) {
                // It is swept after a day.
            }
            throw;
        }
    });
}

std::shared_mutex& SftpStore::stripe_of(const Place& place) {
    return replacing_[std::hash<std::string>()(place.path()) % replacing_.size()];
}

void SftpStore::replace(const Place& place, const std::string& temporary) {
    const std::string rename = "rename " + in_quotes(temporary) + " " + in_quotes(place.path());
    try {
        return client_.run({rename});
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::storage) throw;  // else: there is an object of this name, most likely
    }
    const std::unique_lock lock(stripe_of(place));
    const std::string remove_former = "*rm " + in_quotes(place.former());
    const std::string make_former = "*rename " + in_quotes(place.path()) + " " + in_quotes(place.former());
    for (int attempt = 1;; ++attempt) {  // another process may replace it, too
        try {
            return client_.run({make_former, rename, remove_former});
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::storage || attempt == 8) throw;
        }
        // A former object that a killed process left is in the way; it may go only if there is a newer one.
        const auto entries = client_.list(place.folder);
        if (std::ranges::any_of(entries, [&](const auto& entry) { return entry.name == place.name; }))
            client_.run({remove_former});
    }
}

MemFile SftpStore::get(const std::string& key, std::size_t max) {
    MemFile out("object");
    get_into(key, max, out);
    return out;
}

void SftpStore::get_into(const std::string& key, std::size_t max, MemFile& into) {
    const Place place = place_of(key);
    named("object " + key, [&] {
        const std::shared_lock stays(stripe_of(place));
        // The new one, or the former while a put replaces it, or by then the new one.
        for (int round = 1;; ++round) {
            for (const auto& path : {place.path(), place.former()}) {
                try {
                    return client_.download(path, max, into);
                } catch (const Error& error) {
                    if (error.kind() != ErrorKind::not_found || (round == 3 && path == place.former())) throw;
                }
            }
        }
    });
}

std::vector<SftpEntry> SftpStore::visible(const std::string& folder) {
    std::vector<SftpEntry> entries;
    try {
        entries = client_.list(folder);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::not_found) return {};
        throw;
    }
    std::vector<SftpEntry> out;
    std::set<std::string> names;
    for (const auto& entry : entries)
        if (is_valid_key(entry.name) && names.insert(entry.name).second) out.push_back(entry);
    for (auto& entry : entries) {
        if (entry.folder || !entry.name.starts_with(former_prefix)) continue;
        entry.name.erase(0, former_prefix.size());
        if (is_valid_key(entry.name) && names.insert(entry.name).second) out.push_back(entry);
    }
    std::ranges::sort(out, {}, &SftpEntry::name);
    return out;
}

std::optional<ObjectInfo> SftpStore::stat(const std::string& key) {
    const Place place = place_of(key);
    return named("stat of " + key, [&]() -> std::optional<ObjectInfo> {
        for (const auto& entry : visible(place.folder))
            if (entry.name == place.name && !entry.folder) return ObjectInfo{key, entry.size};
        return std::nullopt;
    });
}

void SftpStore::collect(const std::string& folder, const std::string& prefix, std::vector<ObjectInfo>& out) {
    for (const auto& entry : visible(folder)) {
        if (entry.folder)
            collect(folder + "/" + entry.name, prefix + entry.name + "/", out);
        else
            out.push_back({prefix + entry.name, entry.size});
    }
}

std::vector<ObjectInfo> SftpStore::list(const std::string& prefix) {
    const std::string folder = folder_of(prefix);
    std::vector<ObjectInfo> out;
    named("list of " + prefix, [&] { collect(folder, prefix, out); });
    std::ranges::sort(out, {}, &ObjectInfo::key);
    return out;
}

bool SftpStore::holds_object(const std::string& folder) {
    const auto entries = visible(folder);
    return std::ranges::any_of(entries, [](const auto& entry) { return !entry.folder; }) ||
           std::ranges::any_of(entries,
                               [&](const auto& entry) { return holds_object(folder + "/" + entry.name); });
}

std::vector<std::string> SftpStore::list_folders(const std::string& prefix) {
    const std::string folder = folder_of(prefix);
    std::vector<std::string> out;
    named("list of " + prefix, [&] {
        for (const auto& entry : visible(folder))
            if (entry.folder && holds_object(folder + "/" + entry.name)) out.push_back(entry.name);
    });
    return out;
}

void SftpStore::remove(const std::string& key) {
    const Place place = place_of(key);
    named("remove of " + key, [&] {
        const std::unique_lock folders_may_go(folders_mutex_);
        // The former first: it must not come back.
        std::vector<std::string> commands{"*rm " + in_quotes(place.former()),
                                          "*rm " + in_quotes(place.path())};
        const auto folders = rmdir_up(place.folder, client_.address().root);
        commands.insert(commands.end(), folders.begin(), folders.end());
        client_.run(commands);
        // What the server said to each command is not told.
        for (const auto& entry : visible(place.folder))
            if (entry.name == place.name && !entry.folder)
                throw Error(ErrorKind::forbidden, "the SFTP server does not remove it");
    });
}

std::size_t SftpStore::sweep(const std::string& folder, const std::string& oldest) {
    std::vector<SftpEntry> entries;
    try {
        entries = client_.list(folder);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::not_found) return 0;
        throw;
    }
    std::size_t out = 0;
    std::vector<std::string> commands;
    for (const auto& entry : entries) {
        if (entry.folder && is_valid_key(entry.name)) {
            out += sweep(folder + "/" + entry.name, oldest);
        } else if (entry.name.starts_with(upload_prefix)) {
            const std::string started = entry.name.substr(upload_prefix.size(), oldest.size());
            if (started < oldest) commands.push_back("*rm " + in_quotes(folder + "/" + entry.name));
        }
    }
    if (!commands.empty()) client_.run(commands);
    return out + commands.size();
}

std::size_t SftpStore::remove_unfinished(const std::string& prefix) {
    const std::string folder = folder_of(prefix);
    const std::string oldest = format_compact(SystemClock().now() - unfinished_age);
    return named("sweep of " + prefix, [&] { return sweep(folder, oldest); });
}

}  // namespace strongroom::storage
