#include "agent/daemon/contact_plan.hpp"

#include <algorithm>

namespace strongroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::hours refresh{6};
constexpr std::chrono::seconds news_pause{60};
constexpr std::chrono::seconds first_pause{15};
constexpr std::chrono::minutes longest_pause{5};

}  // namespace

ContactPlan::Milliseconds ContactPlan::draw(Milliseconds least, Milliseconds most) {
    return Milliseconds(std::uniform_int_distribution<std::int64_t>(least.count(), most.count())(random_));
}

void ContactPlan::not_later_than(UtcTime time) {
    next_ = std::min(next_, time);
}

bool ContactPlan::due(UtcTime now) const {
    if (last_ && *last_ > now) return true;  // a clock that was set back must not silence the agent
    return now >= std::max(next_, not_before_);
}

void ContactPlan::has_event(UtcTime now) {
    if (pause_ == 0ms) not_later_than(now);
}

void ContactPlan::has_news(UtcTime now) {
    if (!last_ || pause_ > 0ms) return;  // due, or tried again soon
    const UtcTime latest = *last_ + news_pause;
    if (next_ > latest) not_later_than(std::max(now, *last_ + draw(news_pause / 2, news_pause)));
}

void ContactPlan::is_back(UtcTime now, std::chrono::milliseconds outage) {
    const Milliseconds spread = std::min<Milliseconds>(outage / 2, longest_pause);
    not_before_ = now + draw(0ms, spread);
    if (pause_ > 0ms) not_later_than(not_before_);
}

void ContactPlan::succeeded(UtcTime now) {
    last_ = now;
    next_ = now + draw(refresh / 2, refresh);
    not_before_ = now;
    pause_ = 0ms;
}

void ContactPlan::failed(UtcTime now) {
    last_ = now;
    pause_ = pause_ > 0ms ? std::min<Milliseconds>(pause_ * 2, longest_pause) : first_pause;
    next_ = now + draw(pause_ / 2, pause_ * 3 / 2);
    not_before_ = now;
}

}  // namespace strongroom::agent
