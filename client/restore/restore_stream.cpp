#include "client/restore/restore.hpp"
#include "common/backupset/file_streams.hpp"
#include "common/backupset/process_streams.hpp"
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

// The command starts with its first byte: it must not run at all for a set that is not whole.
class CommandTarget : public backupset::Target {
  public:
    explicit CommandTarget(const std::vector<std::string>& command) : command_(command) {}
    void write(const char* data, std::size_t size) override { process().write(data, size); }
    void commit() override { process().commit(); }

  private:
    backupset::ProcessTarget& process() {
        if (!process_)
            process_ = std::make_unique<backupset::ProcessTarget>(backupset::ProcessTarget::Options{
                .name = command_.front(),
                .spawn = {.argv = command_, .fds = {{1, 1}}, .environment = {}, .directory = {}},
                .kind = ErrorKind::storage});
        return *process_;
    }
    const std::vector<std::string>& command_;
    std::unique_ptr<backupset::ProcessTarget> process_;
};

}  // namespace

void restore_pipe(const RestoreFrom& from, const backupset::Manifest& manifest,
                  const std::vector<std::string>& command) {
    if (command.empty())
        throw Error(ErrorKind::usage, "--pipe needs a command", "For example: --pipe mariadb shop");
    if (!find_program(command.front()))
        throw Error(ErrorKind::tool_missing, "the program " + command.front() + " of --pipe is not installed",
                    "Install it, or correct the name.");
    CommandTarget target(command);
    verify_then_open(from, manifest, target);
}

void restore_fd(const RestoreFrom& from, const backupset::Manifest& manifest, int fd,
                const std::string& name) {
    backupset::FdTarget target(fd, name);
    verify_then_open(from, manifest, target);
}

}  // namespace strongroom::client
