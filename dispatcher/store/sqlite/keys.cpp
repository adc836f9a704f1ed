// The dispatcher's own keys, who knows which of them, and who was given escrow records.
#include "dispatcher/store/sqlite/sqlite_transaction.hpp"

namespace strongroom::dispatcher {

void SqliteTransaction::add_key_change(const KeyChange& change) {
    insert_new("key_changes", change, "the dispatcher's key has its successor already");
}

std::vector<KeyChange> SqliteTransaction::list_key_changes() {
    return select<KeyChange>(session_, "key_changes ORDER BY sequence");
}

bool SqliteTransaction::mark_key_switched(std::int64_t sequence, std::int64_t now) {
    return execute(session_, "UPDATE key_changes SET switched = :n WHERE sequence = :s AND switched = 0", now,
                   sequence) == 1;
}

bool SqliteTransaction::mark_key_retired(std::int64_t sequence, std::int64_t now) {
    return execute(session_, "UPDATE key_changes SET retired = :n WHERE sequence = :s AND retired = 0", now,
                   sequence) == 1;
}

void SqliteTransaction::put_key_pin(const KeyPin& pin) {
    execute(session_, "DELETE FROM key_pins WHERE peer = :p", pin.peer);
    insert(session_, "key_pins", pin);
}

std::optional<KeyPin> SqliteTransaction::find_key_pin(const std::string& peer) {
    return select_one<KeyPin>(session_, "key_pins WHERE peer = :p", peer);
}

std::vector<KeyPin> SqliteTransaction::list_key_pins() {
    return select<KeyPin>(session_, "key_pins ORDER BY peer");
}

void SqliteTransaction::add_escrow_request(const EscrowRequest& request) {
    insert(session_, "escrow_requests", request);
}

std::int64_t SqliteTransaction::count_escrow_requests_of_user(const std::string& fingerprint,
                                                              std::int64_t since) {
    return count(session_, "SELECT COUNT(*) FROM escrow_requests WHERE owner = :o AND fetched >= :s",
                 fingerprint, since);
}

std::int64_t SqliteTransaction::count_escrow_requests_for(const std::string& server, std::int64_t since) {
    return count(session_, "SELECT COUNT(*) FROM escrow_requests WHERE server = :u AND fetched >= :s", server,
                 since);
}

std::optional<EscrowRequest> SqliteTransaction::last_escrow_request(const std::string& server) {
    return select_one<EscrowRequest>(
        session_, "escrow_requests WHERE server = :u ORDER BY fetched DESC, rowid DESC LIMIT 1", server);
}

void SqliteTransaction::forget_escrow_requests(std::int64_t before) {
    execute(session_, "DELETE FROM escrow_requests WHERE fetched < :b", before);
}

}  // namespace strongroom::dispatcher
