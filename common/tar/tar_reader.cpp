#include "common/tar/tar_reader.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::tar {

// libarchive asks for bytes where we are given them, so it works on a thread of its own; only one of the two
// threads runs at a time.
class TarReader::Handover {
  public:
    explicit Handover(TarFiles& files) : files_(files), thread_([this] { run(); }) {}

    ~Handover() {
        give({}, true, false);
        thread_.join();
    }

    void give(BytesView bytes, bool last, bool throws = true) {
        std::unique_lock lock(mutex_);
        if (!done_) {
            bytes_ = bytes;
            given_ = true;
            last_ = last_ || last;
            changed_.notify_all();
            changed_.wait(lock, [&] { return !given_ || done_; });
        }
        if (last) changed_.wait(lock, [&] { return done_; });
        if (throws && failure_) std::rethrow_exception(failure_);
    }

  private:
    static la_ssize_t next_block(struct archive*, void* self, const void** block) {
        return static_cast<Handover*>(self)->next(block);
    }

    // What was given is read when the next is asked for.
    la_ssize_t next(const void** block) {
        std::unique_lock lock(mutex_);
        if (taken_) {
            given_ = taken_ = false;
            changed_.notify_all();
        }
        changed_.wait(lock, [&] { return given_ || last_; });
        if (!given_ || bytes_.empty()) {
            given_ = false;
            changed_.notify_all();
            return 0;
        }
        taken_ = true;
        *block = bytes_.data();
        return static_cast<la_ssize_t>(bytes_.size());
    }

    void run() noexcept {
        try {
            read();
        } catch (...) {
            failure_ = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        done_ = true;
        changed_.notify_all();
    }

    void read() {
        const std::unique_ptr<struct archive, int (*)(struct archive*)> handle(archive_read_new(),
                                                                               archive_read_free);
        const auto require = [&](la_ssize_t result) {
            if (result >= ARCHIVE_OK) return;
            const char* why = archive_error_string(handle.get());
            throw Error(ErrorKind::corrupt,
                        "the archive cannot be read: " +
                            printable_line(why != nullptr ? why : "no reason given", 200));
        };
        require(archive_read_support_format_tar(handle.get()));
        require(archive_read_open(handle.get(), this, nullptr, next_block, nullptr));
        std::vector<char> buffer(1U << 20U);
        for (;;) {
            archive_entry* entry = nullptr;
            const int result = archive_read_next_header(handle.get(), &entry);
            if (result == ARCHIVE_EOF) break;
            require(result);
            const char* name = archive_entry_pathname(entry);
            const std::string path = name != nullptr ? name : "";
            if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
                throw Error(ErrorKind::refused,
                            "the archive holds " + printable_line(path, 200) + ", which is no plain file");
            if (archive_entry_sparse_count(entry) > 0)  // it could be of any size
                throw Error(ErrorKind::refused, "the archive holds " + printable_line(path, 200) +
                                                    ", which is a file with holes");
            files_.begin(path, archive_entry_size(entry));
            for (;;) {
                const la_ssize_t got = archive_read_data(handle.get(), buffer.data(), buffer.size());
                require(got);
                if (got == 0) break;
                files_.data({buffer.data(), static_cast<std::size_t>(got)});
            }
            files_.end();
        }
        const void* rest = nullptr;  // zeros up to the end of a block
        while (next(&rest) > 0) {
        }
    }

    TarFiles& files_;
    std::mutex mutex_;  // guards all below but failure_, which is read only when done
    std::condition_variable changed_;
    BytesView bytes_;
    bool given_ = false;
    bool taken_ = false;  // by the reader, which is at it
    bool last_ = false;
    bool done_ = false;
    std::exception_ptr failure_;
    std::thread thread_;  // last: it uses all of the above
};

TarReader::TarReader(TarFiles& files) : handover_(std::make_unique<Handover>(files)) {}

TarReader::~TarReader() = default;

void TarReader::write(BytesView bytes) {
    if (!bytes.empty()) handover_->give(bytes, false);
}

void TarReader::finish() {
    handover_->give({}, true);
}

}  // namespace strongroom::tar
