#include <iostream>

#include "client/command/commands.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

namespace fs = std::filesystem;

struct Arguments {
    std::string file;
    bool replace = false;
    bool offline = false;
};

// The token from standard input: it is a secret, so it never stands in argv.
std::string token_from_input() {
    std::string line;
    std::getline(std::cin, line);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!is_sha256_hex(line)) {
        Secret::wipe(line);
        throw Error(
            ErrorKind::usage, "what came on standard input is no token",
            "Give the 64 hexadecimal digits that the operator got from `strongroom-dispatcher user add`: "
            "strongroom login ... < FILE");
    }
    return line;
}

void login(Context& context, const Arguments& arguments) {
    const fs::path file = fs::absolute(arguments.file.empty() ? context.config_file : arguments.file);
    if (fs::exists(file) && !arguments.replace)
        throw Error(ErrorKind::exists, file.string() + " exists", "Use --replace to write it anew.");
    if (context.config.dispatcher.empty())
        throw Error(ErrorKind::usage, "--dispatcher URL is needed",
                    "For example: https://strongroom.example.org:8420");
    ClientConfig config = context.config;
    config.user = user_fingerprint(config);
    if (!config.ca_file.empty()) config.ca_file = fs::absolute(config.ca_file).string();
    if (!config.gpg_home.empty()) config.gpg_home = fs::absolute(config.gpg_home).string();
    make_private_dir(file.parent_path());

    // A given token file stays where it is; a token from standard input gets a file beside the configuration.
    const TempDir work(file.parent_path(), ".sr");
    const fs::path token_file = file.parent_path() / "token";
    const bool from_input = config.token_file.empty();
    if (from_input) {
        if (!context.config.quiet) context.err << "Token: " << std::flush;
        std::string token = token_from_input();
        config.token_file = (work.path() / "token").string();
        write_file_atomic(config.token_file, token + "\n");
        Secret::wipe(token);
    } else {
        config.token_file = fs::absolute(config.token_file).string();
    }
    std::size_t servers = 0;
    if (arguments.offline)
        read_token(config);
    else
        servers =
            Session(config, dispatcher_keys_file(config, file.string()), context.clock, context.key_news())
                .ask(proto::ServerList{})
                .servers.size();

    if (from_input) {
        fs::rename(config.token_file, token_file);
        config.token_file = token_file.string();
    }
    write_file_atomic(file, to_toml(config));
    if (context.config.json)
        return context.print_json({{"config", file.string()}, {"user", config.user}, {"servers", servers}});
    context.out << "wrote " << file.string() << " for user " << group_fingerprint(config.user) << '\n';
    if (!arguments.offline) context.out << "the dispatcher answered: you own " << servers << " servers\n";
}

}  // namespace

void add_login_command(Commands& commands) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(commands.program(), "login",
                                     "Write client.toml after a signed round trip with the dispatcher",
                                     "strongroom login --dispatcher https://strongroom.example.org:8420 "
                                     "--user 6F2B...FULL-FINGERPRINT < token",
                                     [arguments](Context& context) { login(context, *arguments); });
    command
        ->add_option("--write", arguments->file,
                     "Where to write it (default: the file that is read by default)")
        ->type_name("FILE");
    command->add_flag("--replace", arguments->replace, "Replace an existing client.toml");
    command->add_flag("--offline", arguments->offline, "Do not ask the dispatcher first");
}

}  // namespace strongroom::client
