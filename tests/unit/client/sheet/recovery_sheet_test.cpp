#include "client/sheet/recovery_sheet.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "tests/support/error_of.hpp"

using namespace strongroom;
using namespace strongroom::client;

namespace {

SheetFacts some_facts() {
    SheetFacts out;
    out.server = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
    out.identity = std::string(40, 'A');
    out.subkeys = {std::string(40, 'B')};
    out.recovery = {std::string(40, 'C')};
    out.stores = {"s3://backups/mysql"};
    return out;
}

std::string text_of(const SheetFacts& facts) {
    return sheet_text(sheet_parts(facts), std::nullopt);
}

// Commands as a shell reads them: on one line each.
std::string commands_of(const SheetFacts& facts) {
    std::string out = text_of(facts);
    for (std::size_t at = 0; (at = out.find(" \\\n      ", at)) != std::string::npos;)
        out.replace(at, 9, " ");
    return out;
}

bool says(const std::string& text, const std::string& what) {
    return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("the sheet's commands fit the store") {
    auto facts = some_facts();
    facts.s3_endpoint = "https://s3.example.org:9000";
    CHECK(says(commands_of(facts), "aws s3 sync s3://backups/mysql/" + facts.server));
    CHECK(says(commands_of(facts), "--endpoint-url https://s3.example.org:9000"));
    CHECK(says(commands_of(facts), "--s3-endpoint https://s3.example.org:9000"));
    facts.stores = {"sftp://backup@host.example:2222/srv/backups"};
    CHECK(says(commands_of(facts), "sftp -r -P 2222 backup@host.example:/srv/backups/" + facts.server));
    CHECK_FALSE(says(commands_of(facts), "endpoint"));
    facts.stores = {"file:///srv/our backups"};
    CHECK(says(commands_of(facts), "cp -r $'/srv/our\\040backups/" + facts.server + "'"));
    facts.stores = {};
    CHECK(says(commands_of(facts), "--store URL"));
}

TEST_CASE("foreign text on the sheet is harmless, and lines are short") {
    auto facts = some_facts();
    facts.label = "shop \x1b[31m (\xc3\xa9\xe2\x82\xac)";
    for (int i = 0; i < 3; ++i) facts.stores.push_back("file:///" + std::string(200, 'x'));
    const std::string text = text_of(facts);
    CHECK_FALSE(says(text, "\x1b"));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 80);
    CHECK(
        sheet_pdf(sheet_parts(facts), QrCode(sheet_fingerprints(facts)), Paper::letter).starts_with("%PDF"));
}

TEST_CASE("more keys than there is room for are counted") {
    auto facts = some_facts();
    facts.recovery.assign(16, std::string(40, 'D'));
    facts.subkeys.assign(100, std::string(40, 'E'));
    CHECK(says(text_of(facts), "and 12 more"));
    CHECK(says(text_of(facts), "and 96 more"));
    const std::string code = sheet_fingerprints(facts);
    CHECK(std::ranges::count(code, '\n') == 10);
    CHECK(QrCode(code).lines().size() <= 40);
    CHECK(sheet_pdf(sheet_parts(facts), QrCode(code), Paper::a4).starts_with("%PDF"));
}

TEST_CASE("what does not fit on one page is refused") {
    auto facts = some_facts();
    facts.stores.assign(200, "file:///" + std::string(200, 'x'));
    const auto parts = sheet_parts(facts);
    CHECK(test::error_of([&] { sheet_pdf(parts, QrCode("x"), Paper::a4); }).kind() == ErrorKind::usage);
    CHECK(test::error_of([] { QrCode(std::string(5000, 'x')); }).kind() == ErrorKind::usage);
}
