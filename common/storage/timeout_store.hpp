// Notices a store that hangs. Each operation runs in a thread of its own; one that does not end in time is
// left alone with the memory that it works on, and the caller goes on with Error{timeout}. A hung system call
// on a dead mount cannot be ended in another way.
//
// The store is then given up: every later operation fails at once, so that a failed job ends and is reported.
// The operation that was left alone may still end one day and leave its object behind. A store that can end
// its own transfers (a network store) keeps its own time-outs below this one.
#pragma once

#include <atomic>
#include <chrono>
#include <stop_token>

#include "common/base/abandonable.hpp"
#include "common/storage/forwarding_store.hpp"

namespace strongroom::storage {

class TimeoutStore : public ForwardingStore {
  public:
    // `limit`: for one operation on one object. At a request on `stop` an operation has five more seconds,
    // then it is left alone with Error{interrupted}.
    TimeoutStore(std::shared_ptr<ObjectStore> inner, std::chrono::milliseconds limit,
                 std::stop_token stop = {});

    void put(const std::string& key, BytesView bytes) override;  // copies: for small objects
    void put_from(const std::string& key, MemFile& from) override;
    MemFile get(const std::string& key, std::size_t max) override;
    void get_into(const std::string& key, std::size_t max, MemFile& into) override;
    std::optional<ObjectInfo> stat(const std::string& key) override;
    std::vector<ObjectInfo> list(const std::string& prefix) override;
    std::vector<std::string> list_folders(const std::string& prefix) override;
    void remove(const std::string& key) override;
    std::size_t remove_unfinished(const std::string& prefix) override;
    std::string label() const override { return label_; }

  private:
    // `function` owns all that it uses.
    template <class Function>
    auto within(const char* what, const std::string& key, Function function);

    const Patience patience_;
    const std::string label_;  // asked for once: also the name must not be able to hang
    std::atomic<bool> given_up_ = false;
};

}  // namespace strongroom::storage
