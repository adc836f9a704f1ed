// A place that keeps whole objects under keys: what every store promises.
//
// - An object is complete or missing: after put() returns, it is durable; if put() throws, or the process
//   dies, the key shows its former state and nothing half written is visible under it.
// - Objects are small enough to be handled whole (a segment and some overhead), which is what makes retry,
//   digest and verify-before-release simple. put() of the same key replaces.
// - All functions may be called from any thread at once, on one store.
// - Errors: Error{not_found} for a missing key in get(); Error{storage} for everything else, naming the key,
//   with the system's code where there is one. What a network store may be asked again is Error{network} or
//   Error{busy}; a refusal that will stay one is Error{forbidden} (see retrying_store.hpp).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"
#include "common/base/mem_file.hpp"

namespace strongroom::storage {

// Keys are relative paths of [A-Za-z0-9._-] parts joined by '/'; no part is "." or ".." or starts with a dot.
// Throws Error{storage} otherwise. At most 512 bytes.
void require_valid_key(std::string_view key);
bool is_valid_key(std::string_view key);
// The prefix of a listing: empty, or a key and '/'. Throws Error{storage} otherwise.
void require_valid_prefix(std::string_view prefix);

struct ObjectInfo {
    std::string key;
    std::size_t size = 0;
};

// Versions that a store keeps besides what shows.
struct KeptVersions {
    std::int64_t versions = 0;
    std::int64_t bytes = 0;
    std::optional<UtcTime> locked_until;  // until then at least one of them cannot be removed
};

class ObjectStore {
  public:
    virtual ~ObjectStore() = default;

    virtual void put(const std::string& key, BytesView bytes) = 0;
    // The same from memory that a store may have to keep: if it gives up a write that hangs, the write still
    // reads those bytes. After Error{timeout} or Error{interrupted} `from` is empty and of no more use; after
    // success and any other error it is as before.
    virtual void put_from(const std::string& key, MemFile& from) { put(key, from.view()); }
    // Refuses objects longer than `max` bytes with Error{corrupt} before reading them.
    virtual MemFile get(const std::string& key, std::size_t max) = 0;
    // The same into memory that was used before, which a store may do without taking fresh memory. After an
    // error `into` holds nothing of use.
    virtual void get_into(const std::string& key, std::size_t max, MemFile& into) { into = get(key, max); }
    virtual std::optional<ObjectInfo> stat(const std::string& key) = 0;
    // All objects whose key starts with `prefix` (which ends with '/' or is empty), sorted by key.
    virtual std::vector<ObjectInfo> list(const std::string& prefix) = 0;
    // The next level below `prefix`: the names of its "folders", sorted, without '/'.
    virtual std::vector<std::string> list_folders(const std::string& prefix) = 0;
    // Removing what does not exist is not an error.
    virtual void remove(const std::string& key) = 0;
    // What remove() of all that shows under `prefix` would leave: in a store that keeps versions, all of
    // them.
    virtual KeptVersions kept_versions(const std::string& prefix);
    // Removes what put() left behind under `prefix` in a process that was killed and what no listing shows:
    // temporary files, unfinished uploads. Never what a living process is writing. Returns how many.
    virtual std::size_t remove_unfinished(const std::string& prefix) = 0;
    // Makes sure the store can be written: puts, reads back and removes a probe object under `prefix`. False
    // if it was put, and these credentials may not read (put-only, as they should be on a host): the probe
    // then may stay, under one name.
    bool check_writable(const std::string& prefix);
    // How many objects should travel at once where `workers` cores make or use them: more than workers where
    // a single connection is slower than the store.
    virtual std::size_t transfers_for(std::size_t workers) const { return workers; }
    // What a person sees: "file:///srv/backups". Never holds credentials.
    virtual std::string label() const = 0;
    // remove() where the caller has a better error to tell, or needs none.
    void try_remove(const std::string& key) noexcept;
};

// The transfers_for() of a store over a network; `connections` is its setting, 0 if it says nothing: two for
// each worker and at least four. A core opens or seals about as much as two connections to a large provider
// bring (80 to 90 MB/s each), and a connection's pauses between two objects are filled by the others.
std::size_t network_transfers(std::int64_t connections, std::size_t workers);

}  // namespace strongroom::storage
