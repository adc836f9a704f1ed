#include "common/storage/metered_store.hpp"

namespace strongroom::storage {

const char* name(Operation operation) {
    switch (operation) {
        case Operation::put:
            return "put";
        case Operation::get:
            return "get";
        case Operation::list:
            return "list";
        case Operation::stat:
            return "stat";
        case Operation::remove:
            return "remove";
    }
    return "";
}

void StoreMeter::add(Operation operation, std::int64_t bytes, double seconds) {
    const std::lock_guard lock(mutex_);
    auto& figures = figures_.operations[operation];
    figures.count += 1;
    figures.bytes += bytes;
    figures.seconds += seconds;
}

void StoreMeter::add_error(Operation operation, ErrorKind kind, double seconds) {
    add(operation, 0, seconds);
    const std::lock_guard lock(mutex_);
    figures_.operations[operation].errors[kind] += 1;
}

void StoreMeter::add_retry() {
    const std::lock_guard lock(mutex_);
    figures_.retries += 1;
}

StoreFigures StoreMeter::figures() const {
    const std::lock_guard lock(mutex_);
    return figures_;
}

template <class Function>
void MeteredStore::measure(Operation operation, Function function) {
    const auto start = time_.now();
    const auto seconds = [&] { return std::chrono::duration<double>(time_.now() - start).count(); };
    try {
        const auto bytes = static_cast<std::int64_t>(function());
        meter_.add(operation, bytes, seconds());
    } catch (const Error& error) {
        meter_.add_error(operation, error.kind(), seconds());
        throw;
    } catch (const std::exception&) {
        meter_.add_error(operation, ErrorKind::internal, seconds());
        throw;
    }
}

void MeteredStore::put(const std::string& key, BytesView bytes) {
    measure(Operation::put, [&] {
        inner().put(key, bytes);
        return bytes.size();
    });
}

void MeteredStore::put_from(const std::string& key, MemFile& from) {
    measure(Operation::put, [&] {
        inner().put_from(key, from);
        return from.size();
    });
}

MemFile MeteredStore::get(const std::string& key, std::size_t max) {
    std::optional<MemFile> out;
    measure(Operation::get, [&] {
        out = inner().get(key, max);
        return out->size();
    });
    return std::move(*out);
}

void MeteredStore::get_into(const std::string& key, std::size_t max, MemFile& into) {
    measure(Operation::get, [&] {
        inner().get_into(key, max, into);
        return into.size();
    });
}

std::optional<ObjectInfo> MeteredStore::stat(const std::string& key) {
    std::optional<ObjectInfo> out;
    measure(Operation::stat, [&] {
        out = inner().stat(key);
        return 0;
    });
    return out;
}

std::vector<ObjectInfo> MeteredStore::list(const std::string& prefix) {
    std::vector<ObjectInfo> out;
    measure(Operation::list, [&] {
        out = inner().list(prefix);
        return 0;
    });
    return out;
}

std::vector<std::string> MeteredStore::list_folders(const std::string& prefix) {
    std::vector<std::string> out;
    measure(Operation::list, [&] {
        out = inner().list_folders(prefix);
        return 0;
    });
    return out;
}

void MeteredStore::remove(const std::string& key) {
    measure(Operation::remove, [&] {
        inner().remove(key);
        return 0;
    });
}

}  // namespace strongroom::storage
