// Objects as files under one folder, readable by their owner only.
#pragma once

#include <filesystem>
#include <shared_mutex>

#include "common/storage/object_store.hpp"

namespace strongroom::storage {

// A write goes to a hidden name in the object's folder, is synced, renamed and the folder synced, so that an
// object is complete or missing even if the machine dies. Links inside the root are not followed. Folders
// without an object do not show. Any thread.
class LocalStore : public ObjectStore {
  public:
    // `root` is absolute. With `create` a missing root is made (0700); otherwise Error{not_found}.
    LocalStore(std::filesystem::path root, bool create);

    void put(const std::string& key, BytesView bytes) override;
    MemFile get(const std::string& key, std::size_t max) override;
    void get_into(const std::string& key, std::size_t max, MemFile& into) override;
    std::optional<ObjectInfo> stat(const std::string& key) override;
    std::vector<ObjectInfo> list(const std::string& prefix) override;
    std::vector<std::string> list_folders(const std::string& prefix) override;
    void remove(const std::string& key) override;
    std::size_t remove_unfinished(const std::string& prefix) override;
    std::string label() const override { return "file://" + root_.string(); }

  private:
    std::filesystem::path path_of(const std::string& key) const;
    std::filesystem::path folder_of(const std::string& prefix) const;
    void make_folders(const std::filesystem::path& folder) const;

    std::filesystem::path root_;
    std::shared_mutex folders_mutex_;  // shared: a put needs its folder; exclusive: empty folders are removed
};

}  // namespace strongroom::storage
