#include "common/maintenance/pruner.hpp"

#include "common/backupset/layout.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"

namespace strongroom::maintenance {
namespace {

constexpr std::size_t max_mark = 4096;  // bytes

}  // namespace

template <class Fields>
void PruneMark::fields(Fields& f) {
    f("set", set, set_id_text);
    f("marked", marked, Text{20});
    f("why", why, Text{64});
    f("objects", objects, any_size);
}

std::map<std::string, PruneMark> read_marks(storage::ObjectStore& store, const std::string& server) {
    std::map<std::string, PruneMark> out;
    for (const auto& object : store.list(backupset::marks_prefix(server))) {
        try {
            auto mark = from_json<PruneMark>(parse_json(store.get(object.key, max_mark).view(), max_mark));
            parse_utc(mark.marked);
            if (object.key == backupset::mark_key(server, mark.set)) out.emplace(mark.set, std::move(mark));
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::protocol && error.kind() != ErrorKind::corrupt &&
                error.kind() != ErrorKind::not_found)
                throw;
        }
    }
    return out;
}

void write_mark(storage::ObjectStore& store, const std::string& server, const PruneMark& mark) {
    store.put(backupset::mark_key(server, mark.set), to_json(mark).dump() + "\n");
}

void remove_mark(storage::ObjectStore& store, const std::string& server, const std::string& set) {
    store.remove(backupset::mark_key(server, set));
}

std::vector<UnfinishedSet> unfinished_sets(storage::ObjectStore& store, const std::string& server,
                                           UtcTime before) {
    std::vector<UnfinishedSet> out;
    for (const std::string& set : backupset::set_folders(store, server)) {
        const auto begun = backupset::begun_at(set);
        if (!begun || *begun >= before) continue;
        if (backupset::is_committed(store, server, set)) continue;
        UnfinishedSet one{set, 0, 0};
        for (const auto& object : store.list(backupset::set_prefix(server, set))) {
            ++one.objects;
            one.bytes += static_cast<std::int64_t>(object.size);
        }
        out.push_back(one);
    }
    return out;
}

std::int64_t remove_set(storage::ObjectStore& store, const std::string& server, const std::string& set) {
    const auto objects = store.list(backupset::set_prefix(server, set));
    store.remove(backupset::manifest_signature_key(server, set));
    if (backupset::is_committed(store, server, set))
        throw Error(ErrorKind::storage,
                    "object " + backupset::manifest_signature_key(server, set) + " is there still");
    std::int64_t bytes = 0;
    for (const auto& object : objects) {
        store.remove(object.key);
        bytes += static_cast<std::int64_t>(object.size);
    }
    store.remove_unfinished(backupset::set_prefix(server, set));
    remove_mark(store, server, set);
    return bytes;
}

}  // namespace strongroom::maintenance
