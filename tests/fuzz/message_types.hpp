// Every message of PROTOCOL.md section 4, for the targets and tests that go through all of them. A test of
// the dispatcher's routes fails if one is missing here.
#pragma once

#include "proto/messages.hpp"

namespace strongroom::fuzz {

// Calls f.template operator()<Type>() for each.
template <class F>
void for_each_message(F f) {
    using namespace proto;
    f.template operator()<Register>();
    f.template operator()<JobNext>();
    f.template operator()<JobProgress>();
    f.template operator()<JobFinished>();
    f.template operator()<EscrowDeposit>();
    f.template operator()<AgentReport>();
    f.template operator()<StatementAnswer>();
    f.template operator()<IdentityChangeNews>();
    f.template operator()<RegistrationCreate>();
    f.template operator()<ServerList>();
    f.template operator()<ServerShow>();
    f.template operator()<ServerRetire>();
    f.template operator()<ScheduleSet>();
    f.template operator()<GroupScheduleSet>();
    f.template operator()<GroupList>();
    f.template operator()<JobCreate>();
    f.template operator()<JobList>();
    f.template operator()<JobCancel>();
    f.template operator()<BackupList>();
    f.template operator()<BackupForget>();
    f.template operator()<StatementSend>();
    f.template operator()<StatementList>();
    f.template operator()<IdentityList>();
    f.template operator()<EscrowFetch>();
    f.template operator()<EscrowChallenge>();
    f.template operator()<EscrowProve>();
    f.template operator()<AuditList>();
}

}  // namespace strongroom::fuzz
