#include "common/restore/mydumper_code.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/restore/dump_reader.hpp"

namespace strongroom::restore {
namespace {

// What a client of the database reads.
struct Seen : DumpReader::Events {
    void on_comment(std::string_view) override {}
    void on_statement(const std::vector<SqlToken>& tokens) override {
        ++statements;
        head = tokens;
    }
    void on_text(std::string_view) override {}
    void on_end(const std::string&) override {}

    int statements = 0;
    std::vector<SqlToken> head;
};

bool is_one_statement(std::string_view text, Seen& seen) {
    DumpReader reader(seen);
    try {
        reader.write("DELIMITER ;;\n" + std::string(text) + " ;;\n");
        reader.finish();
    } catch (const Error&) {
        return false;
    }
    return seen.statements == 1;
}

// CREATE DEFINER = `a`@`b` TRIGGER name BEFORE INSERT ON `database`.`table`
std::string table_of_trigger(const std::vector<SqlToken>& head) {
    if (head.empty() || !head.front().is("CREATE")) return {};
    const auto word = [](std::string_view text) {
        return [text](const SqlToken& token) { return token.is(text); };
    };
    const auto trigger = std::ranges::find_if(head, word("TRIGGER"));
    auto at = std::find_if(trigger, head.end(), word("ON"));
    if (at == head.end() || ++at == head.end()) return {};
    if (head.end() - at > 2 && (at + 1)->is('.')) at += 2;
    return at->value;
}

std::string folded(std::string_view name) {
    std::string out;
    for (const char c : name)
        if ((static_cast<unsigned char>(c) & 0x80U) == 0)
            out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

}  // namespace

std::vector<MydumperStatement> read_mydumper_code(std::string_view code, const std::string& file) {
    std::vector<MydumperStatement> out;
    while (!code.empty()) {
        const auto end = code.find(";\n");
        if (end == std::string_view::npos)
            throw Error(ErrorKind::corrupt,
                        printable_line(file, 200) + " of the dump ends within a statement");
        MydumperStatement one{code.substr(0, end), false, {}};
        code.remove_prefix(end + 2);
        Seen seen;
        if (!is_one_statement(one.text, seen))
            throw Error(ErrorKind::refused,
                        printable_line(file, 200) +
                            " of the dump holds what only another sql_mode reads as one statement: " +
                            printable_line(one.text.substr(0, 100), 100),
                        "mydumper does not keep the sql_mode of triggers and routines. Take the files "
                        "(--dump-folder DIR), and correct this one.");
        one.whole = !seen.head.empty() && seen.head.front().is("CREATE");
        one.trigger_table = table_of_trigger(seen.head);
        out.push_back(std::move(one));
    }
    return out;
}

// Letters beyond ASCII are not compared.
bool may_be_one_table(std::string_view a, std::string_view b) {
    return folded(a) == folded(b);
}

}  // namespace strongroom::restore
