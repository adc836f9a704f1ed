#include "dispatcher/store/sqlite/refusal.hpp"

#include <unistd.h>

#include <cerrno>

namespace strongroom::dispatcher {
namespace {

std::string with_reason(const std::string& text, const Refusal& refusal) {
    if (refusal.system == 0) return text + ": " + refusal.text;
    return system_error(ErrorKind::storage, text, refusal.system).text();
}

std::string failed_call(int extended) {
    switch (extended) {
        case SQLITE_IOERR_FSYNC:
        case SQLITE_IOERR_DIR_FSYNC:
            return "fsync of the database failed";
        case SQLITE_IOERR_WRITE:
            return "the database could not be written";
        case SQLITE_IOERR_READ:
        case SQLITE_IOERR_SHORT_READ:
            return "the database could not be read";
        default:
            return "the disk under the database failed (SQLite code " + std::to_string(extended) + ")";
    }
}

bool is_read_only(const Refusal& refusal) {
    return refusal.code == SQLITE_READONLY || refusal.system == EROFS || refusal.system == EPERM ||
           refusal.system == EACCES;
}

}  // namespace

Refusal refusal_of(const soci::sqlite3_soci_error& error) {
    return {sqlite_code(error), error.result(), 0, error.what()};
}

Refusal refusal_of(soci::session& session, const soci::sqlite3_soci_error& error) {
    Refusal out = refusal_of(error);
    auto* connection = static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
    if ((sqlite_api::sqlite3_errcode(connection) & 0xff) != out.code) return out;  // of an earlier call
    out.extended = sqlite_api::sqlite3_extended_errcode(connection);
    out.text = sqlite_api::sqlite3_errmsg(connection);
    if (out.code != SQLITE_IOERR && out.code != SQLITE_CANTOPEN) return out;
    out.system = sqlite_api::sqlite3_system_errno(connection);
    // SQLite keeps no errno for a COMMIT. Files that may not be written are the one cause that can be asked
    // for.
    const char* file = sqlite_api::sqlite3_db_filename(connection, "main");
    for (const char* suffix : {"", "-wal"})
        if (out.system == 0 && file != nullptr && ::access((file + std::string(suffix)).c_str(), W_OK) != 0 &&
            errno != ENOENT)
            out.system = errno;
    return out;
}

void rethrow(const Refusal& refusal) {
    if (refusal.locked())
        throw Error(ErrorKind::busy, "the database is locked by another program",
                    "Is a sqlite3 shell open on it, or a program that copies it? (fuser -v FILE)");
    if (refusal.code == SQLITE_CORRUPT || refusal.code == SQLITE_NOTADB)
        throw Error(ErrorKind::corrupt, "the database is damaged: " + refusal.text,
                    "Stop the dispatcher and restore it: strongroom-dispatcher restore --help");
    if (refusal.code == SQLITE_FULL || refusal.system == ENOSPC || refusal.system == EDQUOT)
        throw Error(ErrorKind::storage, "the database cannot grow: the disk is full",
                    "Make room; nothing that was acknowledged is lost.");
    if (is_read_only(refusal))
        throw Error(ErrorKind::storage, with_reason("the database is read-only", refusal),
                    "Is its file system mounted read-only (dmesg says why), or did its mode, owner or "
                    "attributes change "
                    "(ls -l, lsattr)?");
    if (refusal.code == SQLITE_IOERR)
        throw Error(ErrorKind::storage, with_reason(failed_call(refusal.extended), refusal),
                    "See the kernel's log (dmesg). Nothing is acknowledged that is not on the disk.");
    if (refusal.code == SQLITE_CANTOPEN)
        throw Error(ErrorKind::storage, with_reason("the database cannot be opened", refusal),
                    "See the mode and owner of the file and of its folder.");
    throw Error(ErrorKind::storage, "the database refused a statement: " + refusal.text);
}

}  // namespace strongroom::dispatcher
