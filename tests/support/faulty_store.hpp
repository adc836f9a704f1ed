// An ObjectStore that passes everything on and fails where it is told to.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/base/error.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::test {

class FaultyStore : public storage::ObjectStore {
  public:
    explicit FaultyStore(storage::ObjectStore& inner) : inner_(inner) {}

    // Number (from 1) of the put() that fails; 0: none. With `store_anyway` the object is stored and the
    // caller does not learn it, as when a connection breaks before the answer.
    int fail_put = 0;
    bool store_anyway = false;
    bool store_part = false;             // the same, but only the first half of the object was stored
    bool fail_all_after = false;         // once a put failed, everything else fails, too
    std::chrono::milliseconds delay{0};  // of each put
    std::string fail_get;                // the get() of this key fails

    void put(const std::string& key, BytesView bytes) override {
        std::this_thread::sleep_for(delay);
        bool fail = false;
        {
            const std::lock_guard lock(mutex_);
            fail = ++puts_ == fail_put || (broken_ && fail_all_after);
            broken_ = broken_ || fail;
            put_keys_.push_back(key);
        }
        if (!fail || store_anyway) inner_.put(key, bytes);
        if (fail && store_part) inner_.put(key, bytes.substr(0, bytes.size() / 2));
        if (fail) refuse("put", key);
    }
    MemFile get(const std::string& key, std::size_t max) override {
        if (key == fail_get || is_down()) refuse("get", key);
        return inner_.get(key, max);
    }
    std::optional<storage::ObjectInfo> stat(const std::string& key) override {
        if (is_down()) refuse("stat", key);
        return inner_.stat(key);
    }
    std::vector<storage::ObjectInfo> list(const std::string& prefix) override {
        if (is_down()) refuse("list", prefix);
        return inner_.list(prefix);
    }
    std::vector<std::string> list_folders(const std::string& prefix) override {
        if (is_down()) refuse("list", prefix);
        return inner_.list_folders(prefix);
    }
    void remove(const std::string& key) override {
        if (is_down()) refuse("remove", key);
        inner_.remove(key);
    }
    std::size_t remove_unfinished(const std::string& prefix) override {
        if (is_down()) refuse("remove", prefix);
        return inner_.remove_unfinished(prefix);
    }
    std::string label() const override { return inner_.label(); }

    int puts() {
        const std::lock_guard lock(mutex_);
        return puts_;
    }
    std::vector<std::string> put_keys() {
        const std::lock_guard lock(mutex_);
        return put_keys_;
    }

  private:
    bool is_down() {
        const std::lock_guard lock(mutex_);
        return broken_ && fail_all_after;
    }
    [[noreturn]] static void refuse(const std::string& what, const std::string& key) {
        throw Error(ErrorKind::storage, what + " of " + key + ": no space left on device");
    }

    storage::ObjectStore& inner_;
    std::mutex mutex_;
    int puts_ = 0;
    bool broken_ = false;
    std::vector<std::string> put_keys_;
};

}  // namespace strongroom::test
