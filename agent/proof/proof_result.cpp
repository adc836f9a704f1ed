#include "agent/proof/proof_result.hpp"

#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

std::string named(const ProofResult& result) {
    return "set " + result.set + (result.own ? "" : " of server " + result.server);
}

}  // namespace

std::string what_to_do(const ProofResult& result) {
    if (!result.failure->hint().empty()) return result.failure->hint();
    return "Find out why; do not count on this set. Make a new backup, and prove that one.";
}

std::string one_line(const ProofResult& result) {
    if (!result.proven())
        return named(result) + " could not be proven by restoring: " + result.failure->text();
    const auto count = [](std::size_t number, const char* what) {
        return ", " + std::to_string(number) + " " + what;
    };
    std::string out = named(result) + " was restored, started and " +
                      (result.not_compared.empty() ? "compared" : "read") + ": " +
                      std::to_string(result.tables) + " tables" + count(result.checked, "checked");
    if (result.not_checkable > 0) out += count(result.not_checkable, "without a check of their engine");
    if (result.not_compared.empty()) out += count(result.equal, "with the rows and checksums of the source");
    if (result.not_comparable > 0) out += count(result.not_comparable, "not comparable");
    if (result.assertions > 0) out += count(result.assertions, "assertions hold");
    if (!result.not_compared.empty()) out += "; not compared with the source: " + result.not_compared;
    return out;
}

std::string public_line(const ProofResult& result) {
    if (result.proven()) return one_line(result);
    std::string out = named(result) + " could not be proven by restoring: it failed in the step \"" +
                      result.failed_step + "\" (" + std::string(name(result.failure->kind())) + ")";
    // These speak of objects of the store.
    const bool stored =
        result.failure->kind() == ErrorKind::corrupt || result.failure->kind() == ErrorKind::crypto;
    if (stored && (result.failed_step == "open" || result.failed_step == "extract"))
        return out + ": " + result.failure->text();
    return out + "; the host's log says more";
}

Json json_of(const ProofResult& result) {
    Json out{{"server", result.server},
             {"set", result.set},
             {"proven", result.proven()},
             {"finished", result.finished},
             {"server_version", result.server_version},
             {"tables", result.tables},
             {"checked", result.checked},
             {"not_checkable", result.not_checkable},
             {"equal", result.equal},
             {"not_comparable", result.not_comparable},
             {"assertions", result.assertions},
             {"seconds",
              {{"extract", result.seconds.extract},
               {"prepare", result.seconds.prepare},
               {"start", result.seconds.start},
               {"check", result.seconds.check},
               {"compare", result.seconds.compare}}}};
    if (!result.not_compared.empty()) out["not_compared"] = result.not_compared;
    if (result.failure) {
        out["failed_step"] = result.failed_step;
        out["problem"] = printable_line(result.failure->text(), 1900);
    }
    return out;
}

}  // namespace strongroom::agent
