#include "dispatcher/store/sqlite/sqlite_store.hpp"

#include <fcntl.h>

#include <cerrno>
#include <mutex>
#include <thread>

#include "common/base/file.hpp"
#include "common/base/unique_fd.hpp"
#include "dispatcher/store/sqlite/schema.hpp"
#include "dispatcher/store/sqlite/sqlite_transaction.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr int max_attempts = 5;  // of one transaction, when another process holds the database
constexpr int sqlite_corrupt = 11;
constexpr int sqlite_not_a_database = 26;

// SQLite's words as one of our errors.
[[noreturn]] void rethrow(const soci::sqlite3_soci_error& error) {
    const int code = sqlite_code(error);
    if (code == sqlite_busy || code == sqlite_locked)
        throw Error(ErrorKind::busy, "the database is locked by another program",
                    "Is a second dispatcher or a sqlite3 shell open on it?");
    if (code == sqlite_corrupt || code == sqlite_not_a_database)
        throw Error(ErrorKind::corrupt, std::string("the database is damaged: ") + error.what(),
                    "Stop the dispatcher and restore the file from its backup.");
    if (code == sqlite_full)
        throw Error(ErrorKind::storage, "the database cannot grow: the disk is full",
                    "Make room; nothing was lost.");
    throw Error(ErrorKind::storage, std::string("the database refused a statement: ") + error.what());
}

void as_our_errors(const std::function<void()>& work) {
    try {
        work();
    } catch (const soci::sqlite3_soci_error& error) {
        rethrow(error);
    } catch (const soci::soci_error& error) {
        throw Error(ErrorKind::storage, std::string("the database failed: ") + error.what());
    }
}

}  // namespace

// Idle sessions. A session is used by one thread at a time.
class SqliteStore::Sessions {
  public:
    explicit Sessions(std::filesystem::path path) : path_(std::move(path)) {}

    std::unique_ptr<soci::session> take() {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                auto session = std::move(idle_.back());
                idle_.pop_back();
                return session;
            }
        }
        auto session =
            std::make_unique<soci::session>(soci::sqlite3, "db=\"" + path_.string() + "\" timeout=10");
        *session << "PRAGMA foreign_keys = ON";
        std::string mode;
        *session << "PRAGMA journal_mode = WAL", soci::into(mode);
        if (mode != "wal") throw Error(ErrorKind::storage, "the database cannot use a write-ahead log here");
        *session << "PRAGMA synchronous = FULL";
        return session;
    }
    void give_back(std::unique_ptr<soci::session> session) {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(session));
    }

  private:
    std::filesystem::path path_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<soci::session>> idle_;
};

namespace {

// Runs `work` between `begin` and COMMIT on the session; rolls back on any exception.
void run_transaction(soci::session& session, const char* begin, const std::function<void()>& work) {
    session << begin;
    try {
        work();
        session << "COMMIT";
    } catch (...) {
        try {
            session << "ROLLBACK";
        } catch (const soci::soci_error&) {
            // SQLite has rolled back by itself already (disk full, I/O error): the first error tells why.
        }
        throw;
    }
}

// SQLite ends the whole transaction by itself when the disk is full or fails.
bool in_transaction(soci::session& session) {
    auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
    return sqlite_api::sqlite3_get_autocommit(backend->conn_) == 0;
}

// Each work in a savepoint of its own: one that throws leaves nothing behind and does not disturb the others.
void run_each(soci::session& session, std::span<GroupCommit::Entry* const> batch) {
    for (auto* entry : batch) {
        entry->failure = nullptr;  // of an earlier attempt
        session << "SAVEPOINT work";
        try {
            SqliteTransaction transaction(session);
            (*entry->work)(transaction);
        } catch (...) {
            if (!in_transaction(session)) throw;
            entry->failure = std::current_exception();
            session << "ROLLBACK TO work";
        }
        session << "RELEASE work";
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

std::unique_ptr<SqliteStore> SqliteStore::open(const std::filesystem::path& path) {
    if (path.string().find('"') != std::string::npos)
        throw Error(ErrorKind::config,
                    "the path of a database cannot hold a quotation mark: " + path.string());
    require_private_file(path);
    std::unique_ptr<SqliteStore> store(new SqliteStore(path));
    try {
        store->migrate();
    } catch (const soci::sqlite3_soci_error& error) {
        rethrow(error);
    } catch (const soci::soci_error& error) {
        throw Error(ErrorKind::storage, "cannot open the database " + path.string() + ": " + error.what());
    }
    sync_dir(path.parent_path().empty() ? "." : path.parent_path());
    return store;
}

void SqliteStore::migrate() {
    auto session = sessions_->take();
    const auto steps = schema_steps();
    *session << "BEGIN IMMEDIATE";
    const std::int64_t version = count(*session, "PRAGMA user_version");
    if (version > static_cast<std::int64_t>(steps.size()))
        throw Error(ErrorKind::refused,
                    "the database has schema version " + std::to_string(version) + ", this program knows " +
                        std::to_string(steps.size()),
                    "Nothing was changed. Run the newer strongroom-dispatcher that wrote it.");
    for (auto step = static_cast<std::size_t>(version); step < steps.size(); ++step) {
        for (const auto statement : steps[step]) *session << std::string(statement);
        *session << "PRAGMA user_version = " + std::to_string(step + 1);
    }
    *session << "COMMIT";
    sessions_->give_back(std::move(session));
}

void SqliteStore::commit(std::span<GroupCommit::Entry* const> batch) {
    for (int attempt = 1;; ++attempt) {
        try {
            auto session = sessions_->take();
            run_transaction(*session, "BEGIN IMMEDIATE", [&] { run_each(*session, batch); });
            sessions_->give_back(std::move(session));
            return;
        } catch (const soci::sqlite3_soci_error& error) {
            const int code = sqlite_code(error);
            if ((code != sqlite_busy && code != sqlite_locked) || attempt == max_attempts) throw;
            std::this_thread::sleep_for(std::chrono::milliseconds(20 * attempt));
        }
    }
}

void SqliteStore::transact(const Work& work) {
    as_our_errors([&] { commits_.run(work); });
}

void SqliteStore::read(const Work& work) {
    as_our_errors([&] {
        auto session = sessions_->take();
        *session << "PRAGMA query_only = ON";
        run_transaction(*session, "BEGIN", [&] {
            SqliteTransaction transaction(*session);
            work(transaction);
        });
        *session << "PRAGMA query_only = OFF";
        sessions_->give_back(std::move(session));
    });
}

}  // namespace strongroom::dispatcher
