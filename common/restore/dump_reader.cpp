#include "common/restore/dump_reader.hpp"

#include <algorithm>
#include <array>

#include "common/base/error.hpp"

namespace strongroom::restore {
namespace {

constexpr std::size_t look_ahead = 16;     // bytes: the longest opening, "/*M!999999\-", and what follows it
constexpr std::size_t max_delimiter = 64;  // bytes
constexpr std::size_t max_word = 1024;     // bytes kept of a token; a name has at most 64 characters

// The dump's first line; the client takes it for a command, a server for a comment.
constexpr std::string_view sandbox_comment = "/*M!999999\\-";

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (static_cast<unsigned char>(c) & 0x80U) != 0;
}

bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool starts_line_comment(std::string_view in) {
    if (in[0] == '#') return true;
    return in.starts_with("--") && (in.size() == 2 || static_cast<unsigned char>(in[2]) <= ' ');
}

// Length of the opening of a version comment, 0 if there is none.
std::size_t version_comment(std::string_view in) {
    if (in.starts_with(sandbox_comment)) return 0;
    std::size_t out = in.starts_with("/*!") ? 3 : in.starts_with("/*M!") ? 4 : 0;
    if (out == 0) return 0;
    const std::size_t digits = out + 6;
    while (out < std::min(in.size(), digits) && in[out] >= '0' && in[out] <= '9') ++out;
    return out;
}

bool starts_with_word(std::string_view in, std::string_view word) {
    return in.size() > word.size() &&
           std::equal(word.begin(), word.end(), in.begin(), [](char a, char b) { return a == upper(b); }) &&
           (in[word.size()] == ' ' || in[word.size()] == '\t');
}

// Behind the quoted text that begins at `at`; 0 if it does not end here for sure.
std::size_t quoted_text_end(std::string_view in, std::size_t at, bool backslash) {
    const char quote = in[at++];
    for (;;) {
        while (at < in.size() && in[at] != quote && (in[at] != '\\' || !backslash)) ++at;
        if (at + 1 >= in.size()) return 0;
        if (in[at] == quote && in[at + 1] != quote) return at + 1;
        at += 2;  // an escaped byte, or a doubled quote
    }
}

}  // namespace

bool SqlToken::is(std::string_view word) const {
    return kind == Kind::word && std::ranges::equal(value, word, {}, upper, upper);
}

void DumpReader::write(std::string_view bytes) {
    pending_.append(bytes);
    run(false);
}

void DumpReader::finish() {
    run(true);
    if (state_ == State::line_comment) events_.on_comment(comment_);
    if (state_ != State::between && state_ != State::line_comment)
        throw Error(ErrorKind::corrupt, "the dump ends within a statement or a comment",
                    "It is not complete.");
}

void DumpReader::run(bool last) {
    const std::string text = std::move(pending_);
    const std::string_view all(text);
    std::size_t at = 0;
    std::size_t passed = 0;
    while (at < all.size() && (last || all.size() - at >= look_ahead + delimiter_.size())) {
        const bool was_inside = state_ >= State::code;
        const std::size_t took = step(all.substr(at));
        const bool is_inside = state_ >= State::code;
        line_ += std::count(all.begin() + static_cast<std::ptrdiff_t>(at),
                            all.begin() + static_cast<std::ptrdiff_t>(at + took), '\n');
        line_start_ = all[at + took - 1] == '\n';
        if (was_inside && !is_inside) {  // the delimiter
            pass(all.substr(passed, at - passed));
            end();
            passed = at + took;
        } else if (!is_inside) {
            passed = at + took;
        } else if (!told_ && tokens_.size() >= max_tokens) {
            tell();
        }
        at += took;
    }
    pass(all.substr(passed, at - passed));
    pending_.assign(all.substr(at));
}

std::size_t DumpReader::step(std::string_view in) {
    switch (state_) {
        case State::between:
            return between(in);
        case State::line_comment:
        case State::delimiter:
            return skip_line(in, State::between);
        case State::block_comment:
            return skip_block(in, State::between);
        case State::code:
            return code(in);
        case State::code_line:
            return skip_line(in, State::code);
        case State::code_block:
            return skip_block(in, State::code);
        case State::quoted:
            return quoted(in);
    }
    return in.size();
}

std::size_t DumpReader::between(std::string_view in) {
    if (is_blank(in[0])) return 1;
    if (starts_line_comment(in)) {
        state_ = State::line_comment;
        comment_.clear();
        return skip_line(in, State::between);
    }
    if (in.starts_with("/*") && version_comment(in) == 0) {
        state_ = State::block_comment;
        return 2;
    }
    if (in.starts_with(delimiter_)) return delimiter_.size();  // an empty statement
    if (line_start_ && starts_with_word(in, "DELIMITER")) {
        state_ = State::delimiter;
        comment_.clear();
        return 10;
    }
    begin();
    return code(in);
}

std::size_t DumpReader::skip_line(std::string_view in, State then) {
    const auto end = std::min(in.find('\n'), in.size());
    const bool kept = state_ == State::line_comment || state_ == State::delimiter;
    if (kept && comment_.size() < max_comment)
        comment_.append(in.substr(0, std::min(end, max_comment - comment_.size())));
    if (end == in.size()) return end;
    if (state_ == State::line_comment) events_.on_comment(comment_);
    if (state_ == State::delimiter) {
        std::erase_if(comment_, is_blank);
        if (comment_.empty() || comment_.size() > max_delimiter ||
            comment_.find_first_of("'\"`\\") != std::string::npos)
            throw Error(ErrorKind::corrupt, "the dump has a DELIMITER that is not understood");
        delimiter_ = comment_;
    }
    state_ = then;
    return end + 1;
}

std::size_t DumpReader::skip_block(std::string_view in, State then) {
    const auto end = in.find("*/");
    if (end == std::string_view::npos) return in.ends_with('*') && in.size() > 1 ? in.size() - 1 : in.size();
    state_ = then;
    return end + 2;
}

std::size_t DumpReader::code(std::string_view in) {
    static constexpr auto is_special = [] {
        std::array<bool, 256> out{};
        for (const char c : {'\'', '"', '`', '-', '#', '/', '*'}) out[static_cast<unsigned char>(c)] = true;
        return out;
    }();
    const char c = in[0];
    if (in.starts_with(delimiter_)) {
        end_word();
        state_ = State::between;
        return delimiter_.size();
    }
    if (!told_ && is_word(c)) {
        if (word_.size() < max_word) word_ += c;
        return 1;
    }
    end_word();
    if (c == '\'' || c == '"' || c == '`') {
        state_ = State::quoted;
        quote_ = c;
        return 1;
    }
    if (starts_line_comment(in)) {
        state_ = State::code_line;
        return 1;
    }
    if (const auto opening = version_comment(in); opening > 0) {
        ++version_comments_;
        return opening;
    }
    if (in.starts_with("/*")) {
        state_ = State::code_block;
        return 2;
    }
    if (version_comments_ > 0 && in.starts_with("*/")) {
        --version_comments_;
        return 2;
    }
    if (!told_) {
        if (!is_blank(c)) add(SqlToken::Kind::symbol, std::string(1, c));
        return 1;
    }
    // The bulk of a dump: rows, of which only quotes, comments and the end matter.
    std::size_t at = 1;
    for (;;) {
        while (at < in.size() && !is_special[static_cast<unsigned char>(in[at])] && in[at] != delimiter_[0])
            ++at;
        if (at >= in.size() || (in[at] != '\'' && in[at] != '"' && in[at] != '`')) return at;
        const std::size_t behind = quoted_text_end(in, at, takes_backslash(in[at]));
        if (behind == 0) return at;
        at = behind;
    }
}

bool DumpReader::takes_backslash(char quote) const {
    return quote != '`' && !mode_.no_backslash && !(quote == '"' && mode_.ansi_quotes);
}

std::size_t DumpReader::quoted(std::string_view in) {
    const bool backslash = takes_backslash(quote_);
    const auto keep = [&](std::string_view bytes) {
        if (!told_ && word_.size() < max_word) word_.append(bytes.substr(0, max_word - word_.size()));
    };
    std::size_t at = 0;
    while (at < in.size() && in[at] != quote_ && (in[at] != '\\' || !backslash)) ++at;
    if (at > 0) {
        keep(in.substr(0, at));
        return at;
    }
    if (in.size() > 1 && (in[0] == '\\' || in[1] == quote_)) {  // an escaped byte, or a doubled quote
        keep(in.substr(1, 1));
        return 2;
    }
    if (in[0] == '\\') return 1;  // the very last byte of the dump
    state_ = State::code;
    if (!told_) {
        add(quote_ == '\'' ? SqlToken::Kind::text : SqlToken::Kind::name, word_);
        word_.clear();
    }
    return 1;
}

void DumpReader::begin() {
    state_ = State::code;
    told_ = false;
    version_comments_ = 0;
    statement_line_ = line_;
    tokens_.clear();
    head_.clear();
    word_.clear();
}

void DumpReader::add(SqlToken::Kind kind, std::string value) {
    if (tokens_.size() < max_tokens) tokens_.push_back({kind, std::move(value)});
}

void DumpReader::end_word() {
    if (!word_.empty()) add(SqlToken::Kind::word, std::move(word_));
    word_.clear();
}

void DumpReader::pass(std::string_view text) {
    if (text.empty()) return;
    if (told_) return events_.on_text(text);
    head_.append(text);
    if (head_.size() > max_head) tell();
}

void DumpReader::tell() {
    told_ = true;
    word_.clear();
    note_sql_mode();
    events_.on_statement(tokens_);
    if (!head_.empty()) events_.on_text(head_);
    head_.clear();
}

void DumpReader::end() {
    if (!told_) tell();
    told_ = false;
    events_.on_end(delimiter_);
}

// Trigger and routine bodies are written for the sql_mode that is set before them.
void DumpReader::note_sql_mode() {
    sets_mode_ = false;
    if (tokens_.empty() || !tokens_[0].is("SET")) return;
    for (std::size_t i = 1; i + 2 < tokens_.size(); ++i) {
        if (!tokens_[i].is("SQL_MODE") || tokens_[i - 1].is('@') || !tokens_[i + 1].is('=')) continue;
        const auto& value = tokens_[i + 2];
        const bool known = value.kind == SqlToken::Kind::text;  // else a saved one: that of the dump's begin
        sets_mode_ = true;
        mode_.no_backslash = known && value.value.find("NO_BACKSLASH_ESCAPES") != std::string::npos;
        mode_.ansi_quotes = known && value.value.find("ANSI_QUOTES") != std::string::npos;
    }
}

}  // namespace strongroom::restore
