#include "common/restore/xbstream_guard.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::restore {
namespace {

constexpr std::string_view magic = "XBSTCK01";
constexpr std::size_t type_at = 9;        // after the magic and one byte of flags
constexpr std::size_t path_size_at = 10;  // four bytes
constexpr std::size_t fixed_header = 14;
constexpr std::uint64_t max_path = 4096;
constexpr std::uint64_t max_payload = UINT64_C(1) << 40;
constexpr std::uint64_t max_map = 1U << 24U;  // entries of a sparse map

}  // namespace

void require_inner_path(std::string_view name) {
    const auto refuse = [&](const char* why) {
        throw Error(ErrorKind::refused,
                    "the backup names a file \"" + printable_line(name, 200) + "\", " + why,
                    "Nothing was restored. The set is signed by its host: find out what happened there.");
    };
    std::string_view rest = name;
    while (rest.starts_with("./")) rest.remove_prefix(2);
    if (rest.empty()) refuse("which is empty");
    if (rest.starts_with('/')) refuse("which is absolute");
    for (const char c : rest)
        if (static_cast<unsigned char>(c) < 0x20 || c == '\\')
            refuse("which holds a control character or backslash");
    while (!rest.empty()) {
        const auto end = std::min(rest.find('/'), rest.size());
        const std::string_view part = rest.substr(0, end);
        if (part.empty() || part == ".") refuse("which has an empty part");
        if (part == "..") refuse("which leads out of the target");
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (rest.empty() && end < name.size() && name.ends_with('/')) refuse("which is no file");
    }
}

std::uint64_t XbstreamGuard::number_at(std::size_t offset, std::size_t bytes) const {
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;)
        value = value << 8U | static_cast<unsigned char>(header_[offset + i]);
    return value;
}

// Bytes of this header as far as they can be known from what has come.
std::size_t XbstreamGuard::header_size() const {
    std::size_t size = fixed_header;
    if (header_.size() < size) return size;
    if (!header_.starts_with(magic))
        throw Error(ErrorKind::corrupt, "the stream is no xbstream at chunk " + std::to_string(chunks_),
                    "Sets of dumps are restored with --pipe or --stdout.");
    const std::uint64_t path = number_at(path_size_at, 4);
    if (path == 0 || path > max_path)
        throw Error(ErrorKind::refused, "the stream holds a file name of " + std::to_string(path) + " bytes");
    size += static_cast<std::size_t>(path);
    const char type = header_[type_at];
    const bool sparse = type == 'S' && dialect_ == Dialect::percona;
    if (type == 'E') return size;
    if (type == 'P') return size + 20;  // length, offset, checksum
    if (sparse) return size + 24;       // number of map entries before those
    if (dialect_ == Dialect::mariadb) {
        if (type == 'S') return size + 8;  // seek to an offset
        if (type == 'D') return size;      // remove
        if (type == 'R') {                 // rename: the new name follows
            if (header_.size() < size + 4) return size + 4;
            const std::uint64_t renamed = number_at(size, 4);
            if (renamed == 0 || renamed > max_path)
                throw Error(ErrorKind::refused,
                            "the stream holds a file name of " + std::to_string(renamed) + " bytes");
            return size + 4 + static_cast<std::size_t>(renamed);
        }
    }
    throw Error(
        ErrorKind::refused,
        "the stream holds a chunk of the unknown type \"" + printable_line(std::string(1, type)) + "\"",
        "A newer program may be needed to restore it.");
}

void XbstreamGuard::finish_header() {
    const auto path = static_cast<std::size_t>(number_at(path_size_at, 4));
    const std::string_view view = header_;
    require_inner_path(view.substr(fixed_header, path));
    const std::size_t after = fixed_header + path;
    const char type = header_[type_at];
    if (type == 'P') payload_left_ = number_at(after, 8);
    if (type == 'R') require_inner_path(view.substr(after + 4));
    if (type == 'S' && dialect_ == Dialect::percona) {
        const std::uint64_t entries = number_at(after, 4);
        if (entries > max_map) throw Error(ErrorKind::refused, "the stream holds an oversized sparse map");
        payload_left_ = number_at(after + 4, 8);
        if (payload_left_ <= max_payload) payload_left_ += entries * 8;
    }
    if (payload_left_ > max_payload + max_map * 8)
        throw Error(ErrorKind::refused,
                    "the stream holds a chunk of " + std::to_string(payload_left_) + " bytes");
    inner_.write(header_.data(), header_.size());
    header_.clear();
    ++chunks_;
}

void XbstreamGuard::write(const char* data, std::size_t size) {
    while (size > 0) {
        std::size_t taken = 0;
        if (payload_left_ > 0) {
            taken = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, size));
            inner_.write(data, taken);
            payload_left_ -= taken;
        } else {
            taken = std::min(header_size() - header_.size(), size);
            header_.append(data, taken);
            if (header_.size() == header_size()) finish_header();
        }
        data += taken;
        size -= taken;
    }
}

void XbstreamGuard::commit() {
    if (!header_.empty() || payload_left_ > 0 || chunks_ == 0)
        throw Error(ErrorKind::corrupt, chunks_ == 0 && header_.empty() ? "the stream is empty"
                                                                        : "the stream ends within a chunk");
    inner_.commit();
}

}  // namespace strongroom::restore
