// Tables and databases out of a dump, to a command, a descriptor, a new file or a running server.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/restore/restore.hpp"
#include "common/backupset/file_streams.hpp"
#include "common/backupset/process_streams.hpp"
#include "common/base/file.hpp"
#include "common/restore/dump_splitter.hpp"

namespace strongroom::client {

// Writes the whole SQL text of a set to a target, and commits it. May be called more than once.
using SqlFeed = std::function<void(backupset::Target&)>;

// The stream of a dump. Throws Error{usage} if the set is none.
SqlFeed feed_of_dump(const RestoreFrom& from, const backupset::Manifest& manifest);

// What is wanted of the text goes to `target`, which is committed last. The text is read twice: before the
// first byte is released all of it was verified and decrypted, ended as a whole dump does, and held each
// table and database that is wanted, else Error{corrupt} or Error{not_found} with the nearest names. With
// `one_pass` it is read once: for targets that show nothing before their commit.
//
// Tables of one database come without CREATE DATABASE and USE; several databases, or a whole one, with them.
void restore_part(const RestoreFrom& from, const SqlFeed& feed, const restore::Selection& wanted,
                  backupset::Target& target, bool one_pass, bool skip_triggers = false);

// A file that gets its name when it is complete. Throws Error{exists} if there is one already.
class NewFileTarget : public backupset::Target {
  public:
    explicit NewFileTarget(const std::filesystem::path& path);
    void write(const char* data, std::size_t size) override { out_.write(data, size); }
    void commit() override { file_.commit(); }

  private:
    NewFile file_;
    backupset::FdTarget out_;
};

// A command (argv; no shell) that is started with its first byte: it must not run at all for a set that is
// not whole.
class CommandTarget : public backupset::Target {
  public:
    // Throws Error{usage} without a command, Error{tool_missing} if it is not installed.
    explicit CommandTarget(std::vector<std::string> command);
    void write(const char* data, std::size_t size) override { process().write(data, size); }
    void commit() override { process().commit(); }

  private:
    backupset::ProcessTarget& process();
    std::vector<std::string> command_;
    std::unique_ptr<backupset::ProcessTarget> process_;
};

}  // namespace strongroom::client
