// The metrics file: what a Prometheus node exporter (textfile collector) picks up from this host. Nothing in
// it is secret: it is readable by all.
#pragma once

#include <optional>
#include <string>

#include "agent/job/backup_run.hpp"

namespace strongroom::agent {

// The text: `now` is the backup that runs, if one does; `store` what this process asked of stores; the rest
// is of runs.json.
std::string metrics_text(const RunState& runs, const std::optional<BackupProgress>& now,
                         const storage::StoreFigures& store = {});

// Replaces the configured file; does nothing without one. Never throws: a full disk of metrics ends no
// backup.
void write_metrics(const Host& host, const std::optional<BackupProgress>& now) noexcept;

}  // namespace strongroom::agent
