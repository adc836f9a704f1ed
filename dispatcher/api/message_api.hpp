// The Api over store, authenticator and routes.
#pragma once

#include "common/base/clock.hpp"
#include "dispatcher/api/api.hpp"
#include "dispatcher/api/routes.hpp"
#include "dispatcher/audit/refusal_book.hpp"
#include "dispatcher/auth/authenticator.hpp"
#include "dispatcher/health/presence.hpp"
#include "dispatcher/metrics/metrics.hpp"

namespace strongroom::dispatcher {

class MessageApi : public Api {
  public:
    // All must outlive it.
    MessageApi(Store& store, const Authenticator& authenticator, Metrics& metrics, const Clock& clock,
               std::chrono::milliseconds lease)
        : store_(store), authenticator_(authenticator), metrics_(metrics), clock_(clock), lease_(lease) {}

    Admission admit(std::string_view authorization) override;
    Answer message(const Admission& admission, BytesView sealed) override;
    WaitingAgent admit_waiting(std::string_view authorization) override;
    Answer keys(const std::string& from) override;
    void still_waits(const std::string& server) override;
    void on_work(std::function<void(const std::string&)> listener) override;
    void require_ready() override;
    std::string metrics() override;

    // Writes down what is kept in memory for a while: which agents wait, how many refusals were not audited
    // one by one. Now and then, and with `ending` before the end. Throws what the store throws.
    void write_down(bool ending = false);

  private:
    struct Outcome {
        proto::Message reply;
        std::string name;  // for metrics
        std::vector<std::string> wake;
    };
    template <class Work>
    auto at_the_gate(const Work& work);
    Authenticated open(const Admission& admission, BytesView sealed);
    Outcome handle(const Admission& admission, const Authenticated& authenticated);
    Outcome refuse(const Admission& admission, const Authenticated& authenticated, const Error& error);
    AuditEntry refusal_entry(const Admission& admission, const std::string& actor, const std::string& action,
                             const Error& error) const;
    // Whether a refusal of this peer gets its own entry in the audit trail; it is counted otherwise.
    bool is_audited(const Admission& admission);
    Bytes seal(const proto::Message& reply, const Authenticated& authenticated);

    Store& store_;
    const Authenticator& authenticator_;
    Metrics& metrics_;
    const Clock& clock_;
    const std::chrono::milliseconds lease_;
    std::function<void(const std::string&)> listener_ = [](const std::string&) {};
    Presence presence_;
    RefusalBook refusals_;
};

}  // namespace strongroom::dispatcher
