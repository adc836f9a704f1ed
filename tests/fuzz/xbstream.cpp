// An xbstream from a host that may be in foreign hands: nothing passes before its names were checked, and how
// the bytes are cut into writes changes nothing.
#include "common/restore/xbstream_guard.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/streams.hpp"

namespace strongroom::fuzz {
namespace {

// Passes `stream` on in pieces of at most `piece` bytes.
test::CollectingTarget run(BytesView stream, restore::XbstreamGuard::Dialect dialect, std::size_t piece,
                           bool& good) {
    test::CollectingTarget out;
    restore::XbstreamGuard guard(out, dialect);
    good = accepts([&] {
        for (BytesView left = stream; !left.empty();) {
            const BytesView now = left.substr(0, piece);
            guard.write(now.data(), now.size());
            left.remove_prefix(now.size());
        }
        guard.commit();
    });
    require(good == out.committed, "only a good stream is committed");
    require(stream.starts_with(out.bytes), "what passed is a beginning of the stream");
    return out;
}

}  // namespace

void fuzz(BytesView input) {
    using Dialect = restore::XbstreamGuard::Dialect;
    Front front(input);
    const std::size_t piece = 1U + front.byte() % 40U;
    for (const Dialect dialect : {Dialect::mariadb, Dialect::percona}) {
        bool whole_good = false;
        bool cut_good = false;
        const test::CollectingTarget whole = run(front.rest(), dialect, front.rest().size() + 1, whole_good);
        const test::CollectingTarget cut = run(front.rest(), dialect, piece, cut_good);
        require(whole_good == cut_good, "cut into other writes, a stream is judged alike");
        if (whole_good) require(whole.bytes == front.rest() && cut.bytes == front.rest(), "all of it passed");
    }
    accepts([&] {
        restore::require_inner_path(front.rest());
        require(!front.rest().starts_with('/') && front.rest() != ".." && !front.rest().starts_with("../") &&
                    !front.rest().ends_with("/..") && front.rest().find("/../") == BytesView::npos,
                "a path that was accepted stays inside");
    });
}

}  // namespace strongroom::fuzz
