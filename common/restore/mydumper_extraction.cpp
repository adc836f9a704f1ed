#include "common/restore/mydumper_extraction.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <set>

#include "common/backupset/file_streams.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/printable.hpp"
#include "common/restore/mydumper_file.hpp"
#include "common/restore/server_folder.hpp"
#include "common/tar/tar_reader.hpp"

namespace strongroom::restore {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_account = 1U << 20U;  // bytes
constexpr std::size_t max_gtid = 8192;          // characters, as a manifest holds them

void require_space(const fs::path& folder, std::int64_t needed) {
    if (const auto free = free_bytes(folder); free < needed)
        throw Error(ErrorKind::storage,
                    "not enough space: unpacking the dump needs " + std::to_string(needed >> 20) +
                        " MiB in " + folder.parent_path().string() + ", and " + std::to_string(free >> 20) +
                        " MiB are free",
                    "Name a folder on a larger disk.");
}

class Files : public tar::TarFiles {
  public:
    Files(const Selection& wanted, const fs::path& folder) : wanted_(wanted), folder_(folder) {}

    void begin(const std::string& name, std::int64_t size) override {
        const auto file = read_mydumper_name(name);
        if (!file)
            throw Error(ErrorKind::refused,
                        "the archive holds " + printable_line(name, 200) + ", which mydumper does not write");
        if (whole_)
            throw Error(ErrorKind::refused, "the archive holds " + printable_line(name, 200) +
                                                " behind metadata, which mydumper writes last");
        whole_ = file->part == MydumperFile::Part::metadata;
        note(*file);
        if (!is_wanted(*file)) return;
        require_space(folder_, size);
        const auto path = folder_ / name;
        fd_ = UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!fd_)
            throw system_error(ErrorKind::storage, "cannot make " + printable_line(path.string()), errno);
        out_.emplace(fd_.get(), path.string());
    }
    void data(BytesView bytes) override {
        if (out_) out_->write(bytes.data(), bytes.size());
    }
    void end() override {
        out_.reset();
        fd_.reset();
    }

    bool whole() const { return whole_; }

    // What is in the archive of what is wanted.
    Selection found() const {
        Selection out;
        for (const auto& database : databases_)
            if (wanted_.all() || wanted_.holds_whole(database)) out.databases.push_back(database);
        for (const auto& table : tables_)
            if (wanted_.all() || wanted_.holds(table)) out.tables.push_back(table);
        return out;
    }

    void require_wanted() const { require_held(wanted_, databases_, tables_, ErrorKind::not_found); }

  private:
    void note(const MydumperFile& file) {
        if (file.part != MydumperFile::Part::metadata) databases_.insert(file.name.database);
        if (file.part == MydumperFile::Part::structure) tables_.insert(file.name);
    }
    bool is_wanted(const MydumperFile& file) const {
        if (wanted_.all() || file.part == MydumperFile::Part::metadata) return true;
        if (file.part == MydumperFile::Part::database) return wanted_.touches(file.name.database);
        if (file.part == MydumperFile::Part::routines) return wanted_.holds_whole(file.name.database);
        return wanted_.holds(file.name);
    }

    const Selection& wanted_;
    const fs::path& folder_;
    std::set<std::string> databases_;
    std::set<TableName> tables_;
    bool whole_ = false;  // metadata was there
    UniqueFd fd_;
    std::optional<backupset::FdTarget> out_;
};

class Unpacking : public backupset::Target {
  public:
    explicit Unpacking(tar::TarFiles& files) : reader_(files) {}
    void write(const char* data, std::size_t size) override { reader_.write({data, size}); }
    void commit() override { reader_.finish(); }

  private:
    tar::TarReader reader_;
};

// "\tLog: binlog.000042" in the part about the server itself; what follows is of a primary.
std::optional<std::string> value_of(std::string_view part, std::string_view key) {
    const auto at = part.find("\n\t" + std::string(key) + ":");
    if (at == std::string_view::npos) return std::nullopt;
    part.remove_prefix(at + key.size() + 3);
    part = part.substr(0, part.find('\n'));
    while (part.starts_with(' ')) part.remove_prefix(1);
    if (part.empty()) return std::nullopt;
    return std::string(part);
}

}  // namespace

Selection extract_mydumper(const ExtractFrom& from, const backupset::Manifest& manifest,
                           const Selection& wanted, const fs::path& folder) {
    if (manifest.stream != "tar")
        throw Error(
            ErrorKind::usage,
            "set " + manifest.set + " is no folder of mydumper, but a stream of " +
                printable_line(manifest.source_tool, 60),
            "Physical sets go to --datadir DIR, dumps to --output, --pipe, --stdout or --into-server.");
    if (wanted.all()) require_space(folder, manifest.plain_total);
    Files files(wanted, folder);
    {
        Unpacking target(files);
        backupset::open_set(from.opening(), manifest, from.store, from.home, target, from.on_progress);
    }
    if (!files.whole())
        throw Error(ErrorKind::corrupt, "the archive does not hold mydumper's account of the dump, metadata");
    read_mydumper_account(read_file(folder / "metadata", max_account));
    files.require_wanted();
    return files.found();
}

MydumperAccount read_mydumper_account(std::string_view metadata) {
    constexpr std::string_view end = "\nFinished dump at: ";
    const auto finished = metadata.rfind(end);
    if (!metadata.starts_with("Started dump at: ") || finished == std::string_view::npos)
        throw Error(ErrorKind::corrupt, "mydumper does not say in its metadata that the dump was finished");
    MydumperAccount out;
    out.finished = printable_line(metadata.substr(finished + end.size(), 19), 40);
    constexpr std::string_view own = "\nSHOW MASTER STATUS:\n";
    const auto begin = metadata.find(own);
    if (begin == std::string_view::npos) return out;
    auto part = metadata.substr(begin + own.size() - 1);
    part = part.substr(0, part.find("\n\n"));
    const auto position = value_of(part, "Pos");
    std::int64_t number = 0;
    if (!position) return out;
    const char* last = position->data() + position->size();
    if (std::from_chars(position->data(), last, number).ptr != last || number < 0) return out;
    out.position.binlog_file = value_of(part, "Log");
    if (!out.position.binlog_file) return out;
    out.position.binlog_position = number;
    out.position.gtid = value_of(part, "GTID");
    if (out.position.gtid && out.position.gtid->size() > max_gtid) out.position.gtid.reset();
    return out;
}

}  // namespace strongroom::restore
