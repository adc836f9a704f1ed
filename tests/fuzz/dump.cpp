// The SQL text of a dump, from a host that may be in foreign hands: how it is cut into writes changes
// nothing, what is taken out of a part is that part, and the whole passes as it is.
#include "common/restore/dump_splitter.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/streams.hpp"

namespace strongroom::fuzz {
namespace {

struct Split {
    bool good = false;
    Bytes text;
    std::set<restore::TableName> tables;
};

Split split(BytesView dump, const restore::Selection& wanted, std::size_t piece) {
    test::CollectingTarget out;
    Split result;
    restore::DumpSplitter splitter(&out, wanted);
    result.good = accepts([&] {
        for (BytesView left = dump; !left.empty();) {
            const BytesView now = left.substr(0, piece);
            splitter.write(now.data(), now.size());
            left.remove_prefix(now.size());
        }
        splitter.commit();
    });
    require(result.good == out.committed, "only a good dump is committed");
    result.text = std::move(out.bytes);
    result.tables = splitter.tables();
    return result;
}

}  // namespace

void fuzz(BytesView input) {
    Front front(input);
    const std::size_t piece = 1U + front.byte() % 60U;
    const BytesView dump = front.rest();
    const restore::Selection one{{}, {{"shop", "orders"}}};
    const restore::Selection both{{"shop"}, {{"crm", "orders"}}};
    for (const auto& wanted : {restore::Selection{}, one, both}) {
        const Split whole = split(dump, wanted, dump.size() + 1);
        const Split cut = split(dump, wanted, piece);
        require(whole.good == cut.good, "cut into other writes, a dump is judged alike");
        if (!whole.good) continue;
        require(whole.text == cut.text && whole.tables == cut.tables, "and split alike");
        if (wanted.all()) require(whole.text == dump, "all of it passed");
    }
    const Split taken = split(dump, one, dump.size() + 1);
    if (!taken.good) return;
    const Split again = split(taken.text + "-- Dump completed\n", one, piece);
    require(again.good && again.tables == std::set<restore::TableName>{{"shop", "orders"}},
            "one table's part holds that table and no other");
}

}  // namespace strongroom::fuzz
