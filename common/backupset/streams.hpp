// Both ends of the data path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "common/backupset/manifest.hpp"

namespace strongroom::backupset {

// Where the plain stream comes from: a dump tool's output. Used by one thread at a time.
class Source {
  public:
    virtual ~Source() = default;
    // Fills `data` up to `size` bytes; less only at the end of the stream, 0 ever after.
    virtual std::size_t read(char* data, std::size_t size) = 0;
    // Called once, after the end of the stream: throws Error{source} unless the producer ended with success
    // (exit status 0, and whatever else its tool must say). Only then may a set be committed. Returns what it
    // learned.
    struct Facts {
        std::optional<std::string> server_version;
        Position position;
    };
    virtual Facts finish() = 0;
    // Ends the producer early. Safe to call from another thread, and twice.
    virtual void abort() noexcept = 0;
};

// Where restored plain bytes go, in order. Used by one thread at a time.
class Target {
  public:
    virtual ~Target() = default;
    virtual void write(const char* data, std::size_t size) = 0;
    // All bytes were written: closes, waits for the consumer, throws unless it ended with success.
    virtual void commit() = 0;
};

struct Progress {
    std::string stage;  // "reading", "committing", "verifying", ...
    std::int64_t plain_bytes = 0;
    std::int64_t stored_bytes = 0;
    std::int64_t segments = 0;
    std::int64_t total_bytes = 0;  // plain bytes expected; 0 if not known
    // Not set by the data path, but by who watches it:
    std::int64_t rate = 0;     // plain bytes per second now; 0 if not known
    std::int64_t retries = 0;  // of store operations
};
// Called from worker threads, one call at a time, after each segment. Throwing from it ends the work with
// that error (which is how a cancelled job stops).
using OnProgress = std::function<void(const Progress&)>;

}  // namespace strongroom::backupset
