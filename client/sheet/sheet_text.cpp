// The sheet as plain text, 80 columns.
#include "client/sheet/recovery_sheet.hpp"

namespace strongroom::client {
namespace {

constexpr std::size_t columns = 80;
constexpr std::size_t value_column = 20;  // where the values of fields begin

// Pieces of at most `width` bytes, broken at spaces; a longer word is cut, or kept whole.
std::vector<std::string> wrapped(std::string_view text, std::size_t width, bool cut) {
    std::vector<std::string> out;
    while (text.size() > width) {
        std::size_t at = text.rfind(' ', width);
        if (at == std::string_view::npos) at = cut ? width : std::min(text.find(' '), text.size());
        out.emplace_back(text.substr(0, at));
        text.remove_prefix(std::min(text.size(), text.find_first_not_of(' ', at)));
    }
    if (!text.empty()) out.emplace_back(text);
    return out;
}

void add_field(std::string& out, const SheetPart& part) {
    std::string name = part.name;
    for (const auto& piece : wrapped(part.text, columns - value_column, true)) {
        name.resize(value_column, ' ');
        out += name + piece + "\n";
        name.clear();
    }
}

void add_command(std::string& out, const SheetPart& part) {
    const auto pieces = wrapped(part.text, columns - 8, false);
    for (std::size_t i = 0; i < pieces.size(); ++i)
        out += (i == 0 ? "    " : "      ") + pieces[i] + (i + 1 < pieces.size() ? " \\\n" : "\n");
}

}  // namespace

std::string sheet_text(const std::vector<SheetPart>& parts, const std::optional<QrCode>& code) {
    std::string out;
    for (const auto& part : parts) switch (part.kind) {
            case PartKind::title:
                out += part.text + "\n\n";
                break;
            case PartKind::heading:
                out += "\n" + part.text + "\n";
                break;
            case PartKind::field:
                add_field(out, part);
                break;
            case PartKind::note:
                for (const auto& piece : wrapped(part.text, columns, true)) out += piece + "\n";
                break;
            case PartKind::command:
                add_command(out, part);
                break;
        }
    if (!code) return out;
    out += "\n";
    for (const auto& line : code->lines()) out += "    " + line + "\n";
    return out;
}

}  // namespace strongroom::client
