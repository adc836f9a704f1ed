// What TarWriter writes and TarReader reads, each of them also against GNU tar.
#include <catch2/catch.hpp>
#include <filesystem>
#include <utility>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/subprocess.hpp"
#include "common/tar/tar_reader.hpp"
#include "common/tar/tar_writer.hpp"
#include "tests/support/error_of.hpp"

using namespace strongroom;
using namespace strongroom::tar;
using Catch::Matchers::Contains;
using test::error_of;

namespace {

using Named = std::vector<std::pair<std::string, Bytes>>;

const Named small{{"metadata", "Started\n"},
                  {"shop.empty.sql", ""},
                  {"shop.tähle 日本-schema.sql", Bytes(512, 'x')},
                  {"one.more-schema.sql", Bytes(513, '\0')},
                  {std::string(120, 'd') + "." + std::string(120, 't') + ".sql", "of a long name"},
                  {"-rf.sql", "an option"}};

Bytes packed(const Named& files) {
    TarWriter writer;
    Bytes out;
    for (const auto& [name, bytes] : files) {
        writer.begin(name, std::ssize(bytes), parse_utc("2026-11-22T01:37:00Z"));
        for (std::size_t at = 0; at < bytes.size(); at += 100'000) {
            writer.add(BytesView(bytes).substr(at, 100'000));
            out += writer.take();
        }
        writer.end();
    }
    writer.finish();
    return out + writer.take();
}

struct Collected : TarFiles {
    void begin(const std::string& name, std::int64_t size) override {
        if (name == fail_at) throw Error(ErrorKind::storage, "the disk is full");
        files.emplace_back(name, "");
        said = size;
    }
    void data(BytesView bytes) override { files.back().second += bytes; }
    void end() override { sizes_agree = sizes_agree && said == std::ssize(files.back().second); }

    Named files;
    std::int64_t said = 0;
    bool sizes_agree = true;
    std::string fail_at;
};

void read_in_pieces(const Bytes& archive, std::size_t piece, TarFiles& files) {
    TarReader reader(files);
    for (std::size_t at = 0; at < archive.size(); at += piece)
        reader.write(BytesView(archive).substr(at, piece));
    reader.finish();
}

Named unpacked(const Bytes& archive, std::size_t piece = 1U << 16U) {
    Collected out;
    read_in_pieces(archive, piece, out);
    CHECK(out.sizes_agree);
    return out.files;
}

RunResult gnu_tar(const std::filesystem::path& folder, std::vector<std::string> arguments,
                  BytesView input = {}) {
    arguments.insert(arguments.begin(), {"tar", "-C", folder.string()});
    auto out = run_program({.argv = arguments, .fds = {}, .environment = {}, .directory = {}}, input);
    INFO(out.err);
    REQUIRE(out.status.ok());
    return out;
}

}  // namespace

TEST_CASE("files go through a tar stream, in pieces of any size") {
    const Bytes archive = packed(small);
    for (const std::size_t piece : {1U, 7U, 511U, 512U, 513U, 1024U, 1U << 20U}) {
        INFO(piece);
        CHECK(unpacked(archive, piece) == small);
    }
    const Named large{{"large.sql", random_bytes(5'000'001)}, {"next.sql", "n"}};
    CHECK(unpacked(packed(large), 65'537) == large);
    CHECK(unpacked(packed({})).empty());
}

TEST_CASE("GNU tar reads what is written, and what it writes is read") {
    const TempDir folder;
    const Bytes archive = packed(small);
    gnu_tar(folder.path(), {"-x", "-f", "-"}, archive);
    for (const auto& [name, bytes] : small) {
        INFO(name);
        CHECK(read_file(folder.path() / name, 1U << 20U) == bytes);
        CHECK((std::filesystem::status(folder.path() / name).permissions() & std::filesystem::perms(077)) ==
              std::filesystem::perms::none);
    }
    std::vector<std::string> arguments{"-c", "-f", "-", "--"};
    for (const auto& [name, bytes] : small) arguments.push_back(name);
    CHECK(unpacked(gnu_tar(folder.path(), arguments).out) == small);
}

TEST_CASE("a tar stream that is not whole is told from one that is") {
    const Bytes archive = packed(small);
    const auto kind_of = [&](const Bytes& bytes) {
        Collected files;
        return error_of([&] { read_in_pieces(bytes, 1000, files); }).kind();
    };
    const auto body = archive.find("xxx");
    CHECK(kind_of(archive.substr(0, body + 100)) == ErrorKind::corrupt);  // within a file
    CHECK(kind_of(archive.substr(0, 100)) == ErrorKind::corrupt);         // within a header
    CHECK(kind_of(random_bytes(20'000)) == ErrorKind::corrupt);
    CHECK(kind_of("CREATE TABLE t (i INT);\n") == ErrorKind::corrupt);
    Bytes damaged = archive;
    damaged[body - 500] = static_cast<char>(damaged[body - 500] ^ 1);  // in its header, which has a sum
    CHECK(kind_of(damaged) == ErrorKind::corrupt);
    // A reader that is left in the middle ends.
    Collected files;
    TarReader(files).write(BytesView(archive).substr(0, body));
}

TEST_CASE("links and folders in a tar stream are refused") {
    const TempDir folder;
    write_file_atomic(folder.path() / "plain", "p");
    std::filesystem::create_symlink("/etc/passwd", folder.path() / "symbolic");
    std::filesystem::create_hard_link(folder.path() / "plain", folder.path() / "hard");
    std::filesystem::create_directory(folder.path() / "folder");
    const auto refused = [&](const std::vector<std::string>& names) {
        std::vector<std::string> arguments{"-c", "-f", "-"};
        arguments.insert(arguments.end(), names.begin(), names.end());
        Collected files;
        const auto error =
            error_of([&] { read_in_pieces(gnu_tar(folder.path(), arguments).out, 4096, files); });
        CHECK(error.kind() == ErrorKind::refused);
        return error.text();
    };
    CHECK_THAT(refused({"symbolic"}), Contains("symbolic, which is no plain file"));
    CHECK_THAT(refused({"plain", "hard"}), Contains("hard, which is no plain file"));
    CHECK_THAT(refused({"folder"}), Contains("folder/, which is no plain file"));
}

TEST_CASE("what is wrong with a file comes out of write(), again and again") {
    Collected files;
    files.fail_at = "shop.empty.sql";
    const Bytes archive = packed(small);
    TarReader reader(files);
    CHECK(error_of([&] { reader.write(archive); }).kind() == ErrorKind::storage);
    CHECK(error_of([&] { reader.write(archive); }).kind() == ErrorKind::storage);
    CHECK(error_of([&] { reader.finish(); }).kind() == ErrorKind::storage);
    CHECK(files.files.size() == 1);
}

TEST_CASE("a file of an archive is exactly as long as was said") {
    TarWriter writer;
    writer.begin("a", 3, parse_utc("2026-11-22T01:37:00Z"));
    writer.add("12");
    CHECK(error_of([&] { writer.end(); }).kind() == ErrorKind::internal);
    CHECK(error_of([&] { writer.add("34"); }).kind() == ErrorKind::internal);
    writer.add("3");
    writer.end();
    writer.finish();
    CHECK(unpacked(writer.take()) == Named{{"a", "123"}});
}
