#include "agent/app.hpp"

#include "agent/commands.hpp"
#include "agent/daemon/daemon.hpp"
#include "agent/identity/connection.hpp"
#include "agent/stop_signal.hpp"
#include "common/base/log.hpp"
#include "common/gpg/home.hpp"
#include "common/net/http.hpp"

namespace strongroom::agent {
namespace {

int run_command(const CommandLine& line, const Clock& clock, std::stop_token stop) {
    require_backup_settings(line.config);
    // The poller's thread may outlive this function; what it refers to stays until the process ends.
    static const StateDir state(line.config.state_dir);
    static const AgentRecord agent = state.agent();
    static const AgentConfig config = line.config;
    static storage::StoreMeter meter;
    const Host host{config, state, agent, clock, &meter};
    Daemon daemon(
        host, [&clock] { return connect(state, agent, clock); }, std::move(stop));
    daemon.run();
    return 0;
}

}  // namespace

int run_app(int argc, const char* const* argv) {
    static const SystemClock clock;
    const CommandLine line = parse_command_line(argc, argv);
    if (line.command.empty()) return 0;
    const StopSignal stop;
    gpg::initialise();
    net::trust_authorities(line.config.ca_file);
    if (line.command == "run") return run_command(line, clock, stop.token());
    set_log_level(line.quiet ? Level::error : Level::warning);
    if (line.command == "register") return register_command(line, clock);
    if (line.command == "backup") return backup_command(line, clock, stop.token());
    if (line.command == "escrow") return escrow_command(line, clock);
    if (line.command == "rotate" && line.reencrypt) return reencrypt_command(line, clock, stop.token());
    if (line.command == "rotate") return rotate_command(line, clock, stop.token());
    if (line.command.starts_with("recovery-key")) return recovery_key_command(line, clock);
    if (line.command.starts_with("verifier")) return verifier_command(line, clock);
    if (line.command == "verify" && line.full) return proof_command(line, clock, stop.token());
    if (line.command.starts_with("identity")) return identity_command(line, clock, stop.token());
    if (line.command == "verify") return verify_command(line, clock, stop.token());
    if (line.command == "prune") return prune_command(line, clock, stop.token());
    if (line.command == "status") return status_command(line, clock);
    if (line.command == "throttle") return throttle_command(line, clock);
    return check_command(line, clock);
}

}  // namespace strongroom::agent
