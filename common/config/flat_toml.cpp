#include "common/config/flat_toml.hpp"

#include <algorithm>
#include <map>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::config {
namespace {

bool is_bare(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class Parser {
  public:
    Parser(std::string_view text, const std::string& file) : text_(text), file_(file) {}

    std::vector<Setting> parse() {
        if (!is_valid_utf8(text_)) fail("the file is not UTF-8 text");
        std::vector<Setting> out;
        std::map<std::string, int> first_line;
        for (skip_blank_lines(); !at_end(); skip_blank_lines()) {
            Setting setting = parse_setting();
            const auto [earlier, is_new] = first_line.emplace(setting.key, setting.line);
            if (!is_new) {
                line_ = setting.line;
                fail("\"" + setting.key + "\" was set already in line " + std::to_string(earlier->second));
            }
            out.push_back(std::move(setting));
        }
        return out;
    }

  private:
    bool at_end() const { return at_ >= text_.size(); }
    char peek() const { return at_end() ? '\0' : text_[at_]; }
    void advance() {
        if (text_[at_] == '\n') ++line_;
        ++at_;
    }

    [[noreturn]] void fail(const std::string& problem, std::string hint = {}) const {
        throw Error(ErrorKind::config,
                    file_ + " line " + std::to_string(line_) + ": " + printable_line(problem, 200),
                    hint.empty() ? "Settings look like this: key = \"text\", key = 5, key = [\"a\", \"b\"]"
                                 : std::move(hint));
    }

    void skip_spaces() {
        while (peek() == ' ' || peek() == '\t' || (peek() == '\r' && text_.substr(at_, 2) == "\r\n"))
            advance();
    }
    void skip_comment() {
        if (peek() == '#')
            while (!at_end() && peek() != '\n') advance();
    }
    void skip_blank_lines() {
        for (;;) {
            skip_spaces();
            skip_comment();
            if (peek() != '\n' || at_end()) return;
            advance();
        }
    }

    Setting parse_setting() {
        Setting out;
        out.line = line_;
        if (peek() == '[')
            fail("sections like [name] are not used here", "Write all settings as key = value lines.");
        while (is_bare(peek())) {
            out.key += peek();
            advance();
        }
        if (out.key.empty()) fail("a setting must start with its name");
        skip_spaces();
        if (peek() != '=') fail("\"=\" is missing after \"" + out.key + "\"");
        advance();
        skip_spaces();
        if (peek() == '[') {
            out.is_list = true;
            out.values = parse_list();
        } else {
            out.values.push_back(parse_value());
        }
        skip_spaces();
        skip_comment();
        if (!at_end() && peek() != '\n') fail("unexpected text after the value of \"" + out.key + "\"");
        return out;
    }

    std::vector<std::string> parse_list() {
        std::vector<std::string> out;
        advance();  // [
        for (;;) {
            skip_blank_lines();
            if (peek() == ']') break;
            out.push_back(parse_value());
            skip_blank_lines();
            if (peek() == ']') break;
            if (peek() != ',') fail("a list needs \",\" or \"]\" here");
            advance();
        }
        advance();  // ]
        return out;
    }

    std::string parse_value() {
        if (peek() == '"') return parse_basic_text();
        if (peek() == '\'') return parse_literal_text();
        std::string word;
        while (!at_end() && (is_bare(peek()) || peek() == '+' || peek() == '.' || peek() == ':')) {
            word += peek();
            advance();
        }
        if (word.empty()) fail("a value is missing, or it is text without quotes");
        if (word == "true" || word == "false") return word;
        std::string digits;
        std::ranges::copy_if(word, std::back_inserter(digits), [](char c) { return c != '_'; });
        const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
        const auto start = digits.begin() + (digits[0] == '-' || digits[0] == '+' ? 1 : 0);
        if (start == digits.end() || !std::all_of(start, digits.end(), is_digit))
            fail("\"" + word + "\" is not a whole number, true or false; text needs quotes");
        return digits[0] == '+' ? digits.substr(1) : digits;
    }

    std::string parse_literal_text() {
        advance();
        std::string out;
        while (peek() != '\'') {
            if (at_end() || peek() == '\n') fail("the closing ' is missing");
            out += peek();
            advance();
        }
        advance();
        return checked(std::move(out));
    }

    std::string parse_basic_text() {
        advance();
        std::string out;
        while (peek() != '"') {
            if (at_end() || peek() == '\n') fail("the closing \" is missing");
            if (peek() == '\\') {
                advance();
                static const std::map<char, char> escapes{{'"', '"'}, {'\\', '\\'}, {'t', '\t'}};
                const auto found = escapes.find(peek());
                if (found == escapes.end())
                    fail("only \\\" \\\\ and \\t may follow a backslash",
                         "Text in 'single quotes' is taken as it is.");
                out += found->second;
            } else {
                out += peek();
            }
            advance();
        }
        advance();
        return checked(std::move(out));
    }

    std::string checked(std::string value) const {
        for (const char c : value)
            if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F)
                fail("the value holds a control character");
        return value;
    }

    std::string_view text_;
    const std::string& file_;
    std::size_t at_ = 0;
    int line_ = 1;
};

}  // namespace

std::vector<Setting> parse_flat_toml(std::string_view text, const std::string& file) {
    return Parser(text, file).parse();
}

}  // namespace strongroom::config
