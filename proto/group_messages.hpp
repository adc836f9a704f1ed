// What a user orders and sees of groups of servers (PROTOCOL.md section 4, docs/replicas.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/message_parts.hpp"
#include "proto/server_state.hpp"

namespace strongroom::proto {

inline constexpr Range primary_after_range{never_the_primary, 86'400};

struct GroupScheduleSet {
    static constexpr const char* type = "group.schedule";
    std::string group;
    std::string kind;
    std::string cron;  // empty removes the schedule of this kind
    std::int64_t splay_s = 0;
    std::int64_t primary_after_s = 600;  // how long after a slot is due the primary may be taken
    template <class Fields>
    void fields(Fields& f) {
        f("group", group, group_text);
        f("kind", kind, job_kind_text);
        f("cron", cron, short_text);
        f("splay_s", splay_s, Range{0, 86'400});
        f("primary_after_s", primary_after_s, primary_after_range);
    }
    struct Reply {
        std::optional<std::string> schedule;
        template <class Fields>
        void fields(Fields& f) {
            f("schedule", schedule, uuid_text);
        }
    };
};

struct GroupList {
    static constexpr const char* type = "group.list";
    template <class Fields>
    void fields(Fields&) {}

    struct Member {
        std::string server;
        std::string label;
        std::optional<std::int64_t> last_seen;
        std::int64_t reported = 0;  // its state, when
        std::optional<std::int64_t> last_backup;
        bool fit = false;
        std::string standing;  // why it is fit, or why not
        ServerState state;
        template <class Fields>
        void fields(Fields& f) {
            f("server", server, uuid_text);
            f("label", label, short_text);
            f("last_seen", last_seen, any_time);
            f("reported", reported, any_time);
            f("last_backup", last_backup, any_time);
            f("fit", fit);
            f("standing", standing, long_text);
            f("state", state);
        }
    };
    struct Schedule {
        std::string id;
        std::string kind;
        std::string cron;
        std::int64_t splay_s = 0;
        std::int64_t primary_after_s = 0;
        std::int64_t next_due = 0;
        template <class Fields>
        void fields(Fields& f) {
            f("id", id, uuid_text);
            f("kind", kind, job_kind_text);
            f("cron", cron, short_text);
            f("splay_s", splay_s, Range{0, 86'400});
            f("primary_after_s", primary_after_s, primary_after_range);
            f("next_due", next_due, any_time);
        }
    };
    struct Group {
        std::string group;
        std::vector<Member> members;
        std::vector<Schedule> schedules;
        std::optional<std::string> next;  // the member that a slot would be given to now
        std::string reason;               // why that one, or why none
        template <class Fields>
        void fields(Fields& f) {
            f("group", group, group_text);
            f("members", members, Many<Nested>{100, {}});
            f("schedules", schedules, Many<Nested>{10, {}});
            f("next", next, uuid_text);
            f("reason", reason, long_text);
        }
    };
    struct Reply {
        std::vector<Group> groups;
        template <class Fields>
        void fields(Fields& f) {
            f("groups", groups, Many<Nested>{max_list, {}});
        }
    };
};

}  // namespace strongroom::proto
