#include "dispatcher/backup/tar.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <vector>

#include "common/base/error.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::size_t block = 512;
constexpr std::uint64_t max_size = (UINT64_C(1) << 33) - 1;  // eleven octal digits
constexpr std::size_t piece_size = 1U << 20U;

using Block = std::array<char, block>;

void put(Block& header, std::size_t offset, const std::string& text) {
    std::memcpy(header.data() + offset, text.data(), text.size());
}

std::string octal(std::uint64_t value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
    return text;
}

std::uint64_t checksum(Block header) {
    std::memset(header.data() + 148, ' ', 8);
    std::uint64_t sum = 0;
    for (const char byte : header) sum += static_cast<unsigned char>(byte);
    return sum;
}

Block make_header(const std::string& name, std::uint64_t size) {
    if (name.empty() || name.size() > 99 || size > max_size)
        throw Error(ErrorKind::internal, name + " does not fit into a tar header");
    Block header{};
    put(header, 0, name);
    put(header, 100, "0000600");
    put(header, 108, "0000000");
    put(header, 116, "0000000");
    put(header, 124, octal(size, 11));
    put(header, 136, "00000000000");
    header[156] = '0';
    put(header, 257, "ustar");
    put(header, 263, "00");
    put(header, 148, octal(checksum(header), 6));
    header[154] = '\0';
    header[155] = ' ';
    return header;
}

std::size_t padding(std::uint64_t size) {
    return static_cast<std::size_t>((block - size % block) % block);
}

[[noreturn]] void broken(const std::string& what) {
    throw Error(ErrorKind::corrupt, "not a backup of a dispatcher: " + what);
}

}  // namespace

void TarWriter::begin(const std::string& name, std::uint64_t size) {
    const Block header = make_header(name, size);
    sink_({header.data(), header.size()});
    left_ = size_ = size;
}

void TarWriter::write(BytesView piece) {
    if (piece.size() > left_)
        throw Error(ErrorKind::internal, "a file grew while it was written into an archive");
    left_ -= piece.size();
    sink_(piece);
}

void TarWriter::end() {
    if (left_ != 0) throw Error(ErrorKind::internal, "a file shrank while it was written into an archive");
    sink_(std::string(padding(size_), '\0'));
}

void TarWriter::add(const std::string& name, BytesView content) {
    begin(name, content.size());
    write(content);
    end();
}

void TarWriter::finish() {
    sink_(std::string(2 * block, '\0'));
}

void TarReader::read_exactly(char* buffer, std::size_t size) {
    if (source_(buffer, size) != size) broken("it ends too early");
}

TarReader::Entry TarReader::next(const std::string& name, std::uint64_t max) {
    Block header{};
    read_exactly(header.data(), header.size());
    const std::string size_text(header.data() + 124, 11);
    if (size_text.find_first_not_of("01234567") != std::string::npos) broken("it has no tar header");
    const std::uint64_t size = std::stoull(size_text, nullptr, 8);
    if (header != make_header(name, size)) broken("\"" + name + "\" is not where it should be");
    if (size > max) broken("\"" + name + "\" is too large");
    return {name, size};
}

void TarReader::read(const Entry& entry, const std::function<void(BytesView)>& sink) {
    std::vector<char> buffer(piece_size);
    for (std::uint64_t left = entry.size; left > 0;) {
        const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
        read_exactly(buffer.data(), piece);
        sink({buffer.data(), piece});
        left -= piece;
    }
    const std::size_t rest = padding(entry.size);
    read_exactly(buffer.data(), rest);
    if (std::any_of(buffer.data(), buffer.data() + rest, [](char c) { return c != '\0'; }))
        broken("padding is not empty");
}

Bytes TarReader::read(const Entry& entry) {
    Bytes out;
    read(entry, [&](BytesView piece) { out += piece; });
    return out;
}

void TarReader::finish() {
    std::array<char, 2 * block> end{};
    read_exactly(end.data(), end.size());
    if (std::any_of(end.begin(), end.end(), [](char c) { return c != '\0'; }))
        broken("it goes on after its end");
    char more = 0;
    if (source_(&more, 1) != 0) broken("it goes on after its end");
}

}  // namespace strongroom::dispatcher
