#include <algorithm>
#include <cmath>
#include <random>

#include "client/command/commands.hpp"
#include "client/command/patient_store.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/stage_progress.hpp"
#include "client/command/store_server.hpp"
#include "client/verification/verification_log.hpp"
#include "common/backupset/segment_reader.hpp"
#include "common/backupset/set_list.hpp"
#include "common/backupset/store_root.hpp"
#include "common/backupset/verifier.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"

namespace strongroom::client {
namespace {

using backupset::Flaw;
using backupset::SetVerdict;

struct Arguments {
    std::string store;
    std::string server;
    std::string identity;
    std::vector<std::string> sets;
    std::int64_t at_most = 0;
    int sample = 0;
    int workers = 0;
    std::int64_t read_limit = 0;
    bool sign = false;
    bool forget_missing = false;
};

// Which of the committed sets this run reads: those that were never verified, then those whose last time is
// longest ago.
std::vector<std::string> choose(const Arguments& arguments, std::vector<std::string> committed,
                                const VerificationLog& log) {
    if (!arguments.sets.empty()) return arguments.sets;
    const auto last = [&](const std::string& set) {
        const auto* entry = log.find(set);
        return entry == nullptr ? std::string() : entry->verified;
    };
    if (arguments.sample > 0) {
        std::random_device source;
        std::mt19937_64 random(source());
        std::ranges::shuffle(committed, random);
        const double share = static_cast<double>(committed.size()) * arguments.sample / 100;
        committed.resize(std::min(committed.size(), static_cast<std::size_t>(std::ceil(share))));
    }
    std::ranges::stable_sort(committed, {}, last);
    if (arguments.at_most > 0 && committed.size() > static_cast<std::size_t>(arguments.at_most))
        committed.resize(static_cast<std::size_t>(arguments.at_most));
    return committed;
}

// What an increment builds on was read in this run, or was good when it was last read and is the same still.
void check_chain(SetVerdict& verdict, std::map<std::string, backupset::Manifest>& good,
                 const StoreServer& server, storage::ObjectStore& store, const VerificationLog& log) {
    if (!verdict.manifest || verdict.manifest->kind == "full") return;
    for (auto parent = verdict.manifest->parent; parent && !good.contains(*parent);) {
        const auto* entry = log.find(*parent);
        if (entry == nullptr || !entry->good()) break;
        try {
            std::string sha256;
            auto manifest = backupset::read_manifest(store, server.id, *parent, server.verify_home(),
                                                     server.identity, &sha256);
            if (sha256 != entry->manifest_sha256) break;
            parent = manifest.parent;
            good.emplace(manifest.set, std::move(manifest));
        } catch (const Error& error) {
            if (!backupset::is_about_the_data(error.kind())) throw;
            break;
        }
    }
    auto with_this = good;
    with_this.emplace(verdict.set, *verdict.manifest);
    if (const auto problem = backupset::chain_problem(with_this, verdict.set); !problem.empty())
        verdict.add(Flaw::chain, "", problem);
}

// A manifest that is signed, but not the one that was verified before: whoever has the identity key replaced
// the set.
void compare_with_log(SetVerdict& verdict, const VerificationLog& log) {
    const auto* entry = log.find(verdict.set);
    if (entry == nullptr || entry->good_sha256.empty() || !verdict.manifest) return;
    if (entry->good_sha256 != verdict.manifest_sha256)
        verdict.add(Flaw::untrusted, "", "its manifest is not the one that was verified before");
}

struct ServerResult {
    std::string server;
    std::string identity;
    std::vector<SetVerdict> sets;
    std::size_t committed = 0;
};

class Run {
  public:
    Run(Context& context, const Arguments& arguments)
        : context_(context),
          arguments_(arguments),
          store_(context, arguments.store, arguments.read_limit),
          progress_(context),
          signer_(log_signer(context, arguments.sign)) {}

    std::vector<ServerResult> all() {
        std::vector<std::string> servers{arguments_.server};
        if (arguments_.server.empty()) servers = backupset::list_servers(*store_);
        if (servers.empty())
            throw Error(ErrorKind::not_found, "there is no server in " + store_->label(), "Check --store.");
        std::vector<ServerResult> out;
        for (const auto& server : servers) out.push_back(one(server));
        progress_.leave();
        return out;
    }

  private:
    ServerResult one(const std::string& id) {
        const StoreServer server(context_, *store_, id, arguments_.identity);
        VerificationLog log(verification_log_file(context_, id), id, server.identity, signer_);
        const auto committed = backupset::committed_sets(*store_, id);
        ServerResult out{id, server.identity, {}, committed.size()};
        if (arguments_.sets.empty()) report_gone(out, committed, log);
        const auto chosen = choose(arguments_, committed, log);
        std::map<std::string, backupset::Manifest> good;
        try {
            // In the order of time, so that what an increment builds on comes before it.
            auto ordered = chosen;
            std::ranges::sort(ordered);
            for (const auto& set : ordered) {
                auto verdict = verify(server, set);
                compare_with_log(verdict, log);
                if (verdict.good()) check_chain(verdict, good, server, *store_, log);
                if (verdict.good()) good.emplace(set, *verdict.manifest);
                log.note(verdict, context_.clock.now());
                if (!arguments_.sign) log.save(false);
                out.sets.push_back(std::move(verdict));
            }
        } catch (...) {
            if (arguments_.sign) log.save(true);
            throw;
        }
        if (arguments_.sign) log.save(true);
        return out;
    }

    // A set that was verified once and is not in the store any more. It stays in the log until it is
    // forgotten.
    void report_gone(ServerResult& out, const std::vector<std::string>& committed, VerificationLog& log) {
        std::vector<std::string> gone;
        for (const auto& [set, entry] : log.sets())
            if (!std::ranges::binary_search(committed, set)) gone.push_back(set);
        for (const auto& set : gone) {
            if (arguments_.forget_missing) {
                log.forget(set);
                continue;
            }
            SetVerdict verdict;
            verdict.set = set;
            verdict.add(
                Flaw::missing, "",
                "the whole set is gone from the store; it was verified at " + log.find(set)->verified);
            out.sets.push_back(std::move(verdict));
        }
        if (arguments_.forget_missing && !gone.empty()) log.save(arguments_.sign);
    }

    SetVerdict verify(const StoreServer& server, const std::string& set) {
        return backupset::verify_committed(
            {arguments_.workers}, *store_, server.id, set, server.verify_home(), server.identity,
            [&](const backupset::Progress& now) {
                context_.check_interrupted();
                progress_.update("verifying " + set, now.plain_bytes, now.total_bytes);
            });
    }

    Context& context_;
    const Arguments& arguments_;
    PatientStore store_;
    StageProgress progress_;
    std::optional<LogSigner> signer_;
};

void print_json(Context& context, const std::vector<ServerResult>& results) {
    Json servers = Json::array();
    for (const auto& server : results) {
        Json sets = Json::array();
        for (const auto& verdict : server.sets) {
            Json findings = Json::array();
            for (const auto& finding : verdict.findings)
                findings.push_back({{"flaw", backupset::name(finding.flaw)},
                                    {"object", finding.object},
                                    {"text", finding.text}});
            sets.push_back({{"set", verdict.set},
                            {"result", verdict.result()},
                            {"flaws", verdict.flaws},
                            {"stored_bytes", verdict.manifest ? verdict.manifest->stored_total : 0},
                            {"segments", verdict.manifest ? verdict.manifest->segments.size() : 0},
                            {"findings", std::move(findings)}});
        }
        servers.push_back({{"server", server.server},
                           {"identity", server.identity},
                           {"committed", server.committed},
                           {"sets", std::move(sets)}});
    }
    context.print_json({{"servers", std::move(servers)}});
}

void print_table(Context& context, const std::vector<ServerResult>& results) {
    for (const auto& server : results) {
        context.out << "server " << server.server << ", identity key " << group_fingerprint(server.identity)
                    << '\n';
        term::Table table({{"SET"},
                           {"SEGMENTS", term::Align::right},
                           {"READ", term::Align::right},
                           {"RESULT"},
                           {"PROBLEM"}});
        for (const auto& verdict : server.sets) {
            std::string problem;
            if (!verdict.good()) {
                const auto& first = verdict.findings.front();
                problem = (first.object.empty() ? "" : first.object + ": ") + first.text;
                if (verdict.flaws > 1)
                    problem += " (and " + std::to_string(verdict.flaws - 1) + " more: --json)";
            }
            table.add({verdict.set,
                       verdict.manifest ? std::to_string(verdict.manifest->segments.size()) : "?",
                       verdict.manifest ? term::format_bytes(verdict.manifest->stored_total) : "?",
                       verdict.result(), problem});
        }
        table.print(context.out, "no committed backup set");
    }
}

// The exit code tells the worst that was found.
void require_all_good(const std::vector<ServerResult>& results) {
    std::size_t checked = 0;
    std::size_t bad = 0;
    Flaw worst = Flaw::chain;
    for (const auto& server : results)
        for (const auto& verdict : server.sets) {
            ++checked;
            if (verdict.good()) continue;
            ++bad;
            worst = std::min(worst, verdict.worst);
        }
    if (bad > 0)
        throw Error(
            backupset::kind_of(worst),
            std::to_string(bad) + " of " + std::to_string(checked) + " set(s) are not good",
            worst == Flaw::untrusted
                ? "Find out who changed the store. Restore only from sets that are good."
                : "Copy the objects that are named from another copy of the store, or make a new backup.");
}

void run(Context& context, const Arguments& arguments) {
    for (const auto& set : arguments.sets)
        if (!is_set_id(set))
            throw Error(ErrorKind::usage, "\"" + set + "\" is no set id",
                        "Set ids look like 20261122T013700Z-3f9a2c1b; see `strongroom backup list`.");
    if (arguments.server.empty() && (!arguments.identity.empty() || !arguments.sets.empty()))
        throw Error(ErrorKind::usage, "--identity and --set need --server",
                    "See `strongroom verify --help`.");
    const auto results = Run(context, arguments).all();
    if (context.config.json)
        print_json(context, results);
    else
        print_table(context, results);
    require_all_good(results);
}

}  // namespace

void add_verify_command(Commands& commands) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(
        commands.program(), "verify",
        "Check sets in a store without a key: signatures, chains, every object's digest.\n"
        "Exit code: 0 all good, 11 a manifest cannot be trusted, 12 an object is damaged, 5 one is missing,\n"
        "7 a chain is broken (the worst of them), 14 and 15 the store cannot be read",
        "strongroom verify --store file:///srv/backups\n"
        "  strongroom verify --store file:///srv/backups --server UUID --identity FPR --at-most 5 "
        "--read-limit 50MiB/s",
        [arguments](Context& c) { run(c, *arguments); });
    add_store_option(*command, arguments->store);
    command->add_option("--server", arguments->server, "Server UUID (default: all in the store)");
    add_identity_option(*command, arguments->identity);
    command->add_option("--set", arguments->sets, "Only this set; may be repeated")->type_name("ID");
    command
        ->add_option("--at-most", arguments->at_most,
                     "So many sets of each server: never verified ones first, then the longest ago")
        ->check(CLI::Range(1, 1'000'000));
    command->add_option("--sample", arguments->sample, "A random share of the sets, in percent")
        ->check(CLI::Range(1, 100));
    command
        ->add_option("--workers", arguments->workers,
                     "Objects read at once (default: one per core, two and at least 4 over a network)")
        ->check(CLI::Range(0, 256));
    add_read_limit_option(*command, arguments->read_limit);
    command->add_flag("--sign", arguments->sign, "Sign the log of what was verified with your key");
    command->add_flag("--forget-missing", arguments->forget_missing,
                      "Sets that were verified once and are gone: take them off the log");
}

}  // namespace strongroom::client
