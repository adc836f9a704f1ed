#include "common/storage/s3/credentials.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "tests/support/error_of.hpp"

using namespace strongroom;
using namespace strongroom::storage;
using strongroom::test::error_of;

namespace {

constexpr const char* two_sections = R"(# comment
[default]
aws_access_key_id = AK
aws_secret_access_key=sec/ret+=
region = somewhere

 [ backup ]
aws_access_key_id=BK
aws_secret_access_key = other
aws_session_token = token
)";

// The variables of one test; nothing of the caller's environment.
struct Environment {
    Environment() { clear(); }
    ~Environment() { clear(); }
    static void clear() {
        for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                                 "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE"})
            ::unsetenv(name);
    }
};

}  // namespace

TEST_CASE("credentials are the keys of one section") {
    const auto first = parse_s3_credentials(two_sections, "default", "F");
    CHECK(first.access_key == "AK");
    CHECK(first.secret_key.reveal() == "sec/ret+=");
    CHECK(first.session_token.empty());
    const auto second = parse_s3_credentials(two_sections, "backup", "F");
    CHECK(second.access_key == "BK");
    CHECK(second.session_token.reveal() == "token");
    CHECK(second.origin == "F [backup]");
}

TEST_CASE("a file without usable keys is refused, and the error does not tell them") {
    for (const char* wrong :
         {"", "[other]\naws_access_key_id=A\naws_secret_access_key=hidden\n", "aws_access_key_id=A",
          "[default]\naws_access_key_id=A\n", "[default]\naws_secret_access_key=hidden\n",
          "[default]\naws_access_key_id=A\naws_secret_access_key=hid den\n",
          "[default]\naws_access_key_id=A\x01\naws_secret_access_key=hidden\n",
          "[default\naws_access_key_id=A\naws_secret_access_key=hidden\n"}) {
        INFO(wrong);
        const Error error = error_of([&] { parse_s3_credentials(wrong, "default", "F"); });
        CHECK(error.kind() == ErrorKind::config);
        CHECK(error.text().find("F") != std::string::npos);
        CHECK((error.text() + error.hint()).find("hid") == std::string::npos);
    }
}

TEST_CASE("the setting goes before the environment, and that before the shared file") {
    const Environment environment;
    const TempDir dir;
    write_file_atomic(dir.path() / "own", two_sections);
    write_file_atomic(dir.path() / "shared", "[default]\naws_access_key_id=SK\naws_secret_access_key=s\n");
    ::setenv("AWS_SHARED_CREDENTIALS_FILE", (dir.path() / "shared").c_str(), 1);
    CHECK(S3CredentialsSource({}).current()->access_key == "SK");
    ::setenv("AWS_ACCESS_KEY_ID", "EK", 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    ::setenv("AWS_SESSION_TOKEN", "t", 1);
    CHECK(S3CredentialsSource({}).current()->access_key == "EK");
    CHECK(S3CredentialsSource({}).current()->session_token.reveal() == "t");
    S3Settings settings;
    settings.credentials_file = dir.path() / "own";
    CHECK(S3CredentialsSource(settings).current()->access_key == "AK");
    ::setenv("AWS_PROFILE", "backup", 1);
    CHECK(S3CredentialsSource(settings).current()->access_key == "BK");
    settings.profile = "default";
    CHECK(S3CredentialsSource(settings).current()->access_key == "AK");
    Environment::clear();
    ::setenv("AWS_SHARED_CREDENTIALS_FILE", (dir.path() / "none").c_str(), 1);
    CHECK(error_of([] { S3CredentialsSource({}); }).kind() == ErrorKind::config);
}

TEST_CASE("a file that others can read is refused, and one that was replaced is read again") {
    const Environment environment;
    const TempDir dir;
    S3Settings settings;
    settings.credentials_file = dir.path() / "keys";
    write_file_atomic(settings.credentials_file, two_sections);
    S3CredentialsSource source(settings);
    CHECK(source.current()->access_key == "AK");
    CHECK(source.current().get() == source.current().get());
    write_file_atomic(settings.credentials_file,
                      "[default]\naws_access_key_id=NEW\naws_secret_access_key=s\n");
    CHECK(source.current()->access_key == "NEW");
    ::chmod(settings.credentials_file.c_str(), 0640);
    CHECK(error_of([&] { S3CredentialsSource(settings).current(); }).kind() == ErrorKind::insecure_file);
}
