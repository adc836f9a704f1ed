// A bucket that keeps versions, as it was at a moment: objects that were overwritten or hidden by a delete
// marker since are there in the version of that time. Read-only.
#pragma once

#include <map>
#include <mutex>

#include "common/storage/object_store.hpp"
#include "common/storage/s3/s3_client.hpp"

namespace strongroom::storage {

// Lists the versions below a server's folder once, at the first question for it. Errors as S3Store; writes
// are Error{refused}. Any thread.
class S3AsOfStore : public ObjectStore {
  public:
    // What was stored in the second of `moment` counts. Throws Error{config}.
    S3AsOfStore(const std::string& url, S3Settings settings, UtcTime moment);

    void put(const std::string& key, BytesView bytes) override;
    MemFile get(const std::string& key, std::size_t max) override;
    void get_into(const std::string& key, std::size_t max, MemFile& into) override;
    std::optional<ObjectInfo> stat(const std::string& key) override;
    std::vector<ObjectInfo> list(const std::string& prefix) override;
    std::vector<std::string> list_folders(const std::string& prefix) override;
    void remove(const std::string& key) override;
    std::size_t remove_unfinished(const std::string& prefix) override;
    std::size_t transfers_for(std::size_t workers) const override {
        return network_transfers(client_.settings().connections, workers);
    }
    std::string label() const override;

  private:
    struct Version {
        std::string id;
        std::size_t size = 0;
    };
    using Snapshot = std::map<std::string, Version>;  // by key
    const Snapshot& snapshot_for(const std::string& key_or_prefix);
    Snapshot take_snapshot(const std::string& folder);

    S3Client client_;
    const UtcTime moment_;
    std::mutex mutex_;
    std::map<std::string, Snapshot> snapshots_;  // by the first part of the key with its slash; "": all
};

}  // namespace strongroom::storage
