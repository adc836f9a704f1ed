// What every decorator of a store does with the functions that it does not change: pass them on.
#pragma once

#include <memory>
#include <utility>

#include "common/storage/object_store.hpp"

namespace strongroom::storage {

class ForwardingStore : public ObjectStore {
  public:
    explicit ForwardingStore(std::shared_ptr<ObjectStore> inner) : inner_(std::move(inner)) {}

    void put(const std::string& key, BytesView bytes) override { inner_->put(key, bytes); }
    void put_from(const std::string& key, MemFile& from) override { inner_->put_from(key, from); }
    MemFile get(const std::string& key, std::size_t max) override { return inner_->get(key, max); }
    void get_into(const std::string& key, std::size_t max, MemFile& into) override {
        inner_->get_into(key, max, into);
    }
    std::optional<ObjectInfo> stat(const std::string& key) override { return inner_->stat(key); }
    std::vector<ObjectInfo> list(const std::string& prefix) override { return inner_->list(prefix); }
    std::vector<std::string> list_folders(const std::string& prefix) override {
        return inner_->list_folders(prefix);
    }
    void remove(const std::string& key) override { inner_->remove(key); }
    KeptVersions kept_versions(const std::string& prefix) override { return inner_->kept_versions(prefix); }
    std::size_t remove_unfinished(const std::string& prefix) override {
        return inner_->remove_unfinished(prefix);
    }
    std::size_t transfers_for(std::size_t workers) const override { return inner_->transfers_for(workers); }
    std::string label() const override { return inner_->label(); }

  protected:
    ObjectStore& inner() { return *inner_; }
    const std::shared_ptr<ObjectStore>& shared_inner() const { return inner_; }

  private:
    std::shared_ptr<ObjectStore> inner_;
};

}  // namespace strongroom::storage
