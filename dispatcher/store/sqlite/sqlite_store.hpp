// The store in one SQLite file: WAL, synchronous=FULL, BEGIN IMMEDIATE for every writer.
//
// Transactions that wait for each other are committed together (group_commit.hpp).
// (A plain BEGIN lost 641 of 800 read-then-write transactions to BUSY in a trial; BEGIN IMMEDIATE none.)
#pragma once

#include <filesystem>
#include <memory>

#include "dispatcher/store/sqlite/group_commit.hpp"
#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

class SqliteStore : public Store {
  public:
    // Makes a new private database file with the newest schema. Throws Error{exists} if the file is there.
    static std::unique_ptr<SqliteStore> create(const std::filesystem::path& path);

    // A dispatcher that serves holds the file's InstanceLock. A command runs beside it.
    enum class Use { serve, command };

    // Opens and, if its schema is older, migrates; a command does so only while no dispatcher serves the file
    // (Error{busy} otherwise). Throws Error{not_found}; Error{insecure_file} for a file that others can use;
    // Error{refused} for a schema that is newer than this program; Error{corrupt} if it is damaged.
    static std::unique_ptr<SqliteStore> open(const std::filesystem::path& path, Use use = Use::serve);

    ~SqliteStore() override;
    void transact(const Work& work) override;
    void read(const Work& work) override;

    // One consistent copy as a new file, while others read and write.
    void copy_to(const std::filesystem::path& path);
    // SQLite's own check of the whole file. Throws Error{corrupt}.
    void require_sound();

  private:
    class Sessions;
    explicit SqliteStore(const std::filesystem::path& path);
    void migrate(const std::filesystem::path& path, Use use);
    void commit(std::span<GroupCommit::Entry* const> batch);

    std::unique_ptr<Sessions> sessions_;
    GroupCommit commits_;
};

}  // namespace strongroom::dispatcher
