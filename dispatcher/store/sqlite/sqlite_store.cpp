#include "dispatcher/store/sqlite/sqlite_store.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "common/base/file.hpp"
#include "common/base/unique_fd.hpp"
#include "dispatcher/store/sqlite/instance_lock.hpp"
#include "dispatcher/store/sqlite/refusal.hpp"
#include "dispatcher/store/sqlite/schema.hpp"
#include "dispatcher/store/sqlite/sqlite_transaction.hpp"

namespace strongroom::dispatcher {
namespace {

// How long a transaction waits while another program holds the database, the queue of writers included. A
// request that waits longer is better answered with "try again".
constexpr std::chrono::milliseconds write_patience{5000};
constexpr std::chrono::milliseconds read_patience{2000};

// SQLite said no in the middle of a transaction that was rolled back.
struct Refused {
    Refusal refusal;
};

void set_patience(soci::session& session, std::chrono::milliseconds patience) {
    auto* connection = static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
    sqlite_api::sqlite3_busy_timeout(connection, static_cast<int>(std::max(patience.count(), INT64_C(1))));
}

void as_our_errors(const std::function<void()>& work) {
    try {
        work();
    } catch (const Refused& refused) {
        rethrow(refused.refusal);
    } catch (const soci::sqlite3_soci_error& error) {
        rethrow(refusal_of(error));
    } catch (const soci::soci_error& error) {
        throw Error(ErrorKind::storage, std::string("the database failed: ") + error.what());
    }
}

}  // namespace

// Idle sessions. A session is used by one thread at a time.
class SqliteStore::Sessions {
  public:
    explicit Sessions(std::filesystem::path path) : path_(std::move(path)) {}

    enum class For { writing, reading };

    std::unique_ptr<Session> take(For purpose, std::chrono::milliseconds patience) {
        {
            const std::lock_guard lock(mutex_);
            auto& idle = idle_[purpose];
            if (!idle.empty()) {
                auto session = std::move(idle.back());
                idle.pop_back();
                set_patience(*session, patience);
                return session;
            }
        }
        auto session = std::make_unique<Session>("db=\"" + path_.string() + "\"");
        set_patience(*session, patience);
        try {
            *session << "PRAGMA foreign_keys = ON";
            std::string mode;
            *session << "PRAGMA journal_mode = WAL", soci::into(mode);
            if (mode != "wal")
                throw Error(ErrorKind::storage, "the database cannot use a write-ahead log here");
            *session << "PRAGMA synchronous = FULL";
            if (purpose == For::reading) {
                *session << "PRAGMA query_only = ON";
            } else {
                // Ids are random, so changes go all over the file. One session writes nearly always: it keeps
                // the pages that it needs (KiB), and a page that changes often is copied back seldom (pages).
                *session << "PRAGMA cache_size = -32768";
                *session << "PRAGMA wal_autocheckpoint = 4000";
            }
        } catch (const soci::sqlite3_soci_error& error) {
            throw Refused{refusal_of(*session, error)};
        }
        return session;
    }
    void give_back(std::unique_ptr<Session> session, For purpose) {
        // Opened while the file could not be written, SQLite's connection stays read-only for ever.
        auto* backend = static_cast<soci::sqlite3_session_backend*>(session->get_backend());
        if (sqlite_api::sqlite3_db_readonly(backend->conn_, "main") != 0) return;
        const std::lock_guard lock(mutex_);
        idle_[purpose].push_back(std::move(session));
    }

  private:
    std::filesystem::path path_;
    std::mutex mutex_;
    std::map<For, std::vector<std::unique_ptr<Session>>> idle_;
};

namespace {

void roll_back(soci::session& session) {
    try {
        session << "ROLLBACK";
    } catch (const soci::soci_error&) {
        // SQLite has rolled back by itself already (disk full, I/O error): the first error tells why.
    }
}

// Runs `work` between `begin` and COMMIT on the session; rolls back on any exception.
void run_transaction(Session& session, const char* begin, const std::function<void()>& work) {
    try {
        execute(session, begin);
    } catch (const soci::sqlite3_soci_error& error) {
        throw Refused{refusal_of(session, error)};
    }
    try {
        work();
        execute(session, "COMMIT");
    } catch (const soci::sqlite3_soci_error& error) {
        const Refusal refusal = refusal_of(session, error);
        roll_back(session);
        throw Refused{refusal};
    } catch (...) {
        roll_back(session);
        throw;
    }
}

// SQLite ends the whole transaction by itself when the disk is full or fails.
bool in_transaction(Session& session) {
    auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
    return sqlite_api::sqlite3_get_autocommit(backend->conn_) == 0;
}

// Each work in a savepoint of its own: one that throws leaves nothing behind and does not disturb the others.
void run_each(Session& session, std::span<GroupCommit::Entry* const> batch) {
    for (auto* entry : batch) {
        entry->failure = nullptr;  // of an earlier attempt
        execute(session, "SAVEPOINT work");
        try {
            SqliteTransaction transaction(session);
            (*entry->work)(transaction);
        } catch (const soci::sqlite3_soci_error& error) {
            if (!in_transaction(session)) throw;
            entry->failure = std::make_exception_ptr(Refused{refusal_of(session, error)});
            session << "ROLLBACK TO work";
        } catch (...) {
            if (!in_transaction(session)) throw;
            entry->failure = std::current_exception();
            execute(session, "ROLLBACK TO work");
        }
        execute(session, "RELEASE work");
    }
}

}  // namespace

SqliteStore::SqliteStore(const std::filesystem::path& path)
    : sessions_(std::make_unique<Sessions>(path)), commits_([this](const auto& batch) { commit(batch); }) {}

SqliteStore::~SqliteStore() = default;

std::unique_ptr<SqliteStore> SqliteStore::create(const std::filesystem::path& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) {
        if (errno == EEXIST)
            throw Error(ErrorKind::exists, "the database " + path.string() + " exists already",
                        "Nothing was changed. Choose another --state-dir, or use the one that is there.");
        throw system_error(ErrorKind::storage, "cannot make " + path.string(), errno);
    }
    return open(path);
}

std::unique_ptr<SqliteStore> SqliteStore::open(const std::filesystem::path& path, Use use) {
    if (path.string().find('"') != std::string::npos)
        throw Error(ErrorKind::config,
                    "the path of a database cannot hold a quotation mark: " + path.string());
    require_private_file(path);
    for (const char* suffix : {"-wal", "-shm"})
        if (std::filesystem::exists(path.string() + suffix)) require_private_file(path.string() + suffix);
    std::unique_ptr<SqliteStore> store(new SqliteStore(path));
    as_our_errors([&] { store->migrate(path, use); });
    sync_dir(path.parent_path().empty() ? "." : path.parent_path());
    return store;
}

void SqliteStore::migrate(const std::filesystem::path& path, Use use) {
    auto session = sessions_->take(Sessions::For::writing, write_patience);
    const auto steps = schema_steps();
    const auto newest = static_cast<std::int64_t>(steps.size());
    const auto read_version = [&] {
        const std::int64_t version = count(*session, "PRAGMA user_version");
        if (version >= 0 && version <= newest) return version;
        throw Error(ErrorKind::refused,
                    "the database has schema version " + std::to_string(version) + ", this program knows " +
                        std::to_string(newest),
                    "Nothing was changed. Run the newer strongroom-dispatcher that wrote it.");
    };
    if (read_version() != newest) {
        std::optional<InstanceLock> alone;
        if (use == Use::command && !(alone = InstanceLock::try_take(path)))
            throw Error(
                ErrorKind::busy,
                "the database has the schema of an older version, and a dispatcher of that version serves it",
                "Nothing was changed. Restart the dispatcher: the new version upgrades the schema.");
        *session << "BEGIN IMMEDIATE";
        drop_views(*session);
        for (auto step = static_cast<std::size_t>(read_version()); step < steps.size(); ++step) {
            steps[step](*session);
            *session << "PRAGMA user_version = " + std::to_string(step + 1);
        }
        make_views(*session);
        *session << "COMMIT";
    }
    sessions_->give_back(std::move(session), Sessions::For::writing);
}

void SqliteStore::commit(std::span<GroupCommit::Entry* const> batch) {
    const auto deadline = std::chrono::steady_clock::now() + write_patience;
    for (int attempt = 1;; ++attempt) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        try {
            auto session = sessions_->take(Sessions::For::writing, left);
            run_transaction(*session, "BEGIN IMMEDIATE", [&] { run_each(*session, batch); });
            sessions_->give_back(std::move(session), Sessions::For::writing);
            return;
        } catch (const Refused& refused) {
            if (!refused.refusal.locked() || left.count() <= 0) throw;
            std::this_thread::sleep_for(std::chrono::milliseconds(20 * attempt));
        }
    }
}

void SqliteStore::transact(const Work& work) {
    as_our_errors([&] { commits_.run(work); });
}

void SqliteStore::read(const Work& work) {
    as_our_errors([&] {
        auto session = sessions_->take(Sessions::For::reading, read_patience);
        run_transaction(*session, "BEGIN", [&] {
            SqliteTransaction transaction(*session);
            work(transaction);
        });
        sessions_->give_back(std::move(session), Sessions::For::reading);
    });
}

void SqliteStore::copy_to(const std::filesystem::path& path) {
    as_our_errors([&] {
        auto session = sessions_->take(Sessions::For::writing, write_patience);
        const std::string target = path.string();
        try {
            *session << "VACUUM INTO :path", soci::use(target);
        } catch (const soci::sqlite3_soci_error& error) {
            throw Refused{refusal_of(*session, error)};
        }
        sessions_->give_back(std::move(session), Sessions::For::writing);
    });
}

void SqliteStore::require_sound() {
    std::string verdict;
    as_our_errors([&] {
        auto session = sessions_->take(Sessions::For::writing, write_patience);
        *session << "PRAGMA integrity_check(1)", soci::into(verdict);
    });
    if (verdict != "ok") throw Error(ErrorKind::corrupt, "the database is damaged: " + verdict);
}

}  // namespace strongroom::dispatcher
