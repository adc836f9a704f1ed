#include "agent/proof/full_proof.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include "agent/proof/assertions.hpp"
#include "agent/proof/comparison.hpp"
#include "agent/proof/dump_load.hpp"
#include "agent/proof/figures_file.hpp"
#include "agent/proof/provable.hpp"
#include "agent/proof/work_folder.hpp"
#include "common/backupset/chain.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/home.hpp"
#include "common/maintenance/verification_log.hpp"
#include "common/restore/chain.hpp"
#include "common/restore/private_server.hpp"

namespace strongroom::agent {
namespace {

using backupset::Manifest;

// SQL, which a private server takes in.
bool is_dump(const Manifest& manifest) {
    return manifest.stream == "sql" || manifest.stream == "tar";
}

class Prover {
  public:
    Prover(const ProofConfig& config, const StateDir& state, const Subject& subject,
           storage::ObjectStore& store, const ProofOptions& options, ProofResult& result)
        : config_(config),
          state_(state),
          subject_(subject),
          store_(store),
          options_(options),
          result_(result) {}

    // The whole proof. What goes wrong with the set ends up in the result; all else is thrown.
    void prove(const Manifest& manifest) {
        require_provable(manifest);
        if (!read_chain(manifest)) return;
        const WorkFolder folder(config_, state_, manifest.server, space_for(chain_));
        folder_ = &folder;
        if (is_dump(manifest) ? load(manifest) : restore_files()) check_server(manifest);
        folder.remove();
    }

  private:
    void check_server(const Manifest& manifest) {
        std::optional<restore::PrivateServer> server;
        if (!start(server)) return;
        const restore::SqlClient client = server->client();
        if (!check_all_tables(client) || !compare_figures(client, manifest) || !try_assertions(client))
            return;
        step("stop", result_.seconds.compare, [&] { server->stop(); });
    }

    // An increment is restored with all that it builds on.
    bool read_chain(const Manifest& manifest) {
        double ignored = 0;
        return step("open", ignored,
                    [&] { chain_ = backupset::read_chain(store_, manifest, subject_.signers); });
    }

    restore::ExtractFrom extract_from() const {
        const auto on_progress = [this](const backupset::Progress& now) {
            require_going_on();
            if (options_.on_progress) options_.on_progress(now);
        };
        return {store_, subject_.home, options_.workers, on_progress, subject_.verifier};
    }

    // One call, in which the tools take turns: what it says tells which of them works.
    bool restore_files() {
        return step("extract", result_.seconds.extract, [&] {
            restore::ChainSteps steps;
            steps.idle = idle();
            steps.say = [this](const std::string& what) {
                if (what.starts_with("extracting"))
                    enter("extract", result_.seconds.extract);
                else
                    enter("prepare", result_.seconds.prepare);
            };
            restore::restore_chain(extract_from(), chain_, folder_->data(), folder_->run() / "tmp", steps);
        });
    }

    bool load(const Manifest& manifest) {
        return step("load", result_.seconds.extract,
                    [&] { announced_ = load_dump(extract_from(), manifest, *folder_, idle()); });
    }

    bool start(std::optional<restore::PrivateServer>& server) {
        return step("start", result_.seconds.start, [&] {
            folder_->hand_over();
            server.emplace(folder_->data(), folder_->run(), idle());
            result_.server_version =
                printable_line(server->client().ask("SELECT VERSION();", 1).at(0).at(0), 100);
        });
    }

    bool check_all_tables(const restore::SqlClient& client) {
        return step("check", result_.seconds.check, [&] {
            const auto tables = list_tables(client);
            if (tables.empty()) throw Error(ErrorKind::corrupt, "the restored server has no table at all");
            require_announced(client);
            if (const auto lost = lost_definitions(client, tables); !lost.empty())
                require_none(lost.size(), lost);
            const auto check = check_tables(client, tables, [&](std::size_t) { require_going_on(); });
            result_.tables = tables.size();
            result_.checked = check.checked;
            result_.not_checkable = check.not_checkable;
            require_none(check.bad, check.problems);
        });
    }

    // Of a dump of a part of a server: each table and database that it says to hold.
    void require_announced(const restore::SqlClient& client) const {
        std::set<restore::TableName> there;
        std::set<std::string> databases;
        for (const auto& row :
             client.ask("SELECT table_schema, table_name FROM information_schema.tables;", 2))
            there.insert({row[0], row[1]});
        for (const auto& row : client.ask("SELECT schema_name FROM information_schema.schemata;", 1))
            databases.insert(row[0]);
        std::vector<std::string> missing;
        for (const auto& database : announced_.databases)
            if (!databases.contains(database))
                missing.push_back("database " + printable_line(database, 200) + " is missing");
        for (const auto& table : announced_.tables)
            if (!there.contains(table)) missing.push_back("table " + table.shown() + " is missing");
        require_none(missing.size(), missing);
    }

    bool compare_figures(const restore::SqlClient& client, const Manifest& manifest) {
        return step("compare", result_.seconds.compare, [&] {
            // They hold names of tables, and never leave the host of the source.
            auto figures = subject_.own ? load_figures(state_, manifest.set) : std::nullopt;
            result_.not_compared = !subject_.own ? "figures of the source stay on its host"
                                   : !figures    ? "no figures of the source were taken with this backup"
                                                 : figures->not_exact.value_or("");
            if (!result_.not_compared.empty()) return;
            if (is_dump(manifest)) forget_checksums_of_floats(client, figures->tables);
            const auto restored =
                measure_tables(client, figures->tables, [&](std::size_t) { require_going_on(); });
            const auto comparison = compare(figures->tables, restored);
            result_.equal = comparison.equal;
            result_.not_comparable = comparison.not_comparable;
            require_none(comparison.different, comparison.differences);
        });
    }

    bool try_assertions(const restore::SqlClient& client) {
        return step("assert", result_.seconds.compare, [&] {
            if (const auto problem = failed_assertion(client, subject_.assertions))
                throw Error(ErrorKind::corrupt, *problem,
                            "The number counts " + std::string(subject_.own ? "proof" : "verify") +
                                "-assertions of this server from 1.");
            result_.assertions = subject_.assertions.size();
        });
    }

    // False if the set failed in this step, or in one that `work` went over to.
    template <class Work>
    bool step(const char* name, double& seconds, Work work) {
        require_going_on();
        enter(name, seconds);
        try {
            work();
            leave();
            return true;
        } catch (const Error& error) {
            leave();
            if (!is_about_the_set(error.kind(), step_)) throw error.with_context(step_);
            if (folder_ != nullptr) folder_->require_space_left();
            result_.failed_step = step_;
            result_.failure = error.with_context(step_);
            return false;
        }
    }

    void enter(const char* name, double& seconds) {
        leave();
        step_ = name;
        seconds_ = &seconds;
        began_ = std::chrono::steady_clock::now();
        if (options_.on_progress) options_.on_progress({.stage = name});
    }
    void leave() {
        if (seconds_ != nullptr)
            *seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
        seconds_ = nullptr;
    }

    // A store or a disk that fails says nothing about the set; a tool that cannot prepare it does.
    static bool is_about_the_set(ErrorKind kind, const std::string& name) {
        switch (kind) {
            case ErrorKind::corrupt:
            case ErrorKind::crypto:
            case ErrorKind::not_found:
            case ErrorKind::protocol:
            case ErrorKind::refused:
            case ErrorKind::source:
                return true;
            case ErrorKind::storage:
                return name == "prepare";
            default:
                return false;
        }
    }

    static void require_none(std::size_t bad, const std::vector<std::string>& problems) {
        if (bad == 0) return;
        const auto more = bad > 1 ? " (and " + std::to_string(bad - 1) + " more)" : "";
        throw Error(ErrorKind::corrupt, problems.front() + more,
                    "This set does not hold what the source held. Make a new backup, and prove that one.");
    }

    void require_going_on() const {
        if (options_.stop.stop_requested()) throw Error(ErrorKind::interrupted, "the proof was stopped");
    }
    std::function<void()> idle() const {
        return [this] { require_going_on(); };
    }

    const ProofConfig& config_;
    const StateDir& state_;
    const Subject& subject_;
    storage::ObjectStore& store_;
    const ProofOptions& options_;
    ProofResult& result_;
    const WorkFolder* folder_ = nullptr;
    restore::Selection announced_;  // by a dump of a part
    std::vector<Manifest> chain_;   // the full set first; of a full set itself alone
    std::string step_;
    double* seconds_ = nullptr;  // where the time of the step goes; none between steps
    std::chrono::steady_clock::time_point began_;
};

std::string chosen_set(storage::ObjectStore& store, const Subject& subject, const std::string& set) {
    if (set != "latest") return set;
    const auto newest = backupset::newest_committed(store, subject.server);
    if (!newest)
        throw Error(ErrorKind::not_found,
                    "there is no backup set of " +
                        (subject.own ? "this server" : "server " + subject.server) + " in " + store.label(),
                    subject.own ? "Make one: strongroom-agent backup"
                                : "verify-store names the store that is looked into.");
    return *newest;
}

}  // namespace

ProofResult prove_by_restoring(const ProofConfig& config, const StateDir& state, const Subject& subject,
                               storage::ObjectStore& store, const Clock& clock, const ProofOptions& options) {
    const FileLock lock = state.lock_maintenance();
    maintenance::VerificationLog log = subject.log();
    ProofResult out;
    out.server = subject.server;
    out.own = subject.own;
    out.set = chosen_set(store, subject, options.set);
    std::string sha256;
    std::int64_t stored = 0;
    try {
        const auto manifest =
            backupset::read_manifest(store, subject.server, out.set, subject.signers, &sha256);
        if (const auto* before = log.find(out.set);
            before != nullptr && !before->good_sha256.empty() && before->good_sha256 != sha256)
            throw Error(ErrorKind::crypto,
                        "set " + out.set + ": its manifest is not the one that was verified before");
        stored = manifest.stored_total;
        Prover(config, state, subject, store, options, out).prove(manifest);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::forbidden)
            throw Error(ErrorKind::forbidden, error.text(),
                        std::string("A proof reads the set: name credentials that may, ") +
                            (subject.own ? "maintenance" : "verify") + "-s3-credentials-file.");
        // A manifest that cannot be trusted; what happens later in a proof is in the result already.
        if (stored > 0 || sha256.empty() ||
            (error.kind() != ErrorKind::corrupt && error.kind() != ErrorKind::crypto))
            throw;
        out.failed_step = "open";
        out.failure = error;
    }
    const UtcTime now = clock.now();
    out.finished = to_millis(now);
    log.note_proof(out.set, sha256, stored, out.proven(), now);
    log.save(false);
    if (out.proven())
        log_event(Level::info, "AGENT_SET_PROVEN", "{}", one_line(out));
    else
        log_event(Level::error, "AGENT_SET_NOT_PROVEN", "{}", one_line(out));
    return out;
}

}  // namespace strongroom::agent
