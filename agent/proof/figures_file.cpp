#include "agent/proof/figures_file.hpp"

#include <algorithm>
#include <system_error>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/file.hpp"

namespace strongroom::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_figures = 256U << 20U;
constexpr std::size_t kept_files = 500;

fs::path folder_of(const StateDir& state) {
    return state.path() / "figures";
}

}  // namespace

std::optional<Figures> load_figures(const StateDir& state, const std::string& set) {
    const fs::path file = folder_of(state) / (set + ".json");
    if (!fs::exists(file)) return std::nullopt;
    require_private_file(file);
    const auto damaged = [&](const std::string& why) {
        return Error(ErrorKind::config, "the figures " + file.string() + " are of no use: " + why,
                     "Remove the file: then nothing is compared, and the proof says so.");
    };
    try {
        auto out = from_json<Figures>(parse_json(read_file(file, max_figures), max_figures));
        if (out.set != set) throw damaged("they are of set " + out.set);
        return out;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::protocol) throw;
        throw damaged(error.text());
    }
}

void save_figures(const StateDir& state, const Figures& figures) {
    const fs::path folder = folder_of(state);
    make_private_dir(folder);
    write_file_atomic(folder / (figures.set + ".json"), to_json(figures).dump() + "\n");
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    if (files.size() <= kept_files) return;
    std::ranges::sort(files);  // names are set ids, which sort by time
    for (auto old = files.begin(); old != files.end() - kept_files; ++old) {
        std::error_code ignored;  // the next call tries again
        fs::remove(*old, ignored);
    }
}

}  // namespace strongroom::agent
