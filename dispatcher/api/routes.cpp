#include "dispatcher/api/routes.hpp"

#include "dispatcher/handler/handlers.hpp"

namespace strongroom::dispatcher {
namespace {

template <class Request, typename Request::Reply (*handler)(const Context&, const Request&)>
constexpr Route route(Role caller) {
    return {Request::type, caller, [](const Context& context, const Json& body) {
                return to_json(handler(context, from_json<Request>(body)));
            }};
}

constexpr Route table[] = {
    route<proto::Register, register_server>(Role::registrant),

    route<proto::JobNext, job_next>(Role::agent),
    route<proto::JobProgress, job_progress>(Role::agent),
    route<proto::JobFinished, job_finished>(Role::agent),
    route<proto::EscrowDeposit, escrow_deposit>(Role::agent),
    route<proto::AgentReport, agent_report>(Role::agent),
    route<proto::StatementAnswer, statement_answer>(Role::agent),
    route<proto::IdentityChangeNews, identity_change>(Role::agent),

    route<proto::RegistrationCreate, registration_create>(Role::user),
    route<proto::ServerList, server_list>(Role::user),
    route<proto::ServerShow, server_show>(Role::user),
    route<proto::ServerRetire, server_retire>(Role::user),
    route<proto::ScheduleSet, schedule_set>(Role::user),
    route<proto::GroupScheduleSet, group_schedule>(Role::user),
    route<proto::GroupList, group_list>(Role::user),
    route<proto::JobCreate, job_create>(Role::user),
    route<proto::JobList, job_list>(Role::user),
    route<proto::JobCancel, job_cancel>(Role::user),
    route<proto::BackupList, backup_list>(Role::user),
    route<proto::BackupForget, backup_forget>(Role::user),
    route<proto::StatementSend, statement_send>(Role::user),
    route<proto::StatementList, statement_list>(Role::user),
    route<proto::IdentityList, identity_list>(Role::user),
    route<proto::EscrowFetch, escrow_fetch>(Role::user),
    route<proto::EscrowChallenge, escrow_challenge>(Role::user),
    route<proto::EscrowProve, escrow_prove>(Role::user),
    route<proto::AuditList, audit_list>(Role::user),
};

}  // namespace

std::span<const Route> routes() {
    return table;
}

const Route* find_route(std::string_view type) {
    for (const auto& entry : table)
        if (entry.type == type) return &entry;
    return nullptr;
}

}  // namespace strongroom::dispatcher
