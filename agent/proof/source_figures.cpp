#include "agent/proof/source_figures.hpp"

#include "agent/proof/figures_file.hpp"
#include "agent/proof/provable.hpp"
#include "agent/source/dump_scope.hpp"
#include "agent/source/mysql_client.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"

namespace strongroom::agent {

void require_figure_privileges(const AgentConfig& config) {
    // Without SELECT on all of them, tables would be left out without a word.
    require_privileges(ask_server(config.mysql_option_file), {"SELECT", "BINLOG MONITOR"}, "proof-figures");
}

void keep_figures(const AgentConfig& config, const StateDir& state, const backupset::Manifest& manifest,
                  UtcTime now, const std::stop_token& stop) noexcept {
    if (!config.proof.figures || !is_provable(manifest)) return;
    try {
        require_figure_privileges(config);
        const restore::SqlClient source(option_file_argument(config.mysql_option_file), [&] {
            if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "the agent was stopped");
        });
        Figures figures = take_figures(source, manifest.set, manifest.position, dump_scope(config));
        figures.taken = to_millis(now);
        save_figures(state, figures);
        if (figures.not_exact)
            log_event(Level::info, "AGENT_FIGURES_NOT_EXACT", "set {}: {}", manifest.set, *figures.not_exact);
    } catch (const Error& error) {
        log_event(Level::warning, "AGENT_FIGURES_NOT_TAKEN", "set {}: {} {}", manifest.set, error.text(),
                  error.hint());
    } catch (const std::exception& error) {
        log_event(Level::warning, "AGENT_FIGURES_NOT_TAKEN", "set {}: {}", manifest.set, error.what());
    }
}

}  // namespace strongroom::agent
