#include "tests/fault/dispatcher/model/site.hpp"

namespace strongroom::test {

using namespace strongroom::dispatcher;

void DyingStore::transact(const Work& work) {
    const bool dies = left_ > 0 && --left_ == 0;
    inner_->transact([&](Transaction& tx) {
        work(tx);
        if (dies && !after_commit_) throw Killed();
    });
    if (dies) throw Killed();
}

Authenticated BelievingAuthenticator::open(const Admission& admission, BytesView sealed) const {
    Authenticated out{proto::decode(sealed), {gpg::Home::use({}), admission.fingerprint()}, {}, nullptr};
    const auto& header = out.message.header;
    const auto away = header.time - window_.now();
    if (away > proto::time_window || away < -proto::time_window)
        throw Error(ErrorKind::protocol, "the message's time is out of the window");
    if (admission.role == Role::registrant) {
        const auto claim = from_json<proto::Register>(out.message.body);
        out.key.emplace();
        out.key->fingerprint = header.from;
        out.key->subkeys.resize(2);
        out.key->subkeys[0].fingerprint = header.from;
        out.key->subkeys[1] = {claim.subkey, false, true, true, false, {}};
    } else if (header.from != admission.fingerprint()) {
        throw Error(ErrorKind::unauthenticated, "another sender");
    }
    return out;
}

Site::Site() {
    SqliteStore::create(folder_.path() / "d.sqlite");
    open();
}

void Site::open() {
    metrics_ = std::make_unique<Metrics>();
    store_ = std::make_unique<DyingStore>(SqliteStore::open(folder_.path() / "d.sqlite"));
    api_ = std::make_unique<MessageApi>(*store_, authenticator_, *metrics_, clock, std::chrono::minutes(1));
    scheduler_ = std::make_unique<Scheduler>(*store_, clock);
}

void Site::kill_and_restart() {
    ++deaths;
    scheduler_.reset();
    api_.reset();
    store_.reset();
    open();
}

std::optional<Bytes> Site::post(const std::string& authorization, BytesView message) {
    try {
        const Admission admission = api_->admit(authorization);
        Answer answer = api_->message(admission, message);
        if (answer.status != 200) return std::nullopt;
        return std::move(answer.body);
    } catch (const Error&) {  // at the gate
        return std::nullopt;
    } catch (const Killed&) {
        kill_and_restart();
        return std::nullopt;
    }
}

void Site::tick() {
    try {
        scheduler_->tick();
    } catch (const Killed&) {
        kill_and_restart();
    }
}

std::string Site::state(const std::vector<std::string>& servers, const std::vector<std::string>& users) {
    std::string out;
    look([&](Transaction& tx) {
        for (const auto& user : users)
            for (const auto& entry : tx.list_audit(user, 1'000'000)) out += entry.id + "\n";
        for (const auto& uuid : servers) {
            if (const auto server = tx.find_server(uuid))
                out += uuid + server->identity + server->label + std::to_string(server->retired) + "\n";
            for (const auto& job : tx.list_jobs(uuid, 1'000'000))
                out += job.id + std::string(name(job.state)) + std::to_string(job.attempts) + "@" +
                       std::to_string(job.lease_until) + job.set + "\n";
            for (const auto& schedule : tx.list_schedules(uuid)) out += schedule.id + schedule.cron + "\n";
            for (const auto& backup : tx.list_backups(uuid, 1'000'000)) out += backup.set + "\n";
            for (const auto& record : tx.list_escrow(uuid)) out += record.id + "\n";
        }
    });
    return out;
}

}  // namespace strongroom::test
