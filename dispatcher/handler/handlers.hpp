// The handlers: one function for each message of PROTOCOL.md section 4. dispatcher/api/routes.cpp says who
// may call which. To add a message: its type in proto/messages.hpp, a function here, a row there.
#pragma once

#include "dispatcher/handler/context.hpp"
#include "proto/messages.hpp"

namespace strongroom::dispatcher {

// registration.cpp
proto::RegistrationCreate::Reply registration_create(const Context&, const proto::RegistrationCreate&);
proto::Register::Reply register_server(const Context&, const proto::Register&);
// agent_work.cpp
proto::JobNext::Reply job_next(const Context&, const proto::JobNext&);
proto::JobProgress::Reply job_progress(const Context&, const proto::JobProgress&);
proto::JobFinished::Reply job_finished(const Context&, const proto::JobFinished&);
proto::AgentReport::Reply agent_report(const Context&, const proto::AgentReport&);
// escrow.cpp
proto::EscrowDeposit::Reply escrow_deposit(const Context&, const proto::EscrowDeposit&);
proto::EscrowFetch::Reply escrow_fetch(const Context&, const proto::EscrowFetch&);
// statements.cpp
proto::StatementSend::Reply statement_send(const Context&, const proto::StatementSend&);
proto::StatementList::Reply statement_list(const Context&, const proto::StatementList&);
proto::StatementAnswer::Reply statement_answer(const Context&, const proto::StatementAnswer&);
// identity.cpp
proto::IdentityChangeNews::Reply identity_change(const Context&, const proto::IdentityChangeNews&);
proto::IdentityList::Reply identity_list(const Context&, const proto::IdentityList&);
// proof.cpp
proto::EscrowChallenge::Reply escrow_challenge(const Context&, const proto::EscrowChallenge&);
proto::EscrowProve::Reply escrow_prove(const Context&, const proto::EscrowProve&);
// servers.cpp
proto::ServerList::Reply server_list(const Context&, const proto::ServerList&);
proto::ServerShow::Reply server_show(const Context&, const proto::ServerShow&);
proto::ServerRetire::Reply server_retire(const Context&, const proto::ServerRetire&);
proto::BackupList::Reply backup_list(const Context&, const proto::BackupList&);
proto::BackupForget::Reply backup_forget(const Context&, const proto::BackupForget&);
proto::AuditList::Reply audit_list(const Context&, const proto::AuditList&);
// groups.cpp
proto::GroupScheduleSet::Reply group_schedule(const Context&, const proto::GroupScheduleSet&);
proto::GroupList::Reply group_list(const Context&, const proto::GroupList&);
// orders.cpp
proto::ScheduleSet::Reply schedule_set(const Context&, const proto::ScheduleSet&);
proto::JobCreate::Reply job_create(const Context&, const proto::JobCreate&);
proto::JobList::Reply job_list(const Context&, const proto::JobList&);
proto::JobCancel::Reply job_cancel(const Context&, const proto::JobCancel&);

}  // namespace strongroom::dispatcher
