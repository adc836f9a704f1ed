// Both ends of the data path in memory.
#pragma once

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>

#include "common/backupset/streams.hpp"
#include "common/base/bytes.hpp"
#include "common/base/error.hpp"

namespace strongroom::test {

// Gives the bytes it was made of, in reads that are as long as asked for; finish() fails if told to.
class BufferSource : public backupset::Source {
  public:
    explicit BufferSource(Bytes bytes) : bytes_(std::move(bytes)) {}
    std::size_t read(char* data, std::size_t size) override {
        if (fail_read_at && position_ + size > *fail_read_at)
            throw Error(ErrorKind::source, "the tool's pipe broke");
        const std::size_t count = std::min(size, bytes_.size() - position_);
        bytes_.copy(data, count, position_);
        position_ += count;
        return count;
    }
    Facts finish() override {
        finished = true;
        if (fail_finish) throw Error(ErrorKind::source, "the tool failed: exit code 1");
        return facts;
    }
    void abort() noexcept override { aborted = true; }

    Facts facts;
    bool fail_finish = false;
    std::optional<std::size_t> fail_read_at;
    bool finished = false;
    std::atomic<bool> aborted = false;

  private:
    Bytes bytes_;
    std::size_t position_ = 0;
};

class CollectingTarget : public backupset::Target {
  public:
    void write(const char* data, std::size_t size) override {
        if (fail_after && bytes.size() + size > *fail_after)
            throw Error(ErrorKind::storage, "the disk is full");
        bytes.append(data, size);
    }
    void commit() override { committed = true; }

    Bytes bytes;
    bool committed = false;
    std::optional<std::size_t> fail_after;
};

}  // namespace strongroom::test
