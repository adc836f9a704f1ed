#include "common/restore/mydumper_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace strongroom::restore {
namespace {

bool is_plain(std::string_view name) {
    return name.find_first_of("./") == std::string_view::npos &&
           name.find("-schema") == std::string_view::npos;
}

bool is_number(std::string_view text) {
    return text.size() >= 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<MydumperFile> of_database(MydumperFile::Part part, std::string_view name) {
    if (name.empty() || !is_plain(name)) return std::nullopt;
    return MydumperFile{part, {std::string(name), {}}};
}

std::optional<MydumperFile> of_table(MydumperFile::Part part, std::string_view name) {
    const auto dot = name.find('.');
    if (dot == 0 || dot == std::string_view::npos || dot + 1 == name.size()) return std::nullopt;
    const auto database = name.substr(0, dot);
    const auto table = name.substr(dot + 1);
    if (!is_plain(database) || !is_plain(table)) return std::nullopt;
    return MydumperFile{part, {std::string(database), std::string(table)}};
}

}  // namespace

std::optional<MydumperFile> read_mydumper_name(std::string_view file) {
    if (file == "metadata") return MydumperFile{};
    if (!file.ends_with(".sql")) return std::nullopt;
    file.remove_suffix(4);
    const auto ends = [&](std::string_view suffix) {
        if (!file.ends_with(suffix)) return false;
        file.remove_suffix(suffix.size());
        return true;
    };
    if (ends("-schema-create")) return of_database(MydumperFile::Part::database, file);
    if (ends("-schema-post")) return of_database(MydumperFile::Part::routines, file);
    if (ends("-schema-triggers")) return of_table(MydumperFile::Part::triggers, file);
    if (ends("-schema-view")) return of_table(MydumperFile::Part::view, file);
    if (ends("-schema")) return of_table(MydumperFile::Part::structure, file);
    if (const auto dot = file.rfind('.'); dot != std::string_view::npos && is_number(file.substr(dot + 1)))
        if (auto chunk = of_table(MydumperFile::Part::rows, file.substr(0, dot))) return chunk;
    return of_table(MydumperFile::Part::rows, file);
}

bool has_files_of_its_own(const TableName& name) {
    const auto is_fit = [](const std::string& part) {
        return is_plain(part) && part.find_first_of("'`\\") == std::string::npos;
    };
    return is_fit(name.database) && is_fit(name.table);
}

}  // namespace strongroom::restore
