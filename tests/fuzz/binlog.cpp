// A binary log from a server that may be anybody's: it is read or refused, groups are inside it and in order,
// and how the bytes are cut changes nothing.
#include "common/binlog/scanner.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace strongroom::fuzz {
namespace {

struct Seen {
    std::vector<std::int64_t> ends;
    std::int64_t whole = 0;
    std::string gtids;
    bool good = false;
};

Seen run(BytesView log, std::size_t piece) {
    Seen out;
    binlog::Scanner scanner;
    std::int64_t before = 0;
    const auto on_group = [&](const binlog::Group& group) {
        require(group.begin >= before && group.begin < group.end, "groups do not overlap");
        before = group.end;
        out.ends.push_back(group.end);
    };
    out.good = accepts([&] {
        for (BytesView left = log; !left.empty();) {
            scanner.add(left.substr(0, piece), on_group);
            left.remove_prefix(std::min(piece, left.size()));
            require(scanner.whole() <= scanner.read(), "what is whole was read");
        }
    });
    out.whole = scanner.whole();
    out.gtids = binlog::text_of(scanner.gtids());
    return out;
}

}  // namespace

void fuzz(BytesView input) {
    Front front(input);
    const std::size_t piece = 1U + front.byte() % 60U;
    const Seen whole = run(front.rest(), front.rest().size() + 1);
    const Seen cut = run(front.rest(), piece);
    require(whole.good == cut.good, "cut otherwise, a log is judged alike");
    if (whole.good) {
        require(whole.ends == cut.ends && whole.whole == cut.whole && whole.gtids == cut.gtids,
                "and read alike");
        require(binlog::text_of(binlog::parse_gtid_state(whole.gtids)) == whole.gtids,
                "a state is read back");
    }
    accepts([&] {
        const auto gtid = binlog::parse_gtid(front.rest());
        require(binlog::parse_gtid(gtid.text()) == gtid, "a GTID is read back");
    });
}

}  // namespace strongroom::fuzz
