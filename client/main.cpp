#include <sys/resource.h>
#include <sys/stat.h>

#include <exception>
#include <iostream>

#include "client/app/app.hpp"
#include "common/base/error.hpp"
#include "common/base/json_fields.hpp"

namespace {

int report(const strongroom::Error& error, bool json) {
    if (json) {
        const strongroom::Json out{
            {"error",
             {{"kind", strongroom::name(error.kind())}, {"text", error.text()}, {"hint", error.hint()}}}};
        std::cerr << out.dump(-1, ' ', false, strongroom::Json::error_handler_t::replace) << '\n';
    } else {
        std::cerr << strongroom::describe("strongroom", error);
    }
    return strongroom::exit_code(error.kind());
}

}  // namespace

int main(int argc, char** argv) {
    ::umask(077);
    const rlimit no_core{0, 0};  // opened keys must not reach a core file
    ::setrlimit(RLIMIT_CORE, &no_core);
    const bool json = strongroom::client::wants_json(argc, argv);
    try {
        return strongroom::client::run(argc, argv);
    } catch (const strongroom::Error& error) {
        return report(error, json);
    } catch (const std::exception& error) {
        return report(strongroom::Error(strongroom::ErrorKind::internal, error.what()), json);
    }
}
