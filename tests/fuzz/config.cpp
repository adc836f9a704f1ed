// Configuration files of the three programs: the parser alone, then the whole way of a file into settings.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/config/agent_config.hpp"
#include "client/config/client_config.hpp"
#include "common/config/flat_toml.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace strongroom::fuzz {
namespace {

namespace fs = std::filesystem;

std::string quoted(const std::string& value) {
    std::string out = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

// Every value as quoted text: the canonical way to write it.
std::string to_toml(const std::vector<config::Setting>& settings) {
    std::string out;
    for (const auto& setting : settings) {
        out += setting.key + " = ";
        if (setting.is_list) out += "[";
        for (std::size_t i = 0; i < setting.values.size(); ++i)
            out += (i == 0 ? "" : ", ") + quoted(setting.values[i]);
        out += setting.is_list ? "]\n" : "\n";
    }
    return out;
}

// In memory, so that a file costs microseconds; one for each process.
const std::string& file() {
    static const struct File {
        std::string path = "/dev/shm/srf." + std::to_string(::getpid()) + ".toml";
        ~File() { ::unlink(path.c_str()); }
    } made;
    return made.path;
}

// The file of a program whose settings `declare` declares; only a refusal or a success.
template <class Declare>
void read_as(Declare declare) {
    accepts([&] {
        CLI::App app("fuzz", "fuzz");
        config::Options options(app, "STRONGROOM_FUZZ_", file());
        declare(app, options);
        const char* argv[] = {"fuzz"};
        require(options.parse(1, argv), "a file prints no help");
    });
}

}  // namespace

void fuzz(BytesView input) {
    std::vector<config::Setting> settings;
    if (!accepts([&] { settings = config::parse_flat_toml(input, "file"); })) return;
    const auto again = config::parse_flat_toml(to_toml(settings), "file");
    require(again.size() == settings.size(), "written again, it has as many settings");
    for (std::size_t i = 0; i < settings.size(); ++i)
        require(again[i].key == settings[i].key && again[i].values == settings[i].values &&
                    again[i].is_list == settings[i].is_list,
                "... and the same ones");
    if (input.size() > 4096) return;
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << input;
    fs::permissions(file(), fs::perms::owner_read | fs::perms::owner_write);
    read_as([config = agent::AgentConfig()](CLI::App&, config::Options& options) mutable {
        agent::declare(options, config);
    });
    read_as([config = client::ClientConfig()](CLI::App& app, config::Options& options) mutable {
        client::declare(app, options, config);
    });
    read_as([text = std::string(), number = 60](CLI::App&, config::Options& options) mutable {
        // As the dispatcher declares them in its main.cpp.
        for (const char* name : {"--state-dir", "--listen", "--admin-listen", "--tls-certificate",
                                 "--tls-key", "--behind-tls-proxy"})
            options.setting(name, text, "");
        options.setting("--lease", number, "")->check(CLI::Range(5, 3600));
    });
}

}  // namespace strongroom::fuzz
