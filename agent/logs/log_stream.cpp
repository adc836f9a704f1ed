#include "agent/logs/log_stream.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "agent/job/job_store.hpp"
#include "agent/job/own_seal.hpp"
#include "agent/source/tool.hpp"
#include "common/backupset/sealer.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::agent {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto poll = 200ms;
constexpr auto catch_up = 5s;  // the reader with what the server has just said
constexpr auto first_retry = 1s;
constexpr auto last_retry = 60s;

// The log does not go on where the last piece ends.
struct Gap {
    std::string why;
};

std::int64_t bytes_in(const fs::path& folder) {
    std::int64_t out = 0;
    for (const auto& entry : fs::directory_iterator(folder))
        out += static_cast<std::int64_t>(entry.file_size());
    return out;
}

backupset::SealOptions seal_options(const Host& host, std::int64_t bytes) {
    static const std::string program = log_reader_program();
    static const std::string version = version_of(program);
    backupset::SealOptions out = own_seal_options(host);
    out.stream = "binlog";
    out.source_tool = fs::path(program).filename().string();
    out.source_version = version;
    out.segment_size = std::clamp<std::int64_t>(bytes, 1, out.segment_size);
    if (bytes <= out.segment_size) out.workers = 1;
    return out;
}

}  // namespace

LogStream::LogStream(const Host& host, std::stop_token stop)
    : host_(host), stop_(std::move(stop)), folder_(host.state.log_folder()), state_(host.state.logs()) {}

void LogStream::run() {
    auto wait = std::chrono::milliseconds(first_retry);
    while (!stop_.stop_requested()) {
        const auto began = steady_clock::now();
        try {
            read_on();
        } catch (const Gap& gap) {
            note_gap(gap.why);
        } catch (const Error& error) {
            if (stop_.stop_requested()) break;
            note_problem(error);
            if (steady_clock::now() - began > 5 * last_retry) wait = first_retry;
            pause(wait);
            wait = std::min<std::chrono::milliseconds>(2 * wait, last_retry);
        }
    }
    host_.state.clean_log_folder();
}

void LogStream::read_on() {
    store_ = open_job_store(host_.config, host_.config.store, nullptr, stop_, host_.meter);
    const gpg::Home home = gpg::Home::use(host_.state.own_home());
    const std::string identity = host_.state.agent().identity;
    backupset::write_store_root(*store_, host_.agent.server, identity, gpg::export_public(home, identity));
    while (!stop_.stop_requested()) {
        const ServerLog server = ask_server_log(host_.config.mysql_option_file);
        server_version_ = server.version;
        begin(server);
        require_same_log(server);
        tail_matches_ = state_.at->sealed == 0;
        host_.state.clean_log_folder();
        if (state_.at->file == server.file)
            follow();
        else
            fetch();
    }
}

void LogStream::begin(const ServerLog& server) {
    if (state_.at && state_.at->store != host_.config.store) throw Gap{"the store is another one"};
    if (state_.at) return;
    state_.at.emplace();
    state_.at->store = host_.config.store;
    state_.at->server_id = server.server_id;
    state_.at->file = server.file;
    save();
    log_event(Level::info, "AGENT_LOG_CHAIN", "a chain of logs begins with {}", server.file);
}

// What can be seen without reading; LogFile::tail() tells the rest.
void LogStream::require_same_log(const ServerLog& server) const {
    const LogProgress& at = *state_.at;
    if (server.server_id != at.server_id)
        throw Gap{"the server's id changed from " + std::to_string(at.server_id) + " to " +
                  std::to_string(server.server_id)};
    const auto* file = server.find(at.file);
    if (file == nullptr)
        throw Gap{"the server has no " + at.file + " any more: it was purged, or the logs were reset"};
    if (file->size < at.sealed)
        throw Gap{at.file + " became shorter than what is stored of it: another history of the server"};
}

void LogStream::fetch() {
    const std::string file = state_.at->file;
    LogReader reader(host_.config.mysql_option_file, folder_, file, false, host_.agent.server);
    LogFile log(folder_ / file);
    for (bool ended = false; !ended;) {
        ended = reader.ended();
        if (!take(log) && !ended) pause(poll);
        if (stop_.stop_requested()) return;
        cut_when_due(log);
    }
    finish(log, backupset::log_file_after(file));
}

void LogStream::follow() {
    LogReader reader(host_.config.mysql_option_file, folder_, state_.at->file, true, host_.agent.server);
    auto log = std::make_unique<LogFile>(folder_ / state_.at->file);
    while (!stop_.stop_requested()) {
        const std::string next = backupset::log_file_after(log->name());
        const bool ended = fs::exists(folder_ / next);  // then all of this file is there
        if (take(*log)) {
            note_well();
        } else if (ended) {
            finish(*log, next);
            fs::remove(log->path());
            log = std::make_unique<LogFile>(folder_ / next);
            continue;
        } else {
            reader.ended();  // throws if so
            pause(poll);
        }
        if (bytes_in(folder_) > host_.config.log.space_limit + state_.at->sealed)
            throw Error(ErrorKind::storage, "the logs that wait for the store need more than log-space-limit",
                        "They are read again from the server, one by one.");
        cut_when_due(*log);
    }
}

// What was written since; false if nothing was.
bool LogStream::take(LogFile& log) {
    const bool any = log.advance();
    LogProgress& at = *state_.at;
    if (!tail_matches_ && log.scanner().read() >= at.sealed) {
        if (log.scanner().whole() < at.sealed || log.tail(at.sealed) != at.tail)
            throw Gap{at.file + " is not the file that was stored before: another history of the server"};
        tail_matches_ = true;
    }
    if (log.scanner().lost_events())
        throw Gap{"the server says in " + at.file + " that it lost events of its log"};
    if (at.since == 0 && log.scanner().first()) at.since = to_millis(*log.scanner().first());
    return any;
}

// By size, as soon as that much is whole; by time, with what the server has by now.
void LogStream::cut_when_due(LogFile& log) {
    LogProgress& at = *state_.at;
    if (!tail_matches_) return;
    const auto covered_by_order = [&] {  // transactions before the last one were committed before it
        return std::max(from_millis(at.covered), log.scanner().last().value_or(UtcTime{}));
    };
    if (log.scanner().whole() - at.sealed >= host_.config.log.piece_size)
        return cut(log, std::nullopt, covered_by_order());
    if (steady_clock::now() - last_cut_ < std::chrono::seconds(host_.config.log.interval)) return;

    const ServerLog server = ask_server_log(host_.config.mysql_option_file);
    require_same_log(server);
    const bool same = server.file == log.name();
    if (same && server.offset < at.sealed) throw Gap{at.file + " became shorter than what is stored of it"};
    const auto ends = steady_clock::now() + catch_up;
    while (same && log.scanner().read() < server.offset && steady_clock::now() < ends &&
           !stop_.stop_requested())
        if (!take(log)) pause(10ms);
    const bool all = same && log.scanner().read() >= server.offset;
    const UtcTime covered = all ? server.now : covered_by_order();
    if (log.scanner().whole() > at.sealed) return cut(log, std::nullopt, covered);
    last_cut_ = steady_clock::now();
    if (!all) {
        if (same)
            throw Error(ErrorKind::source,
                        "the reader of the binary log is behind the server and gets nothing",
                        "It is started again.");
        return;
    }
    at.covered = std::max(at.covered, to_millis(covered));
    note_well();
    save();
}

// The server wrote `next` after it: all of it is there. What is behind the last whole transaction was never
// committed: the server crashed.
void LogStream::finish(LogFile& log, const std::string& next) {
    while (take(log)) {
    }
    LogProgress& at = *state_.at;
    if (!tail_matches_) throw Gap{at.file + " became shorter than what is stored of it"};
    if (const auto named = log.scanner().next_file(); named && *named != next)
        throw Gap{at.file + " is followed by " + printable_line(*named, 200) + ", not by " + next};
    if (log.scanner().whole() > at.sealed)
        cut(log, next, std::max(from_millis(at.covered), log.scanner().last().value_or(UtcTime{})));
    at.file = next;
    at.sealed = 0;
    at.tail.clear();
    save();
}

void LogStream::cut(const LogFile& log, const std::optional<std::string>& next, UtcTime covered) {
    LogProgress& at = *state_.at;
    const FileLock lock = host_.state.lock_logs();  // the keys stay as they are
    const std::int64_t end = log.scanner().whole();
    auto options = seal_options(host_, end - at.sealed);
    options.parent = at.piece;
    options.log = {.file = log.name(),
                   .first = at.sealed,
                   .last = end,
                   .next = next,
                   .began = format_utc(log.scanner().first().value_or(UtcTime{})),
                   .covered = format_utc(covered),
                   .gtid = binlog::text_of(log.scanner().gtids()),
                   .server_id = at.server_id};
    LogFileSource source(log, at.sealed, end, server_version_);
    const gpg::Home home = gpg::Home::use(host_.state.own_home());
    const auto made =
        backupset::seal(options, make_log_id(host_.clock.now()), source, *store_, home, host_.clock);
    at.piece = made.set;
    at.sealed = end;
    at.tail = log.tail(end);
    at.covered = std::max(at.covered, to_millis(parse_utc(made.log->covered)));
    at.gtid = made.log->gtid;
    last_cut_ = steady_clock::now();
    note_well();
    save();
    log_event(Level::debug, "AGENT_LOG_STORED", "log {}: {} up to {}, {} bytes", made.set, log.name(), end,
              made.stored_total);
}

void LogStream::pause(std::chrono::milliseconds time) const {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any stopped;
    stopped.wait_for(lock, stop_, time, [] { return false; });
}

void LogStream::note_gap(const std::string& why) {
    log_event(Level::warning, "AGENT_LOG_GAP",
              "the chain of logs ends: {}. A new one begins, and needs a full backup to be replayed on", why);
    state_.gap = {to_millis(host_.clock.now()), printable_line(why, 1900)};
    state_.at.reset();
    save();
}

void LogStream::note_problem(const Error& error) {
    const std::string text = printable_line(error.text(), 1900);
    if (!state_.problem)
        log_event(Level::error, "AGENT_LOG_BEHIND", "the binary log cannot be stored now: {} {}", text,
                  error.hint());
    state_.problem = {state_.problem ? state_.problem->time : to_millis(host_.clock.now()), text};
    save();
}

void LogStream::note_well() {
    if (!state_.problem) return;
    log_event(Level::info, "AGENT_LOG_AGAIN", "the binary log is being stored again");
    state_.problem.reset();
    save();
}

void LogStream::save() const {
    host_.state.save(state_);
}

}  // namespace strongroom::agent
