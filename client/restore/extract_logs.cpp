#include "client/restore/extract_logs.hpp"

#include "client/restore/choose_point.hpp"
#include "client/restore/new_folder.hpp"
#include "common/base/error.hpp"
#include "common/restore/held_folder.hpp"

namespace strongroom::client {

LogStart start_after(const backupset::Manifest& set) {
    if (!set.position.binlog_file || !set.position.binlog_position ||
        !backupset::is_log_file(*set.position.binlog_file))
        throw Error(ErrorKind::usage, "set " + set.set + " names no place in the binary log",
                    "Was the binary log off? Name the place yourself: --from FILE:OFFSET.");
    return {{*set.position.binlog_file, *set.position.binlog_position}, parse_utc(set.finished)};
}

restore::LogStretch extract_logs(const RestoreFrom& from, const LogStart& start,
                                 const restore::TargetPoint& target, const std::filesystem::path& into) {
    const auto folder = free_folder(into);
    const auto path =
        backupset::read_log_path(from.store, from.recovered.server, from.accepted(), start.at, start.about,
                                 [&](const backupset::LogPart& part) { return reaches(part, target); });
    const bool all = target.kind == restore::TargetPoint::Kind::latest;
    if (path.pieces.empty() || (!path.reached && !all))
        throw Error(ErrorKind::not_found,
                    restore::text_of(target) + " cannot be reached from " + restore::text_of(start.at) +
                        ": " + path.ends,
                    path.pieces.empty() ? "`strongroom logs list` shows what is there."
                                        : "The log from there on ends at " + path.pieces.back().log->covered +
                                              ", GTID " + path.pieces.back().log->gtid + ".");
    remove_left(from, folder.parent_path());
    const restore::HeldFolder work(folder.parent_path(), "logs");
    from.say("fetching " + std::to_string(path.pieces.size()) + " pieces of the binary log");
    auto out = restore::fetch_logs({from.store, from.home, from.workers, from.on_progress}, path.pieces,
                                   start.at, target, work.path());
    give_name(work.path(), folder);
    for (auto& file : out.files) file = folder / file.filename();
    return out;
}

}  // namespace strongroom::client
