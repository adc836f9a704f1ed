#include "client/restore/restore_until.hpp"

#include <sys/un.h>

#include "client/restore/new_folder.hpp"
#include "common/backupset/chain.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/restore/chain.hpp"
#include "common/restore/held_folder.hpp"
#include "common/restore/replay.hpp"
#include "common/restore/server_folder.hpp"
#include "common/term/text.hpp"

namespace strongroom::client {
namespace {

namespace fs = std::filesystem;
using backupset::Manifest;
using restore::LogStretch;

constexpr std::int64_t for_work = 256LL << 20;  // what preparing and starting write

void require_space(const std::vector<Manifest>& chain, const std::vector<Manifest>& pieces,
                   const fs::path& folder) {
    std::int64_t needed = for_work;
    for (const auto& one : chain) needed += one.plain_total;
    for (const auto& one : pieces) needed += 2 * one.plain_total;  // the log, and what it makes of the data
    const auto free = restore::free_bytes(folder);
    if (needed > free)
        throw Error(ErrorKind::storage,
                    "not enough space: the restore needs about " + term::format_bytes(needed) + " in " +
                        folder.string() + ", and " + term::format_bytes(free) + " are free",
                    "Free space there, or choose another --datadir. Nothing was restored.");
}

// The folders of one restore. What is not the data is removed in any case.
class WorkFolders {
  public:
    explicit WorkFolders(const fs::path& parent) : all_(parent, "restore") {
        const auto user = restore::server_user();
        if (user.other) {
            fs::permissions(all_.path(), fs::perms(0711));
            restore::require_reachable(
                parent, user, "Choose a --datadir whose parents it may enter, or restore as another user.");
        }
        // A socket's path is short.
        constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 8;
        if (run().string().size() > longest) {
            restore::remove_abandoned_folders(fs::temp_directory_path());
            short_.emplace(fs::temp_directory_path(), "run");
            if (user.other) fs::permissions(short_->path(), fs::perms(0711));
        }
        for (const auto& part : {data(), run(), run() / "tmp", logs()}) make_private_dir(part);
    }
    fs::path data() const { return all_.path() / "data"; }
    fs::path run() const { return (short_ ? short_->path() : all_.path()) / "run"; }
    fs::path logs() const { return all_.path() / "logs"; }

  private:
    restore::HeldFolder all_;
    std::optional<restore::HeldFolder> short_;
};

void require_allowed(const LogStretch& stretch, bool allow_load_data) {
    if (!stretch.loads_file || allow_load_data) return;
    throw Error(ErrorKind::refused,
                "the binary log holds LOAD DATA INFILE as a statement; the first ends at " +
                    restore::text_of(*stretch.loads_file),
                "Whoever wrote the log could have such a statement read files of this machine. If you trust "
                "the host that wrote it: --allow-load-data. Nothing was restored.");
}

std::string in_words(const LogStretch& stretch) {
    if (stretch.transactions == 0) return "no transaction of the binary log is to be replayed";
    return std::to_string(stretch.transactions) +
           " transaction(s) of the binary log are to be replayed, from " + restore::text_of(stretch.start) +
           " to " + restore::text_of(stretch.stop) + ": of " + format_utc(*stretch.first) + " to " +
           format_utc(*stretch.last);
}

}  // namespace

Route find_route(const RestoreFrom& from, const restore::TargetPoint& target, const std::string& set) {
    const std::string& server = from.recovered.server;
    const auto signers = from.accepted();
    return choose_route(
        backupset::list_sets(from.store, server, signers), target, set, [&](const Manifest& base) {
            return backupset::read_log_path(
                from.store, server, signers, {*base.position.binlog_file, *base.position.binlog_position},
                parse_utc(base.finished),
                [&](const backupset::LogPart& part) { return reaches(part, target); });
        });
}

UntilResult restore_until(const RestoreFrom& from, const UntilOptions& options) {
    const fs::path datadir = free_folder(options.datadir);
    restore::require_replay_tools();
    from.say("looking for the way to " + restore::text_of(options.target));
    const Route route = find_route(from, options.target, options.set);
    const Manifest& base = route.base;
    const auto chain = backupset::read_chain(from.store, base, from.accepted());
    remove_left(from, datadir.parent_path());
    require_space(chain, route.pieces, datadir.parent_path());
    const WorkFolders work(datadir.parent_path());
    const restore::ExtractFrom source{from.store, from.home, from.workers, from.on_progress};

    LogStretch stretch;
    stretch.start = stretch.stop = {*base.position.binlog_file, *base.position.binlog_position};
    if (!route.pieces.empty()) {
        from.say("fetching " + std::to_string(route.pieces.size()) + " pieces of the binary log after set " +
                 base.set);
        stretch = restore::fetch_logs(source, route.pieces, stretch.start, options.target, work.logs());
    }
    from.say(in_words(stretch));
    require_allowed(stretch, options.allow_load_data);

    backupset::Progress now;
    const auto idle = [&] {
        if (from.on_progress) from.on_progress(now);
    };
    now.stage = "preparing";
    from.say("restoring set " + base.set + " into a private folder beside " + datadir.string());
    restore::restore_chain(source, chain, work.data(), work.run() / "tmp", {.say = from.say, .idle = idle});
    if (stretch.transactions > 0) {
        now = {};
        now.stage = "replaying";
        from.say("replaying in a private server");
        restore::hand_over({work.data(), work.run(), work.logs()});
        restore::replay_logs({work.data(), work.run(), options.allow_load_data,
                              [&](std::int64_t bytes) {
                                  now.plain_bytes = bytes;
                                  idle();
                              },
                              idle},
                             stretch);
    }
    give_name(work.data(), datadir);
    return {base.set, stretch.stop,
            stretch.transactions > 0 ? stretch.gtid_state : base.position.gtid.value_or(""), stretch.last,
            stretch.transactions};
}

}  // namespace strongroom::client
