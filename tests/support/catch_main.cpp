#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

// A name that matches no test is a failure: CTest runs each test by its name, and one that it cannot pass on
// (with a semicolon) would be green without having run.
int main(int argc, char** argv) {
    Catch::Session session;
    if (const int bad = session.applyCommandLine(argc, argv); bad != 0) return bad;
    auto& config = session.configData();
    config.warnings = static_cast<Catch::WarnAbout::What>(config.warnings | Catch::WarnAbout::NoTests);
    return session.run();
}
