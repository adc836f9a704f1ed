// The stream of a mydumper set, from a host that may be in foreign hands: a tar, the names in it, mydumper's
// account of the dump, and its files of triggers and routines.
#include <algorithm>

#include "common/restore/mydumper_code.hpp"
#include "common/restore/mydumper_extraction.hpp"
#include "common/restore/mydumper_file.hpp"
#include "common/tar/tar_reader.hpp"
#include "common/tar/tar_writer.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace strongroom::fuzz {
namespace {

struct Collected : tar::TarFiles {
    void begin(const std::string& name, std::int64_t size) override {
        require(size >= 0, "no size is negative");
        files.emplace_back(name, Bytes());
    }
    void data(BytesView bytes) override {
        files.back().second.append(bytes);
        total += bytes.size();
    }
    void end() override { ended++; }

    std::vector<std::pair<std::string, Bytes>> files;
    std::size_t ended = 0;
    std::size_t total = 0;
};

Collected read(BytesView stream, std::size_t piece, bool& good) {
    Collected out;
    good = accepts([&] {
        tar::TarReader reader(out);
        for (BytesView left = stream; !left.empty(); left.remove_prefix(std::min(piece, left.size())))
            reader.write(left.substr(0, piece));
        reader.finish();
    });
    if (good) require(out.ended == out.files.size(), "each file that begins ends");
    require(out.total <= stream.size(), "no file is longer than the stream");
    return out;
}

void name(BytesView text) {
    const auto file = restore::read_mydumper_name(text);
    if (!file) return;
    require(text.find('/') == BytesView::npos && text != "." && text != "..",
            "a known name stays in its folder");
    // The agent refuses quotes and backslashes for another reason.
    require(restore::has_files_of_its_own(file->name) || text.find_first_of("'`\\") != BytesView::npos,
            "a known name is of one table only");
}

void code(BytesView text) {
    std::size_t total = 0;
    for (const auto& statement : restore::read_mydumper_code(text, "file")) {
        require(text.find(statement.text) != BytesView::npos, "a statement is a part of the text");
        total += statement.text.size() + 2;
    }
    require(total <= text.size(), "no statement is read twice");
}

}  // namespace

void fuzz(BytesView input) {
    Front front(input);
    const std::size_t piece = 1U + front.byte() * 7U;
    name(front.rest());
    accepts([&] { restore::read_mydumper_account(front.rest()); });
    accepts([&] { code(front.rest()); });
    bool whole_good = false;
    bool cut_good = false;
    const Collected whole = read(front.rest(), front.rest().size() + 1, whole_good);
    const Collected cut = read(front.rest(), piece, cut_good);
    require(whole_good == cut_good, "cut into other writes, an archive is judged alike");
    if (!whole_good) return;
    require(whole.files == cut.files, "and read alike");
    tar::TarWriter writer;
    for (const auto& [path, content] : whole.files) {
        name(path);
        if (path.empty() || path.find('\0') != std::string::npos || path.ends_with('/')) return;
        writer.begin(path, std::ssize(content), UtcTime{});
        writer.add(content);
        writer.end();
    }
    writer.finish();
    bool again_good = false;
    const Collected again = read(writer.take(), piece, again_good);
    require(again_good && again.files == whole.files, "written again, the same files");
}

}  // namespace strongroom::fuzz
