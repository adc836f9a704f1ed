// An ObjectStore in memory, for tests above the storage layer.
#pragma once

#include <map>
#include <mutex>

#include "common/storage/object_store.hpp"

namespace strongroom::test {

class MemoryStore : public storage::ObjectStore {
  public:
    void put(const std::string& key, BytesView bytes) override;
    MemFile get(const std::string& key, std::size_t max) override;
    std::optional<storage::ObjectInfo> stat(const std::string& key) override;
    std::vector<storage::ObjectInfo> list(const std::string& prefix) override;
    std::vector<std::string> list_folders(const std::string& prefix) override;
    void remove(const std::string& key) override;
    std::size_t remove_unfinished(const std::string&) override { return 0; }
    std::string label() const override { return "memory:"; }

    std::map<std::string, Bytes>& objects() { return objects_; }

  private:
    std::mutex mutex_;
    std::map<std::string, Bytes> objects_;
};

}  // namespace strongroom::test
