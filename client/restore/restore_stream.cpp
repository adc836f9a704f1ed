#include "client/restore/restore.hpp"
#include "client/restore/sql_parts.hpp"
#include "common/backupset/file_streams.hpp"
#include "common/backupset/verifier.hpp"
#include "common/base/error.hpp"

namespace strongroom::client {
namespace {

void verify_then_open(const RestoreFrom& from, const backupset::Manifest& manifest,
                      backupset::Target& target) {
    if (manifest.parent)
        throw Error(ErrorKind::usage,
                    "set " + manifest.set + " is an increment: its stream alone is not a backup",
                    "Restore it with --datadir DIR: the sets that it builds on are applied by themselves.");
    if (!from.one_pass) {
        from.say("checking every segment of set " + manifest.set + " before the first byte is released");
        backupset::verify_set(manifest, from.store, from.on_progress, {from.workers});
    }
    from.say("restoring set " + manifest.set);
    backupset::open_set({from.workers}, manifest, from.store, from.home, target, from.on_progress);
}

}  // namespace

void restore_pipe(const RestoreFrom& from, const backupset::Manifest& manifest,
                  const std::vector<std::string>& command) {
    CommandTarget target(command);
    verify_then_open(from, manifest, target);
}

void restore_fd(const RestoreFrom& from, const backupset::Manifest& manifest, int fd,
                const std::string& name) {
    backupset::FdTarget target(fd, name);
    verify_then_open(from, manifest, target);
}

}  // namespace strongroom::client
