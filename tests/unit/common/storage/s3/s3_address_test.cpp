#include "common/storage/s3/s3_address.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "common/base/error.hpp"
#include "tests/support/error_of.hpp"

using namespace strongroom;
using namespace strongroom::storage;
using strongroom::test::error_of;

namespace {

S3Settings with(const std::string& endpoint, const std::string& addressing = "auto") {
    S3Settings out;
    out.endpoint = endpoint;
    out.region = "eu-1";
    out.addressing = addressing;
    return out;
}

}  // namespace

TEST_CASE("an S3 URL is a bucket and a prefix") {
    const S3Address plain("s3://bucket", with(""));
    CHECK(plain.bucket() == "bucket");
    CHECK(plain.prefix().empty());
    CHECK(plain.label() == "s3://bucket");
    const S3Address deep("s3://my.bucket-1/a/b_C.9/", with(""));
    CHECK(deep.prefix() == "a/b_C.9/");
    CHECK(deep.label() == "s3://my.bucket-1/a/b_C.9");
    for (const char* wrong :
         {"s3://", "s3:///x", "s3://ab", "s3://Bucket", "s3://-bucket", "s3://bucket.", "s3://a..b/x",
          "s3://user:secret@bucket", "s3://bucket?x=y", "s3://bucket//x", "s3://bucket/../x",
          "s3://bucket/a b", "s3://bucket/.hidden", "s3://bucket#x", "file:///srv"}) {
        INFO(wrong);
        CHECK(error_of([&] { S3Address(wrong, with("")); }).kind() == ErrorKind::config);
    }
}

TEST_CASE("the bucket goes into the host on AWS and into the path elsewhere, unless told otherwise") {
    const auto url = [](const std::string& store, const S3Settings& settings, const std::string& key) {
        return S3Address(store, settings).request_url(key, {});
    };
    CHECK(url("s3://bkt", with(""), "k") == "https://bkt.s3.eu-1.amazonaws.com/k");
    CHECK(url("s3://bkt", with(""), "") == "https://bkt.s3.eu-1.amazonaws.com/");
    CHECK(url("s3://b.kt", with(""), "k") == "https://s3.eu-1.amazonaws.com/b.kt/k");
    CHECK(url("s3://bkt", with("", "path"), "k") == "https://s3.eu-1.amazonaws.com/bkt/k");
    CHECK(url("s3://bkt", with("https://h:9000/"), "a/k") == "https://h:9000/bkt/a/k");
    CHECK(url("s3://bkt", with("https://h:9000"), "") == "https://h:9000/bkt");
    CHECK(url("s3://bkt", with("https://h:9000", "virtual"), "k") == "https://bkt.h:9000/k");
}

TEST_CASE("a query is sorted and encoded, and every name has its equals sign") {
    const S3Address address("s3://bkt", with("https://h"));
    CHECK(address.request_url("", {{"versions", ""}, {"prefix", "a b/+"}, {"key-marker", "~x"}}) ==
          "https://h/bkt?key-marker=~x&prefix=a%20b%2F%2B&versions=");
}

TEST_CASE("an endpoint is an address with TLS, or on this machine") {
    CHECK_NOTHROW(S3Address("s3://bkt", with("http://127.0.0.1:7480")));
    CHECK_NOTHROW(S3Address("s3://bkt", with("http://localhost:7480")));
    for (const char* wrong : {"http://s3.example.org", "http://10.0.0.1:9000", "ftp://h", "h:9000",
                              "https://h/path", "https://u:p@h", "https://h?x", "https://"}) {
        INFO(wrong);
        CHECK(error_of([&] { S3Address("s3://bkt", with(wrong)); }).kind() == ErrorKind::config);
    }
    S3Settings settings;
    settings.region = "eu-1\r\nX: y";
    CHECK(error_of([&] { S3Address("s3://bkt", settings); }).kind() == ErrorKind::config);
}

TEST_CASE("the region is the setting's, then the environment's") {
    ::setenv("AWS_REGION", "from-env", 1);
    CHECK(S3Address("s3://bkt", {}).region() == "from-env");
    CHECK(S3Address("s3://bkt", with("")).region() == "eu-1");
    ::unsetenv("AWS_REGION");
    ::unsetenv("AWS_DEFAULT_REGION");
    CHECK(S3Address("s3://bkt", {}).region() == "us-east-1");
}

TEST_CASE("URI encoding comes back, and broken encoding is refused") {
    std::string all;
    for (int i = 1; i < 256; ++i) all += static_cast<char>(i);
    CHECK(decode_uri(encode_uri(all)) == all);
    CHECK(decode_uri("a%2Fb+c") == "a/b c");
    for (const char* wrong : {"%", "%2", "%2G", "a%-1", "x%"}) {
        INFO(wrong);
        CHECK(error_of([&] { decode_uri(wrong); }).kind() == ErrorKind::protocol);
    }
}
