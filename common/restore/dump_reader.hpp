// Reads the SQL text of a dump as a database client reads it: into statements, and what stands between them.
// It knows strings, quoted names, comments, version comments and DELIMITER, so that no text inside of those
// is ever taken for a statement. Streaming: whatever the size of a statement, only its beginning is held.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace strongroom::restore {

struct SqlToken {
    enum class Kind { word, name, text, symbol };  // SELECT, `name` or "name", 'text', one character
    Kind kind = Kind::symbol;
    std::string value;
    bool is(std::string_view word) const;  // a word, in whatever case
    bool is(char symbol) const { return kind == Kind::symbol && value[0] == symbol; }
};

class DumpReader {
  public:
    class Events {
      public:
        virtual ~Events() = default;
        // A comment line "-- ..." between statements, without its line break, cut after max_comment bytes.
        virtual void on_comment(std::string_view line) = 0;
        // A statement begins: its first tokens, at most max_tokens (comments are none, and the inside of
        // version comments is read as if it stood without them).
        virtual void on_statement(const std::vector<SqlToken>& head) = 0;
        // Its text, in pieces, without the delimiter.
        virtual void on_text(std::string_view piece) = 0;
        virtual void on_end(const std::string& delimiter) = 0;
    };
    static constexpr std::size_t max_comment = 4096;  // bytes
    static constexpr std::size_t max_tokens = 40;
    static constexpr std::size_t max_head = 256U << 10U;  // bytes; a statement that long begins anyway

    explicit DumpReader(Events& events) : events_(events) {}

    void write(std::string_view bytes);
    // The end of the text. Throws Error{corrupt} if it is inside a statement or a comment.
    void finish();
    // Of the statement at hand, where it begins: counted from 1.
    std::int64_t line() const { return statement_line_; }
    const std::string& delimiter() const { return delimiter_; }
    // The part of sql_mode that says how strings are read, as the dump has set it; and whether the statement
    // at hand sets it.
    struct Mode {
        bool no_backslash = false;
        bool ansi_quotes = false;
        bool operator==(const Mode&) const = default;
    };
    Mode mode() const { return mode_; }
    bool sets_mode() const { return sets_mode_; }

  private:
    enum class State { between, line_comment, block_comment, delimiter, code, code_line, code_block, quoted };

    void run(bool last);
    std::size_t step(std::string_view in);
    std::size_t between(std::string_view in);
    std::size_t code(std::string_view in);
    std::size_t quoted(std::string_view in);
    bool takes_backslash(char quote) const;
    std::size_t skip_line(std::string_view in, State then);
    std::size_t skip_block(std::string_view in, State then);
    void pass(std::string_view in);
    void begin();
    void end();
    void add(SqlToken::Kind kind, std::string value);
    void end_word();
    void tell();
    void note_sql_mode();

    Events& events_;
    State state_ = State::between;
    std::string pending_;  // what has come and was not read yet
    std::string delimiter_ = ";";
    std::string comment_;  // the line at hand
    std::string word_;     // the word or quoted text at hand
    char quote_ = 0;
    int version_comments_ = 0;  // open ones
    bool told_ = false;         // on_statement() was called for the statement at hand
    std::string head_;          // its text until then
    std::vector<SqlToken> tokens_;
    bool line_start_ = true;
    Mode mode_;
    bool sets_mode_ = false;
    std::int64_t line_ = 1;
    std::int64_t statement_line_ = 1;
};

}  // namespace strongroom::restore
