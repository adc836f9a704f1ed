#include "agent/rotation/reencrypt_journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/log.hpp"

namespace strongroom::agent {
namespace {

constexpr std::size_t max_journal = backupset::max_manifest;  // it has the same list of segments
constexpr std::size_t max_line = 4096;

struct Head {
    std::string replaces;
    std::string set;
    std::string envelope_sha256;
    template <class Fields>
    void fields(Fields& f) {
        f("replaces", replaces, set_id_text);
        f("set", set, set_id_text);
        f("envelope_sha256", envelope_sha256, sha256_text);
    }
};

std::string reason() {
    return std::generic_category().message(errno);
}

}  // namespace

std::optional<backupset::BegunReencryption> ReencryptJournal::read(const std::string& old_set) const {
    if (!std::filesystem::exists(file_)) return std::nullopt;
    try {
        const Bytes text = read_file(file_, max_journal);
        std::optional<backupset::BegunReencryption> out;
        for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != Bytes::npos; at = end + 1) {
            const Json json = parse_json(BytesView(text).substr(at, end - at), max_line);
            if (out) {
                out->segments.push_back(from_json<backupset::Segment>(json));
                continue;
            }
            const auto head = from_json<Head>(json);
            if (head.replaces != old_set) return std::nullopt;
            out = backupset::BegunReencryption{head.set, head.envelope_sha256, {}};
        }
        return out;
    } catch (const Error& error) {
        log_event(Level::warning, "AGENT_REENCRYPT_JOURNAL_UNREADABLE", "set {} is begun from its start: {}",
                  old_set, error.text());
        return std::nullopt;
    }
}

void ReencryptJournal::begin(const std::string& old_set, const backupset::BegunReencryption& begun) {
    fd_ = UniqueFd();
    write_file_atomic(file_, to_json(Head{old_set, begun.set, begun.envelope_sha256}).dump() + "\n");
}

void ReencryptJournal::add(const backupset::Segment& segment) {
    append(to_json(segment).dump() + "\n");
}

void ReencryptJournal::clear() {
    fd_ = UniqueFd();
    if (::unlink(file_.c_str()) != 0 && errno != ENOENT)
        throw Error(ErrorKind::storage, "cannot remove " + file_.string() + ": " + reason());
}

void ReencryptJournal::append(const std::string& line) {
    if (!fd_) {
        fd_ = UniqueFd(::open(file_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
        if (!fd_) throw Error(ErrorKind::storage, "cannot open " + file_.string() + ": " + reason());
        // A line that a crash cut must not become the beginning of this one.
        const auto whole = read_file(file_, max_journal).rfind('\n') + 1;
        if (::ftruncate(fd_.get(), static_cast<off_t>(whole)) != 0)
            throw Error(ErrorKind::storage, "cannot cut " + file_.string() + ": " + reason());
    }
    write_all(fd_.get(), line.data(), line.size(), ErrorKind::storage, file_.c_str());
    if (::fdatasync(fd_.get()) != 0)
        throw Error(ErrorKind::storage, "cannot sync " + file_.string() + ": " + reason());
}

}  // namespace strongroom::agent
