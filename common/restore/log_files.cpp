#include "common/restore/log_files.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "common/backupset/file_streams.hpp"
#include "common/backupset/opener.hpp"
#include "common/base/error.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom::restore {
namespace {

using backupset::LogPart;
using backupset::LogPoint;
using backupset::Manifest;
using Kind = TargetPoint::Kind;

// Listens to the transactions of all files, in order, until the target.
class StopSearch {
  public:
    StopSearch(const LogPoint& start, const TargetPoint& target) : target_(target) {
        out.start = out.stop = start;
    }

    void on_group(const std::string& file, const binlog::Group& group) {
        if (found) return;
        if (file == out.start.file && group.end <= out.start.offset) return;
        const LogPoint begin{file, group.begin};
        const LogPoint end{file, group.end};
        if (target_.kind == Kind::time && group.time >= target_.time) return stop_at(begin);
        if (target_.kind == Kind::position && compare(target_.at, end) < 0)
            refuse(text_of(target_.at) + " is not between two transactions", &end);
        if (target_.kind == Kind::gtid) look_at(group, end);
        ++out.transactions;
        if (!out.first) out.first = group.time;
        out.last = group.time;
        out.last_gtid = group.gtid;
        if (group.loads_file && !out.loads_file) out.loads_file = end;
        out.stop = end;
        if (target_.kind == Kind::gtid && group.gtid == target_.gtid.text()) found = true;
    }

    // `point` is between two transactions, and all before it was told.
    void on_boundary(const LogPoint& point) {
        if (!found && target_.kind == Kind::position && compare(target_.at, point) == 0) stop_at(point);
    }

    // The pieces end at `end`.
    void finish(const LogPoint& end) {
        if (found) return;
        if (target_.kind == Kind::gtid) refuse("the log has no transaction " + target_.gtid.text(), nullptr);
        if (target_.kind == Kind::position)
            refuse(text_of(target_.at) + " is not between two transactions", nullptr);
        stop_at(end);  // it was reached: the last piece says so
    }

    LogStretch out;
    binlog::GtidState gtids;  // behind the last transaction before the target
    bool found = false;

  private:
    void stop_at(const LogPoint& point) {
        out.stop = point;
        found = true;
    }

    // A domain's sequence only grows: behind it, there is nothing to hope for.
    void look_at(const binlog::Group& group, const LogPoint& end) const {
        if (group.gtid.empty() || group.gtid == target_.gtid.text()) return;
        const auto gtid = binlog::parse_gtid(group.gtid);
        if (gtid.domain == target_.gtid.domain && gtid.sequence >= target_.gtid.sequence)
            refuse("the log has no transaction " + target_.gtid.text() + ": " + group.gtid + " comes instead",
                   &end);
    }

    [[noreturn]] void refuse(const std::string& text, const LogPoint* next) const {
        const auto word = [](const LogPoint& point) { return "--until-position " + text_of(point); };
        const std::string gtid = out.last_gtid.empty() ? "" : " (GTID " + out.last_gtid + ")";
        throw Error(ErrorKind::not_found, text,
                    "The nearest points: before it " + word(out.stop) + gtid +
                        (next != nullptr ? ", after it " + word(*next) : "") + ". Nothing was restored.");
    }

    const TargetPoint& target_;
};

// One file: to the disk, and past the scanner.
class LogFile : public backupset::Target {
  public:
    LogFile(const std::filesystem::path& path, std::string name, StopSearch& search,
            std::vector<std::int64_t> looked_at)
        : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)),
          target_(fd_.get(), path.string()),
          name_(std::move(name)),
          search_(search),
          looked_at_(std::move(looked_at)) {
        if (!fd_) throw system_error(ErrorKind::storage, "cannot make " + path.string(), errno);
        std::ranges::sort(looked_at_);
    }

    void write(const char* data, std::size_t size) override {
        target_.write(data, size);
        for (BytesView left(data, size); !left.empty();) {
            auto take = static_cast<std::int64_t>(left.size());
            for (const auto place : looked_at_)
                if (place > scanner_.read()) take = std::min(take, place - scanner_.read());
            scan(left.substr(0, static_cast<std::size_t>(take)));
            left.remove_prefix(static_cast<std::size_t>(take));
        }
    }
    void commit() override {}

    // What the manifest of the piece that was just written says must be so.
    void require(const Manifest& piece) const {
        const LogPart& part = *piece.log;
        const auto refuse = [&](const std::string& why) {
            throw Error(ErrorKind::corrupt, "log " + piece.set + " is not what its manifest says: " + why,
                        "Choose a point before it. Find out how that piece was made.");
        };
        if (scanner_.read() != part.last || scanner_.whole() != part.last)
            refuse("it does not end behind a transaction");
        if (binlog::text_of(scanner_.gtids()) != part.gtid)
            refuse("it ends with the GTIDs \"" + binlog::text_of(scanner_.gtids()) + "\"");
        if (scanner_.next_file() && part.next != scanner_.next_file())
            refuse("the file after it is " + *scanner_.next_file());
    }

  private:
    void scan(BytesView bytes) {
        try {
            scanner_.add(bytes, [this](const binlog::Group& group) {
                if (scanner_.lost_events() && !search_.found)
                    throw Error(ErrorKind::not_found,
                                "the server says in its binary log, before byte " +
                                    std::to_string(group.begin) + " of " + name_ +
                                    ", that it could not write some of its transactions",
                                "Choose a point before " + text_of(search_.out.stop) + ", or a later set.");
                search_.on_group(name_, group);
                if (search_.out.stop.offset == group.end && search_.out.stop.file == name_)
                    search_.gtids = scanner_.gtids();
            });
        } catch (const Error& error) {
            throw error.kind() == ErrorKind::corrupt ? error.with_context(name_) : error;
        }
        const bool between = scanner_.at_event_end() && scanner_.whole() == scanner_.read();
        if (!between && scanner_.read() == search_.out.start.offset && name_ == search_.out.start.file)
            throw Error(ErrorKind::corrupt, "the backup's place in the binary log, " +
                                                text_of(search_.out.start) + ", lies within a transaction");
        if (between) search_.on_boundary({name_, scanner_.read()});
    }

    const UniqueFd fd_;
    backupset::FdTarget target_;
    const std::string name_;
    StopSearch& search_;
    std::vector<std::int64_t> looked_at_;
    binlog::Scanner scanner_;
};

}  // namespace

LogStretch fetch_logs(const ExtractFrom& from, const std::vector<Manifest>& pieces, const LogPoint& start,
                      const TargetPoint& target, const std::filesystem::path& folder) {
    if (pieces.empty()) throw Error(ErrorKind::internal, "a binary log without a piece");
    std::int64_t total = 0;
    for (const auto& piece : pieces) total += piece.plain_total;
    StopSearch search(start, target);
    std::unique_ptr<LogFile> file;
    std::int64_t done = 0;
    for (const auto& piece : pieces) {
        const LogPart& part = *piece.log;
        if (part.first == 0) {
            if (search.found) break;
            file.reset();
            std::vector<std::int64_t> looked_at;
            if (part.file == start.file) looked_at.push_back(start.offset);
            if (target.kind == Kind::position && target.at.file == part.file)
                looked_at.push_back(target.at.offset);
            search.out.files.push_back(folder / part.file);
            file = std::make_unique<LogFile>(folder / part.file, part.file, search, std::move(looked_at));
        }
        if (!file) throw Error(ErrorKind::internal, "a binary log that does not begin with its file");
        ExtractFrom one = from;
        if (from.on_progress)
            one.on_progress = [&](backupset::Progress now) {
                now.plain_bytes += done;
                now.total_bytes = total;
                from.on_progress(now);
            };
        backupset::open_set({from.workers}, piece, from.store, from.home, *file, one.on_progress);
        file->require(piece);
        done += piece.plain_total;
        if (search.found && search.out.stop.offset <= part.last && search.out.stop.file == part.file) break;
    }
    const auto& last = *pieces.back().log;
    search.finish({last.file, last.last});
    LogStretch& out = search.out;
    if (out.transactions > 0) out.gtid_state = binlog::text_of(search.gtids);
    out.bytes = out.stop.offset - out.start.offset;
    for (std::size_t i = 0; i + 1 < out.files.size(); ++i)
        out.bytes += static_cast<std::int64_t>(std::filesystem::file_size(out.files[i]));
    return std::move(out);
}

}  // namespace strongroom::restore
