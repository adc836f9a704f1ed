#include "common/maintenance/shown.hpp"

#include "common/term/text.hpp"

namespace strongroom::maintenance {
namespace {

Json to_json(const storage::KeptVersions& kept) {
    return {{"versions", kept.versions},
            {"bytes", kept.bytes},
            {"locked_until", kept.locked_until ? Json(format_utc(*kept.locked_until)) : Json()}};
}

}  // namespace

term::Table table_of(const std::vector<PruneStep>& plan) {
    term::Table out({{"SET"}, {"STORED", term::Align::right}, {"STAYS"}, {"WHY"}, {"STEP"}});
    for (const auto& step : plan)
        out.add(
            {step.set, term::format_bytes(step.bytes), step.keep ? "yes" : "no", step.why, text_of(step)});
    return out;
}

Json to_json(const std::vector<PruneStep>& plan) {
    Json out = Json::array();
    for (const auto& step : plan)
        out.push_back({{"set", step.set},
                       {"keep", step.keep},
                       {"why", step.why},
                       {"action", text_of(step)},
                       {"stored_bytes", step.bytes},
                       {"kept", step.kept.versions > 0 ? to_json(step.kept) : Json()}});
    return out;
}

}  // namespace strongroom::maintenance
