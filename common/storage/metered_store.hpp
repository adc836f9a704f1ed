// Counts what is asked of a store: operations, bytes, errors by their kind, and the time that they took.
//
// It stands below the decorators that repeat and wait (guarded_store.hpp): each attempt counts by itself, and
// waiting for a share of a rate is not time of the store.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/steady_time.hpp"
#include "common/storage/forwarding_store.hpp"

namespace strongroom::storage {

enum class Operation { put, get, list, stat, remove };
inline constexpr std::array all_operations{Operation::put, Operation::get, Operation::list, Operation::stat,
                                           Operation::remove};
const char* name(Operation operation);

struct OperationFigures {
    std::int64_t count = 0;  // attempts, whatever their outcome
    std::int64_t bytes = 0;  // of objects put or got
    double seconds = 0;      // of all attempts together; parallel ones add up
    std::map<ErrorKind, std::int64_t> errors;
};
struct StoreFigures {
    std::map<Operation, OperationFigures> operations;  // those that were asked for
    std::int64_t retries = 0;                          // attempts that repeated a failed one
};

// What one or more stores add to. Any thread.
class StoreMeter {
  public:
    void add(Operation operation, std::int64_t bytes, double seconds);
    void add_error(Operation operation, ErrorKind kind, double seconds);
    void add_retry();  // by whoever repeats
    StoreFigures figures() const;

  private:
    mutable std::mutex mutex_;
    StoreFigures figures_;
};

class MeteredStore : public ForwardingStore {
  public:
    // `meter` and `time` must outlive this.
    MeteredStore(std::shared_ptr<ObjectStore> inner, StoreMeter& meter, SteadyTime& time = steady_time())
        : ForwardingStore(std::move(inner)), meter_(meter), time_(time) {}

    void put(const std::string& key, BytesView bytes) override;
    void put_from(const std::string& key, MemFile& from) override;
    MemFile get(const std::string& key, std::size_t max) override;
    void get_into(const std::string& key, std::size_t max, MemFile& into) override;
    std::optional<ObjectInfo> stat(const std::string& key) override;
    std::vector<ObjectInfo> list(const std::string& prefix) override;
    std::vector<std::string> list_folders(const std::string& prefix) override;
    void remove(const std::string& key) override;

  private:
    // `function` does it and returns the bytes that count.
    template <class Function>
    void measure(Operation operation, Function function);
    StoreMeter& meter_;
    SteadyTime& time_;
};

}  // namespace strongroom::storage
