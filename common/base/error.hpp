// The one error type. It says what went wrong with which object (text) and what to do next (hint).
//
// Errors are thrown where they are found, enriched at most once, and printed or logged once, at the top. One
// table (error.cpp) maps a kind to its name and exit code; dispatcher/api maps the same kinds to HTTP
// statuses.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace strongroom {

enum class ErrorKind {
    internal,         // a bug, or the platform misbehaved
    usage,            // the command line is wrong
    config,           // a configuration value is wrong or missing
    insecure_file,    // a secret or configuration file that others can read or write
    not_found,        // the named object does not exist
    exists,           // the named object exists already, or a target is not empty
    refused,          // a policy or pin forbids it
    unauthenticated,  // who sent it could not be proven
    forbidden,        // the sender is known but does not own the object
    protocol,         // bytes that break PROTOCOL.md or a format
    crypto,           // OpenPGP failed: not decryptable, bad signature, missing key
    corrupt,          // stored data does not match its signed digest
    source,           // the database or its dump tool failed
    storage,          // a store could not be read or written
    network,          // a peer could not be reached or broke off
    busy,             // full queue or locked; trying again later can help
    tool_missing,     // a program that is needed is not installed
    timeout,          // a limit of time ran out
    interrupted       // the operator or the system asked to stop
};

// Stable machine-readable name, used in --json, job results and logs: "not_found", ...
std::string_view name(ErrorKind kind);
ErrorKind error_kind_from_name(std::string_view name);  // unknown names give internal

// Process exit code: docs/user-guide.md publishes the table. Never 0; 1 = internal, 2 = usage.
int exit_code(ErrorKind kind);

class Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, const std::string& text, std::string hint = {})
        : std::runtime_error(text), kind_(kind), hint_(std::move(hint)) {}

    ErrorKind kind() const { return kind_; }
    std::string text() const { return what(); }
    const std::string& hint() const { return hint_; }

    // The errno of the system call that failed, or 0: says whether trying again can help.
    int system_code() const { return system_code_; }
    Error with_system_code(int code) const;

    // The same error with "context: " in front of the text.
    Error with_context(std::string_view context) const;

  private:
    ErrorKind kind_;
    std::string hint_;
    int system_code_ = 0;
};

// For failed system calls: "TEXT: strerror(errno_value)".
Error system_error(ErrorKind kind, std::string_view text, int errno_value, std::string hint = {});

// What a person reads: "PROGRAM: error: TEXT" and, when there is one, a line "HINT: ...". Control characters
// in foreign text are made visible. Ends with a newline.
std::string describe(std::string_view program, const Error& error);

}  // namespace strongroom
