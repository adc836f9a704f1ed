// The S3 store against a server that fails, lies or breaks off: what can pass is tried again, all else is an
// error with its cause, and nothing that was not confirmed counts as stored.
#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/storage/guarded_store.hpp"
#include "common/storage/s3/s3_store.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/scripted_http_server.hpp"

using namespace strongroom;
using namespace std::chrono_literals;
using test::answer;
using test::error_of;
using test::s3_refusal;
using test::ScriptedAnswer;
using test::ScriptedRequest;

namespace {

struct Scripted {
    explicit Scripted(test::ScriptedHttpServer::Script script) : server(std::move(script)) {
        write_file_atomic(dir.path() / "keys",
                          "[default]\naws_access_key_id = AK\naws_secret_access_key = SK\n");
        settings.endpoint = server.url();
        settings.credentials_file = dir.path() / "keys";
        settings.stall_timeout = 1;
    }
    storage::S3Store store() const { return {"s3://bucket", settings}; }
    std::shared_ptr<storage::RetryingStore> guarded() const {
        return storage::guard_store(std::make_shared<storage::S3Store>("s3://bucket", settings),
                                    {.timeout = 20s, .retry = {.attempts = 4, .first_pause = 2ms}});
    }

    TempDir dir;
    test::ScriptedHttpServer server;
    storage::S3Settings settings;
};

ScriptedAnswer stored(const ScriptedRequest& request) {
    return answer(200, "", "ETag: \"" + to_hex(storage::md5(request.body)) + "\"\r\n");
}

}  // namespace

TEST_CASE("answers that may pass are asked for again, and then it works") {
    const ScriptedAnswer first =
        GENERATE(s3_refusal(500, "InternalError"), s3_refusal(503, "SlowDown"), answer(502), answer(504),
                 answer(429), s3_refusal(400, "BadDigest"), s3_refusal(400, "RequestTimeout"),
                 ScriptedAnswer{.bytes = "", .reset = true}, ScriptedAnswer{.bytes = "", .close = true},
                 ScriptedAnswer{.bytes = "HTTP/1.1 200 OK\r\nETag: \"x", .reset = true});
    CAPTURE(first.bytes);
    Scripted bench(
        [&](const ScriptedRequest& request) { return request.number <= 2 ? first : stored(request); });
    const auto store = bench.guarded();
    CHECK_NOTHROW(store->put("a/object", "bytes"));
    CHECK(store->retries() >= 1);  // libcurl itself repeats what broke off on a kept connection
}

TEST_CASE("answers that will not pass end it at the first attempt, with their cause and what to do") {
    struct Row {
        int status;
        const char* code;
        ErrorKind kind;
    };
    const auto row = GENERATE(
        Row{403, "AccessDenied", ErrorKind::forbidden}, Row{403, "InvalidAccessKeyId", ErrorKind::forbidden},
        Row{403, "SignatureDoesNotMatch", ErrorKind::forbidden},
        Row{400, "ExpiredToken", ErrorKind::forbidden},
        Row{403, "RequestTimeTooSkewed", ErrorKind::forbidden}, Row{403, "QuotaExceeded", ErrorKind::storage},
        Row{404, "NoSuchBucket", ErrorKind::config}, Row{301, "PermanentRedirect", ErrorKind::config});
    CAPTURE(row.code);
    Scripted bench([&](const ScriptedRequest&) { return s3_refusal(row.status, row.code); });
    const Error error = error_of([&] { bench.guarded()->put("a/object", "bytes"); });
    CHECK(error.kind() == row.kind);
    CHECK(error.text().find(row.code) != std::string::npos);
    CHECK(error.text().find("s3://bucket") != std::string::npos);
    CHECK_FALSE(error.hint().empty());
    CHECK(bench.server.requests() == 1);
}

TEST_CASE("a put counts only if the server confirms the same bytes") {
    const ScriptedAnswer reply = GENERATE(answer(200), answer(200, "", "ETag: \"\"\r\n"),
                                          answer(200, "", "ETag: \"" + std::string(32, 'a') + "\"\r\n"),
                                          answer(201, "", "ETag: \"x\"\r\n"), answer(204),
                                          answer(200, "", "Bad: header\r\n"), answer(307));
    CAPTURE(reply.bytes);
    Scripted bench([&](const ScriptedRequest&) { return reply; });
    CHECK_THROWS_AS(bench.store().put("a/object", "bytes"), Error);
}

TEST_CASE("a put says digests, length, class and encryption of its body, and who signs") {
    ScriptedRequest seen;
    Scripted bench([&](const ScriptedRequest& request) {
        seen = request;
        return stored(request);
    });
    bench.settings.storage_class = "STANDARD_IA";
    bench.settings.encryption = "AES256";
    write_file_atomic(
        bench.settings.credentials_file,
        "[default]\naws_access_key_id=AK\naws_secret_access_key=hidden\naws_session_token=TOKEN\n");
    bench.store().put("a/object", "bytes");
    CHECK(seen.target == "/bucket/a/object");
    CHECK(seen.headers["x-amz-content-sha256"] == sha256_hex("bytes"));
    CHECK(seen.headers["content-md5"] == to_base64(storage::md5("bytes")));
    CHECK(seen.headers["content-length"] == "5");
    CHECK(seen.headers["x-amz-storage-class"] == "STANDARD_IA");
    CHECK(seen.headers["x-amz-server-side-encryption"] == "AES256");
    CHECK(seen.headers["x-amz-security-token"] == "TOKEN");
    const auto& authorization = seen.headers["authorization"];
    CHECK(authorization.find("Credential=AK/") != std::string::npos);
    CHECK(authorization.find("hidden") == std::string::npos);
    for (const char* header :
         {"content-md5", "host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"})
        CHECK(authorization.find(header) != std::string::npos);
}

TEST_CASE("a get is the whole object of the length that was said, or an error") {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const ScriptedAnswer reply = GENERATE_COPY(
        ScriptedAnswer{.bytes = ok + "Content-Length: 10\r\n\r\nshort", .close = true},
        ScriptedAnswer{.bytes = ok + "Content-Length: 10\r\n\r\nshort", .reset = true},
        ScriptedAnswer{.bytes = ok + "\r\nno length", .close = true},
        ScriptedAnswer{.bytes = ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nbytes\r\n0\r\n\r\n"},
        ScriptedAnswer{.bytes = ok + "Content-Length: 999999999999999\r\n\r\n"}, answer(206, "bytes"),
        answer(200, "12345678901"), answer(302, "", "Location: /bucket/other\r\n"));
    CAPTURE(reply.bytes);
    Scripted bench([&](const ScriptedRequest&) { return reply; });
    CHECK_THROWS_AS(bench.store().get("a/object", 10), Error);
    CHECK(bench.server.requests() <= 2);
}

TEST_CASE("foreign answers have caps") {
    SECTION("headers without end") {
        Scripted bench([](const ScriptedRequest&) {
            std::string headers;
            for (int i = 0; i < 5000; ++i)
                headers += "X-" + std::to_string(i) + ": " + std::string(100, 'x') + "\r\n";
            return answer(200, "x", headers);
        });
        CHECK(error_of([&] { bench.store().get("a/object", 10); }).kind() == ErrorKind::protocol);
    }
    SECTION("an error document without end") {
        Scripted bench([](const ScriptedRequest&) { return answer(500, std::string(1 << 20, 'x')); });
        CHECK(error_of([&] { bench.store().put("a/object", "x"); }).kind() == ErrorKind::protocol);
    }
    SECTION("a page without end") {
        Scripted bench([](const ScriptedRequest&) { return answer(200, std::string(9 << 20, ' ')); });
        CHECK(error_of([&] { bench.store().list(""); }).kind() == ErrorKind::protocol);
    }
    SECTION("pages without end") {
        Scripted bench([](const ScriptedRequest&) {
            return answer(200,
                          "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t"
                          "</NextContinuationToken></ListBucketResult>");
        });
        CHECK(error_of([&] { bench.store().list(""); }).kind() == ErrorKind::protocol);
        CHECK(bench.server.requests() == 2);
    }
}

TEST_CASE("a list takes only what can be ours, and refuses names outside of what it asked for") {
    std::string key = "p/ok";
    Scripted bench([&](const ScriptedRequest&) {
        std::string keys;
        for (const std::string& one :
             {std::string("p/folder/"), std::string("p/.hidden"), std::string("p/a%20b"), key})
            keys += "<Contents><Key>" + one + "</Key><Size>3</Size></Contents>";
        return answer(200,
                      "<ListBucketResult><EncodingType>url</EncodingType>" + keys + "</ListBucketResult>");
    });
    const auto found = bench.store().list("p/");
    REQUIRE(found.size() == 1);
    CHECK(found[0].key == "p/ok");
    CHECK(found[0].size == 3);
    key = "elsewhere/object";
    CHECK(error_of([&] { bench.store().list("p/"); }).kind() == ErrorKind::protocol);
}

TEST_CASE("a server that takes a request and stays silent is given up, and the next attempt may work") {
    Scripted bench([&](const ScriptedRequest& request) {
        ScriptedAnswer reply = stored(request);
        if (request.number == 1) reply.delay = 30s;
        return reply;
    });
    const auto start = std::chrono::steady_clock::now();
    CHECK(error_of([&] { bench.store().put("a/object", "x"); }).kind() == ErrorKind::network);
    CHECK(std::chrono::steady_clock::now() - start < 10s);
    CHECK_NOTHROW(bench.store().put("a/object", "x"));
}

TEST_CASE("a completed upload in parts counts only if its answer says so") {
    int parts = 0;
    int aborted = 0;
    std::string completion;
    Scripted bench([&](const ScriptedRequest& request) {
        if (request.target.ends_with("?uploads="))
            return answer(200,
                          "<InitiateMultipartUploadResult><UploadId>id-1</UploadId>"
                          "</InitiateMultipartUploadResult>");
        if (request.method == "DELETE") ++aborted;
        if (request.method == "DELETE") return answer(204);
        if (request.method == "POST") return answer(200, completion);
        ++parts;
        return stored(request);
    });
    bench.settings.multipart_above = 6 << 20;
    const Bytes large(15 << 20, 'x');
    completion = "<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>";
    CHECK_NOTHROW(bench.store().put("a/object", large));
    CHECK(parts == 3);
    CHECK(aborted == 0);
    for (const char* wrong : {"<Error><Code>InternalError</Code></Error>", "", "<html>"}) {
        completion = wrong;
        CHECK(error_of([&] { bench.store().put("a/object", large); }).kind() == ErrorKind::network);
    }
    CHECK(aborted == 3);
}

TEST_CASE("connections are used again, also from other threads") {
    Scripted bench([](const ScriptedRequest& request) { return stored(request); });
    const auto store = bench.guarded();  // each operation in a thread of its own
    for (int i = 0; i < 20; ++i) store->put("a/object", "x");
    CHECK(bench.server.requests() == 20);
    CHECK(bench.server.connections() == 1);
}
