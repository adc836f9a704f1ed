#include "dispatcher/store/records.hpp"

#include <array>
#include <utility>

#include "common/base/error.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::array<std::pair<JobState, std::string_view>, 7> names{{{JobState::queued, "queued"},
                                                                      {JobState::leased, "leased"},
                                                                      {JobState::running, "running"},
                                                                      {JobState::succeeded, "succeeded"},
                                                                      {JobState::failed, "failed"},
                                                                      {JobState::expired, "expired"},
                                                                      {JobState::cancelled, "cancelled"}}};

}  // namespace

std::string_view name(JobState state) {
    for (const auto& [value, text] : names)
        if (value == state) return text;
    throw Error(ErrorKind::internal, "a job state without a name");
}

JobState job_state_from_name(std::string_view text) {
    for (const auto& [value, known] : names)
        if (known == text) return value;
    throw Error(ErrorKind::corrupt, "the database holds an unknown job state");
}

}  // namespace strongroom::dispatcher
