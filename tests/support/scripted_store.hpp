// A store whose puts and gets run a test's function first, which may throw, wait, or write something itself.
#pragma once

#include <atomic>
#include <functional>

#include "common/storage/forwarding_store.hpp"

namespace strongroom::test {

class ScriptedStore : public storage::ForwardingStore {
  public:
    using ForwardingStore::ForwardingStore;

    // Called with the key and the number (from 1) of the put or get; empty: nothing.
    std::function<void(const std::string& key, int number)> before_put;
    std::function<void(const std::string& key, int number)> before_get;
    std::atomic<int> puts = 0;
    std::atomic<int> gets = 0;

    void put(const std::string& key, BytesView bytes) override {
        const int number = ++puts;
        if (before_put) before_put(key, number);
        inner().put(key, bytes);
    }
    void put_from(const std::string& key, MemFile& from) override { put(key, from.view()); }
    MemFile get(const std::string& key, std::size_t max) override {
        const int number = ++gets;
        if (before_get) before_get(key, number);
        return inner().get(key, max);
    }
    void get_into(const std::string& key, std::size_t max, MemFile& into) override { into = get(key, max); }
};

}  // namespace strongroom::test
