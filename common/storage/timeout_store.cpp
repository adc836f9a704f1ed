#include "common/storage/timeout_store.hpp"

#include "common/base/clock.hpp"
#include "common/base/error.hpp"

namespace strongroom::storage {
namespace {

// This store's own verdict, as against an error of the store below: only then is the memory lost.
class LeftAlone : public Error {
  public:
    using Error::Error;
};

// Memory that an operation in another thread works on. It comes back unless the operation was left alone.
template <class Operation>
void lend(MemFile& lent, Operation operation) {
    const auto own = std::make_shared<MemFile>(std::move(lent));
    try {
        operation(own);
    } catch (const LeftAlone&) {
        lent = MemFile("object");
        throw;
    } catch (...) {
        lent = std::move(*own);
        throw;
    }
    lent = std::move(*own);
}

}  // namespace

TimeoutStore::TimeoutStore(std::shared_ptr<ObjectStore> inner, std::chrono::milliseconds limit,
                           std::stop_token stop)
    : ForwardingStore(std::move(inner)),
      patience_{.limit = limit, .stop = std::move(stop)},
      label_(shared_inner()->label()) {}

template <class Function>
auto TimeoutStore::within(const char* what, const std::string& key, Function function) {
    const std::string hint = "See whether the disk or the mount of " + label_ +
                             " hangs, or whether its server answers; store-timeout is the limit.";
    if (given_up_)
        throw Error(ErrorKind::timeout,
                    std::string(what) + " of " + key + " was not tried: the store hung before", hint);
    return run_abandonable(patience_, std::move(function), [&](Abandoned why) {
        given_up_ = true;
        if (why == Abandoned::stopped)
            throw LeftAlone(ErrorKind::interrupted, std::string(what) + " of " + key + " was stopped");
        throw LeftAlone(
            ErrorKind::timeout,
            std::string(what) + " of " + key + " did not end within " + format_duration(patience_.limit),
            hint);
    });
}

void TimeoutStore::put(const std::string& key, BytesView bytes) {
    within("put", key, [store = shared_inner(), key, copy = Bytes(bytes)] { store->put(key, copy); });
}

void TimeoutStore::put_from(const std::string& key, MemFile& from) {
    lend(from, [&](const std::shared_ptr<MemFile>& own) {
        within("put", key, [store = shared_inner(), key, own] { store->put_from(key, *own); });
    });
}

MemFile TimeoutStore::get(const std::string& key, std::size_t max) {
    return within("get", key, [store = shared_inner(), key, max] { return store->get(key, max); });
}

void TimeoutStore::get_into(const std::string& key, std::size_t max, MemFile& into) {
    lend(into, [&](const std::shared_ptr<MemFile>& own) {
        within("get", key, [store = shared_inner(), key, max, own] { store->get_into(key, max, *own); });
    });
}

std::optional<ObjectInfo> TimeoutStore::stat(const std::string& key) {
    return within("stat", key, [store = shared_inner(), key] { return store->stat(key); });
}

std::vector<ObjectInfo> TimeoutStore::list(const std::string& prefix) {
    return within("list", prefix, [store = shared_inner(), prefix] { return store->list(prefix); });
}

std::vector<std::string> TimeoutStore::list_folders(const std::string& prefix) {
    return within("list", prefix, [store = shared_inner(), prefix] { return store->list_folders(prefix); });
}

void TimeoutStore::remove(const std::string& key) {
    within("remove", key, [store = shared_inner(), key] { store->remove(key); });
}

std::size_t TimeoutStore::remove_unfinished(const std::string& prefix) {
    return within("sweep", prefix,
                  [store = shared_inner(), prefix] { return store->remove_unfinished(prefix); });
}

}  // namespace strongroom::storage
