// Users, servers, registration codes.
#include "dispatcher/store/sqlite/sqlite_transaction.hpp"

namespace strongroom::dispatcher {

void SqliteTransaction::add_user(const User& user) {
    insert_new("users", user, "a user with this key, name or token exists already");
}

std::optional<User> SqliteTransaction::find_user(const std::string& fingerprint) {
    return select_one<User>(session_, "users WHERE fingerprint = :f", fingerprint);
}

std::optional<User> SqliteTransaction::find_user_by_token(const std::string& token_hash) {
    return select_one<User>(session_, "users WHERE token_hash = :h", token_hash);
}

std::vector<User> SqliteTransaction::list_users() {
    return select<User>(session_, "users ORDER BY name");
}

void SqliteTransaction::add_server(const Server& server) {
    insert_new("servers", server, "server " + server.uuid + " (or its key or token) is registered already");
}

std::optional<Server> SqliteTransaction::find_server(const std::string& uuid) {
    return select_one<Server>(session_, "servers_seen WHERE uuid = :u", uuid);
}

std::optional<Server> SqliteTransaction::find_server_by_token(const std::string& token_hash) {
    return select_one<Server>(session_, "servers WHERE token_hash = :h", token_hash);
}

std::vector<Server> SqliteTransaction::list_servers(const std::string& owner) {
    return select<Server>(session_, "servers_seen WHERE owner = :o ORDER BY registered, uuid", owner);
}

void SqliteTransaction::touch_server(const std::string& uuid, std::int64_t now) {
    touch_presence({uuid}, now);  // a server's row is large: it holds the key
}

void SqliteTransaction::describe_server(const Server& server) {
    execute(session_, "UPDATE servers SET label = :l, version = :v, source = :s, store = :t WHERE uuid = :u",
            server.label, server.version, server.source, server.store, server.uuid);
}

void SqliteTransaction::put_server_key(const std::string& uuid, const std::string& subkey,
                                       const std::string& public_key) {
    execute(session_, "UPDATE servers SET subkey = :s, public_key = :k WHERE uuid = :u", subkey, public_key,
            uuid);
}

void SqliteTransaction::put_server_identity(const std::string& uuid, const std::string& identity,
                                            const std::string& public_key) {
    if (count(session_, "SELECT COUNT(*) FROM servers WHERE identity = :i AND uuid <> :u", identity, uuid) >
        0)
        throw Error(ErrorKind::exists, "another server has the key " + identity);
    execute(session_, "UPDATE servers SET identity = :i, public_key = :k WHERE uuid = :u", identity,
            public_key, uuid);
}

void SqliteTransaction::put_identity_change(const ServerIdentityChange& change) {
    execute(session_,
            "DELETE FROM identity_changes WHERE server = :u AND sequence = :s AND state = 'pending'",
            change.server, change.sequence);
    insert_new("identity_changes", change, "this change of the identity key was made before");
}

std::vector<ServerIdentityChange> SqliteTransaction::list_identity_changes(const std::string& server) {
    return select<ServerIdentityChange>(session_, "identity_changes WHERE server = :u ORDER BY sequence",
                                        server);
}

void SqliteTransaction::put_verifiers(const ServerVerifiers& verifiers) {
    execute(session_, "DELETE FROM server_verifiers WHERE server = :s", verifiers.server);
    insert(session_, "server_verifiers", verifiers);
}

std::optional<ServerVerifiers> SqliteTransaction::find_verifiers(const std::string& server) {
    return select_one<ServerVerifiers>(session_, "server_verifiers WHERE server = :s", server);
}

void SqliteTransaction::put_server_recovery(const std::string& uuid, const std::vector<std::string>& recovery,
                                            std::int64_t sequence) {
    execute(session_, "UPDATE servers SET recovery = :r, recovery_sequence = :q WHERE uuid = :u",
            to_column(recovery), sequence, uuid);
}

void SqliteTransaction::add_statement(const UserStatement& statement) {
    execute(
        session_,
        "UPDATE user_statements SET state = 'replaced', ended = :n WHERE server = :s AND state = 'pending'",
        statement.sent, statement.server);
    insert_new("user_statements", statement, "statement " + statement.sha256 + " was sent before");
}

std::optional<UserStatement> SqliteTransaction::find_statement(const std::string& server,
                                                               const std::string& sha256) {
    return select_one<UserStatement>(session_, "user_statements WHERE server = :s AND sha256 = :h", server,
                                     sha256);
}

std::optional<UserStatement> SqliteTransaction::pending_statement(const std::string& server) {
    return select_one<UserStatement>(session_, "user_statements WHERE server = :s AND state = 'pending'",
                                     server);
}

std::vector<UserStatement> SqliteTransaction::list_statements(const std::string& server, std::int64_t limit) {
    return select<UserStatement>(
        session_, "user_statements WHERE server = :s ORDER BY sent DESC, sha256 LIMIT :l", server, limit);
}

bool SqliteTransaction::end_statement(const UserStatement& ended) {
    return execute(session_,
                   "UPDATE user_statements SET state = :t, ended = :e, text = :x "
                   "WHERE server = :s AND sha256 = :h AND state = 'pending'",
                   ended.state, ended.ended, ended.text, ended.server, ended.sha256) == 1;
}

bool SqliteTransaction::retire_server(const std::string& uuid, std::int64_t now) {
    if (execute(session_, "UPDATE servers SET retired = :n WHERE uuid = :u AND retired = 0", now, uuid) != 1)
        return false;
    execute(session_, "UPDATE schedules SET enabled = 0 WHERE server = :u", uuid);
    execute(session_,
            "UPDATE jobs SET state = 'cancelled', finished = :n, error_kind = 'refused', "
            "error_text = 'the server was retired' "
            "WHERE server = :u AND grp = '' AND state IN ('queued', 'leased', 'running')",
            now, uuid);
    // A group's job goes on to another member.
    execute(session_,
            "UPDATE jobs SET state = 'queued', held = 1, attempts_before = attempts, lease_until = 0 "
            "WHERE server = :u AND grp <> '' AND state IN ('queued', 'leased', 'running')",
            uuid);
    return true;
}

void SqliteTransaction::add_code(const RegistrationCode& code) {
    insert_new("registration_codes", code, "this registration code exists already");
}

std::optional<RegistrationCode> SqliteTransaction::find_code(const std::string& hash) {
    return select_one<RegistrationCode>(session_, "registration_codes WHERE hash = :h", hash);
}

bool SqliteTransaction::consume_code(const std::string& hash, const std::string& server, std::int64_t now) {
    return execute(session_,
                   "UPDATE registration_codes SET used = :n, used_by = :u "
                   "WHERE hash = :h AND used = 0 AND expires > :m",
                   now, server, hash, now) == 1;
}

}  // namespace strongroom::dispatcher
