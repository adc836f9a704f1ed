#include "common/storage/s3/s3_documents.hpp"

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "common/storage/s3/s3_errors.hpp"
#include "tests/support/error_of.hpp"

using namespace strongroom;
using namespace strongroom::storage;
using strongroom::test::error_of;

namespace {

const std::string head = R"(<?xml version="1.0" encoding="UTF-8"?>)";

std::string page(const std::string& inner) {
    return head + R"(<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)" + inner +
           "</ListBucketResult>";
}

Error error_for(int status, const std::string& code, const std::string& message = "") {
    net::ObjectAnswer answer;
    answer.status = status;
    if (!code.empty())
        answer.body = head + "<Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>";
    return s3_error("put of k", answer);
}

}  // namespace

TEST_CASE("a page names objects, folders and whether there is more") {
    const auto parsed =
        parse_s3_page(page("<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
                           "<Contents><Key>a%2Fb%01+c</Key><Size>12</Size></Contents>"
                           "<CommonPrefixes><Prefix>x%2F</Prefix></CommonPrefixes>"
                           "<NextContinuationToken>t&amp;1</NextContinuationToken>"));
    REQUIRE(parsed.objects.size() == 1);
    CHECK(parsed.objects[0].key == std::string("a/b\x01 c"));
    CHECK(parsed.objects[0].size == 12);
    CHECK(parsed.folders == std::vector<std::string>{"x/"});
    CHECK(parsed.next == "t&1");
    const auto plain = parse_s3_page(page("<Contents><Key>a%2F</Key><Size>0</Size></Contents>"));
    CHECK(plain.objects[0].key == "a%2F");
    CHECK_FALSE(plain.next);
}

TEST_CASE("what is no such page is refused") {
    const std::string bomb = head +
                             "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>"
                             "<ListBucketResult><IsTruncated>&b;</IsTruncated></ListBucketResult>";
    for (const auto& wrong :
         {std::string(), std::string("<html>"), std::string("<html></html>"), std::string("\0\0\0", 3),
          page("<Contents><Key>a</Key><Size>-1</Size></Contents>"),
          page("<Contents><Key>a</Key><Size>99999999999999999999</Size></Contents>"),
          page("<Contents><Key>a</Key></Contents>"), page("<IsTruncated>perhaps</IsTruncated>"),
          page("<IsTruncated>true</IsTruncated>"),
          page("<IsTruncated>true</IsTruncated><NextContinuationToken>" + std::string(5000, 'x') +
               "</NextContinuationToken>"),
          page("<EncodingType>url</EncodingType><Contents><Key>%zz</Key><Size>1</Size></Contents>"), bomb}) {
        INFO(wrong.substr(0, 200));
        CHECK(error_of([&] { parse_s3_page(wrong); }).kind() == ErrorKind::protocol);
    }
}

TEST_CASE("unfinished uploads have a time") {
    const auto parsed = parse_s3_uploads(
        head +
        "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>a/b</Key><UploadId>u~1</"
        "UploadId>"
        "<Initiated>2026-11-22T09:09:00.178Z</Initiated></Upload></ListMultipartUploadsResult>");
    REQUIRE(parsed.uploads.size() == 1);
    CHECK(parsed.uploads[0].id == "u~1");
    CHECK(to_millis(parsed.uploads[0].initiated) % 1000 == 178);
    CHECK(parse_s3_time("2026-11-22T09:09:00Z") == parse_utc("2026-11-22T09:09:00Z"));
    for (const char* wrong : {"", "2026-11-22", "2026-11-22T09:09:00.Z", "2026-11-22T09:09:00.1x2Z", ".5Z"})
        CHECK(error_of([&] { parse_s3_time(wrong); }).kind() == ErrorKind::protocol);
}

TEST_CASE("the kind of an error says whether asking again can help") {
    using K = ErrorKind;
    CHECK(error_for(404, "NoSuchKey").kind() == K::not_found);
    CHECK(error_for(404, "").kind() == K::not_found);
    CHECK(error_for(404, "NoSuchBucket").kind() == K::config);
    CHECK(error_for(403, "AccessDenied").kind() == K::forbidden);
    CHECK(error_for(403, "RequestTimeTooSkewed").kind() == K::forbidden);
    CHECK(error_for(403, "").kind() == K::forbidden);
    CHECK(error_for(403, "QuotaExceeded").kind() == K::storage);
    CHECK(error_for(400, "ExpiredToken").kind() == K::forbidden);
    CHECK(error_for(503, "SlowDown").kind() == K::busy);
    CHECK(error_for(503, "").kind() == K::busy);
    CHECK(error_for(500, "InternalError").kind() == K::network);
    CHECK(error_for(502, "").kind() == K::network);
    CHECK(error_for(400, "BadDigest").kind() == K::network);
    CHECK(error_for(400, "").kind() == K::storage);
    CHECK(error_for(301, "PermanentRedirect").kind() == K::config);
    CHECK(error_for(200, "InternalError").kind() == K::network);  // of a completed upload
}

TEST_CASE("an error says the server's cause in a printable, bounded line, and what to do") {
    const Error error =
        error_for(403, "RequestTimeTooSkewed", "The \x1b[31mclock&#10;" + std::string(5000, 'x'));
    CHECK(error.text().find("RequestTimeTooSkewed") != std::string::npos);
    CHECK(error.text().find('\x1b') == std::string::npos);
    CHECK(error.text().find('\n') == std::string::npos);
    CHECK(error.text().size() < 600);
    CHECK(error.hint().find("clock") != std::string::npos);
    net::ObjectAnswer elsewhere;
    elsewhere.status = 301;
    elsewhere.headers["x-amz-bucket-region"] = "eu-west-3";
    CHECK(s3_error("put of k", elsewhere).hint().find("eu-west-3") != std::string::npos);
}
