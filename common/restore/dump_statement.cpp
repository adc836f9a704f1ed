#include "common/restore/dump_statement.hpp"

#include <algorithm>
#include <initializer_list>

namespace strongroom::restore {
namespace {

using Role = DumpStatement::Role;
using Tokens = std::vector<SqlToken>;

class Head {
  public:
    explicit Head(const Tokens& tokens) : tokens_(tokens) {}

    bool ended() const { return at_ >= tokens_.size(); }
    bool is(std::string_view word) const { return !ended() && tokens_[at_].is(word); }
    bool take(std::string_view word) {
        if (!is(word)) return false;
        ++at_;
        return true;
    }
    bool take_any(std::initializer_list<std::string_view> words) {
        return std::ranges::any_of(words, [&](auto word) { return take(word); });
    }
    // Skips what may stand before the kind of a thing: OR REPLACE, ALGORITHM = x, DEFINER = `a`@`b`.
    bool skip_to(std::initializer_list<std::string_view> words) {
        for (std::size_t at = at_; at < tokens_.size(); ++at)
            for (const auto word : words)
                if (tokens_[at].is(word)) {
                    at_ = at;
                    return true;
                }
        return false;
    }
    void skip_conditions() {
        if (take("IF")) {
            take("NOT");
            take("EXISTS");
        }
    }
    DumpStatement object(Role role) {
        skip_conditions();
        DumpStatement out;
        if (!name(out.name)) return out;
        out.role = role;
        if (!ended() && tokens_[at_].is('.')) {
            ++at_;
            out.database = std::move(out.name);
            if (!name(out.name)) return {};
        }
        return out;
    }

  private:
    bool name(std::string& out) {
        if (ended()) return false;
        const auto& token = tokens_[at_];
        if (token.kind != SqlToken::Kind::name && token.kind != SqlToken::Kind::word) return false;
        out = token.value;
        ++at_;
        return true;
    }
    const Tokens& tokens_;
    std::size_t at_ = 0;
};

DumpStatement plain(Role role) {
    DumpStatement out;
    out.role = role;
    return out;
}

DumpStatement setting(const Tokens& head) {
    const bool of_server = std::ranges::any_of(head, [](const SqlToken& token) {
        return token.is("GLOBAL") || token.is("PERSIST") || token.is("SQL_LOG_BIN") || token.is("PASSWORD") ||
               token.is("ROLE");
    });
    return plain(of_server ? Role::global : Role::setting);
}

DumpStatement creation(Head& head) {
    if (!head.skip_to({"TABLE", "VIEW", "SEQUENCE", "TRIGGER", "PROCEDURE", "FUNCTION", "PACKAGE", "EVENT",
                       "DATABASE", "SCHEMA", "USER", "ROLE", "SERVER"}))
        return {};
    if (head.take("TABLE")) return head.object(Role::create);
    if (head.take("VIEW")) return head.object(Role::create_view);
    if (head.take("SEQUENCE")) return head.object(Role::sequence);
    if (head.take("TRIGGER")) return head.object(Role::trigger);
    if (head.take_any({"DATABASE", "SCHEMA"})) return head.object(Role::database);
    if (head.take_any({"USER", "ROLE", "SERVER"})) return plain(Role::global);
    return plain(Role::routine);
}

DumpStatement removal(Head& head) {
    if (head.take_any({"TABLE", "VIEW", "SEQUENCE"})) return head.object(Role::table);
    if (head.take_any({"DATABASE", "SCHEMA"})) return head.object(Role::drop);
    if (head.take_any({"PROCEDURE", "FUNCTION", "PACKAGE", "EVENT"})) return plain(Role::routine);
    if (head.take("TRIGGER")) return plain(Role::trigger);
    if (head.take_any({"USER", "ROLE", "SERVER"})) return plain(Role::global);
    return {};
}

}  // namespace

DumpStatement classify(const Tokens& tokens) {
    Head head(tokens);
    if (head.take("SET")) return setting(tokens);
    if (head.take("USE")) return head.object(Role::use);
    if (head.take("CREATE")) return creation(head);
    if (head.take("DROP")) return removal(head);
    if (head.take_any({"INSERT", "REPLACE"})) {
        head.take_any({"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY"});
        head.take("IGNORE");
        head.take("INTO");
        return head.object(Role::table);
    }
    if (head.take("LOCK")) {
        head.take_any({"TABLES", "TABLE"});
        return head.object(Role::table);
    }
    if (head.take("ALTER")) {
        if (head.take_any({"DATABASE", "SCHEMA"})) return head.object(Role::collation);
        if (head.take("TABLE")) return head.object(Role::table);
        return {};
    }
    if (head.take_any({"DO", "SELECT"})) {
        if (!head.take("SETVAL") || head.ended()) return {};
        if (!tokens[2].is('(')) return {};
        const Tokens inner(tokens.begin() + 3, tokens.end());
        return Head(inner).object(Role::table);
    }
    if (head.take_any({"UNLOCK", "COMMIT", "BEGIN"})) return plain(Role::transaction);
    if (head.take("START") && head.is("TRANSACTION")) return plain(Role::transaction);
    Head again(tokens);
    if (again.take_any({"CHANGE", "STOP", "START", "FLUSH", "GRANT", "REVOKE", "RESET", "INSTALL", "PURGE"}))
        return plain(Role::global);
    return {};
}

}  // namespace strongroom::restore
