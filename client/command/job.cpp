#include <algorithm>
#include <thread>

#include "client/command/commands.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/stage_progress.hpp"
#include "common/base/error.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

using std::chrono::seconds;

struct Arguments {
    std::string server;
    std::string job;
    std::string kind = "backup";
    std::int64_t limit = 50;
    std::int64_t timeout = 0;
    bool wait = false;
    bool no_wait = false;
};

bool is_final(const std::string& state) {
    return state != "queued" && state != "leased" && state != "running";
}

// "42 %  105 MiB/s" of a job that runs; its size otherwise.
std::string shown_progress(const proto::Job& job) {
    std::string out = term::format_bytes(job.plain_bytes);
    if (is_final(job.state)) return out;
    // The total is an estimate made before the start.
    if (job.total_bytes > 0) out += " " + term::format_estimate(job.plain_bytes, job.total_bytes);
    if (job.rate) out += " " + term::format_bytes(*job.rate) + "/s";
    return out;
}

// ": 10.6 MiB in 0:06, 1.8 MiB/s" by the dispatcher's clock, which saw both ends of the work.
std::string shown_work(const proto::Job& job) {
    if (job.plain_bytes <= 0 || !job.started || !job.finished) return {};
    return ": " + term::format_work(job.plain_bytes, std::max<std::int64_t>(0, *job.finished - *job.started));
}

void list(Context& context, const Arguments& arguments) {
    proto::JobList request;
    if (!arguments.server.empty()) request.server = arguments.server;
    request.limit = arguments.limit;
    const auto reply = context.session().ask(request);
    if (context.config.json) return context.print_json(to_json(reply));
    term::Table table({{"JOB"},
                       {"SERVER"},
                       {"KIND"},
                       {"STATE"},
                       {"TRY", term::Align::right},
                       {"CREATED"},
                       {"SIZE", term::Align::right},
                       {"SET OR PROBLEM"}});
    for (const auto& one : reply.jobs)
        table.add({one.id, one.server, one.kind, one.state, std::to_string(one.attempt),
                   shown_time(one.created), shown_progress(one),
                   one.problem ? one.problem->text : one.set.value_or("")});
    table.print(context.out, "no jobs");
}

proto::Job find_job(Context& context, const std::string& id) {
    proto::JobList request;
    request.limit = static_cast<std::int64_t>(proto::max_list);
    const auto reply = context.session().ask(request);
    const auto found =
        std::find_if(reply.jobs.begin(), reply.jobs.end(), [&](const auto& one) { return one.id == id; });
    if (found == reply.jobs.end())
        throw Error(ErrorKind::not_found,
                    "there is no job " + id + " among your newest " + std::to_string(reply.jobs.size()),
                    "See `strongroom job list`.");
    return *found;
}

void require_success(const proto::Job& job) {
    if (job.state == "succeeded") return;
    if (!job.problem)
        throw Error(job.state == "cancelled" ? ErrorKind::interrupted : ErrorKind::timeout,
                    "job " + job.id + " ended as " + job.state,
                    "See `strongroom job list --server " + job.server + "`.");
    throw Error(error_kind_from_name(job.problem->kind),
                "job " + job.id + " " + job.state + ": " + job.problem->text, job.problem->hint);
}

void wait(Context& context, const std::string& id, std::int64_t timeout) {
    const auto start = std::chrono::steady_clock::now();
    StageProgress progress(context);
    for (;;) {
        const auto job = find_job(context, id);
        if (is_final(job.state)) {
            progress.leave();
            if (context.config.json) context.print_json(to_json(job));
            require_success(job);
            if (!context.config.json)
                context.out << "job " << id << " succeeded" << (job.set ? ", set " + *job.set : "")
                            << shown_work(job) << '\n';
            return;
        }
        progress.update(job.kind + " " + job.stage.value_or(job.state), job.plain_bytes, job.total_bytes,
                        job.rate.value_or(0));
        if (timeout > 0 && std::chrono::steady_clock::now() - start > seconds(timeout))
            throw Error(ErrorKind::timeout,
                        "job " + id + " is still " + job.state + " after " + std::to_string(timeout) + " s",
                        "It goes on; wait again, or cancel it with `strongroom job cancel " + id + "`.");
        context.check_interrupted();
        std::this_thread::sleep_for(seconds(1));
        context.check_interrupted();
    }
}

void create(Context& context, const Arguments& arguments) {
    const auto reply = context.session().ask(proto::JobCreate{arguments.server, arguments.kind});
    if (arguments.wait) return wait(context, reply.job, arguments.timeout);
    if (context.config.json) return context.print_json(to_json(reply));
    context.out << reply.job << '\n';
}

void cancel(Context& context, const std::string& id) {
    const auto reply = context.session().ask(proto::JobCancel{id});
    if (context.config.json) return context.print_json(to_json(reply));
    context.out << "job " << id << " is " << reply.state << '\n';
}

}  // namespace

void add_job_commands(Commands& commands) {
    CLI::App* group = commands.group("job", "Work that agents do");
    auto arguments = std::make_shared<Arguments>();
    CLI::App* listing =
        commands.add(group, "list", "Jobs, newest first", "strongroom job list --server UUID --limit 20",
                     [arguments](Context& c) { list(c, *arguments); });
    listing->add_option("--server", arguments->server, "Only of this server");
    listing->add_option("--limit", arguments->limit, "How many")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();

    CLI::App* creating = commands.add(group, "create", "Ask for a job now: a backup, or one of the others",
                                      "strongroom job create --server UUID --kind backup --wait",
                                      [arguments](Context& c) { create(c, *arguments); });
    creating->add_option("--server", arguments->server, "Server UUID")->required();
    add_kind_option(*creating, arguments->kind);
    creating->add_flag("--wait", arguments->wait, "Wait until it ends");
    creating->add_option("--timeout", arguments->timeout, "With --wait: give up after this many seconds");

    CLI::App* waiting =
        commands.add(group, "wait", "Wait until a job ends; fails if the job failed",
                     "strongroom job wait 5b1e0e0e-7d8b-4b5c-8a40-3c3f4f0f9a11 --timeout 3600",
                     [arguments](Context& c) { wait(c, arguments->job, arguments->timeout); });
    waiting->add_option("job", arguments->job, "Job UUID")->required();
    waiting->add_option("--timeout", arguments->timeout, "Give up after this many seconds (0: never)");

    CLI::App* rotating = commands.add(
        commands.program(), "rotate",
        "Give a server a new decryption key: the agent makes and escrows it, and rewraps all its sets",
        "strongroom rotate --server UUID\n  strongroom schedule set --server UUID --kind rotate --cron \"0 4 "
        "1 */3 "
        "*\"        (every three months)",
        [arguments](Context& c) {
            arguments->kind = "rotate";
            arguments->wait = !arguments->no_wait;
            create(c, *arguments);
        });
    rotating->add_option("--server", arguments->server, "Server UUID")->required();
    rotating->add_flag("--no-wait", arguments->no_wait, "Only order it");
    rotating->add_option("--timeout", arguments->timeout, "Stop waiting after this many seconds (0: never)");

    commands
        .add(group, "cancel", "Cancel a job that has not ended",
             "strongroom job cancel 5b1e0e0e-7d8b-4b5c-8a40-3c3f4f0f9a11",
             [arguments](Context& c) { cancel(c, arguments->job); })
        ->add_option("job", arguments->job, "Job UUID")
        ->required();
}

}  // namespace strongroom::client
