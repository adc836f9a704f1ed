// Streams the server's binary log into the store, as pieces (docs/format.md section 9):
//
//   server > mariadb-binlog --raw > files in the state folder > whole transactions > sealed piece > logs.json
//
// Files before the one that the server writes to are fetched one by one; that one is followed, and what comes
// after it. A piece is stored when log-piece-size bytes have come, or log-interval after the last one. What
// cannot be read or stored is tried again, from the end of the last piece; the server keeps its log
// meanwhile. If the log does not go on where that piece ends, that is a gap: a new chain of pieces begins,
// and a full_backup_wish() until there is a backup that it can be replayed on.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/job/backup_run.hpp"
#include "agent/logs/log_file.hpp"
#include "agent/logs/log_reader.hpp"
#include "agent/logs/server_log.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::agent {

class LogStream {
  public:
    // What `host` refers to must outlive this. One thread.
    LogStream(const Host& host, std::stop_token stop);

    // Until the stop. Throws Error{storage} or Error{corrupt} if the state cannot be read or written.
    void run();

  private:
    void read_on();  // until it fails, or the stop
    void begin(const ServerLog& server);
    void require_same_log(const ServerLog& server) const;
    void fetch();   // a file that the server has ended
    void follow();  // the one that it writes to, and those after it
    bool take(LogFile& log);
    void cut_when_due(LogFile& log);
    void finish(LogFile& log, const std::string& next);
    void cut(const LogFile& log, const std::optional<std::string>& next, UtcTime covered);
    void pause(std::chrono::milliseconds time) const;
    void note_gap(const std::string& why);
    void note_problem(const Error& error);
    void note_well();
    void save() const;

    const Host host_;
    const std::stop_token stop_;
    const std::filesystem::path folder_;
    std::shared_ptr<storage::ObjectStore> store_;
    LogState state_;
    std::string server_version_;
    bool tail_matches_ = false;  // what was read is what was stored before the state's end
    std::chrono::steady_clock::time_point last_cut_{};
};

}  // namespace strongroom::agent
