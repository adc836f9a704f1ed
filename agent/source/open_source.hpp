// Starts a backup tool as the source of a backup set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "agent/config/agent_config.hpp"
#include "agent/source/tool.hpp"
#include "common/backupset/streams.hpp"

namespace strongroom::agent {

// `temp_parent` is a private folder for the physical tools' temporary files; the source removes what it makes
// there. Throws Error{source} with the exact GRANT if the MySQL account lacks a privilege without which the
// tool would fail, or would leave things out and still end with success. `since`: physical tools only, an
// increment of what changed after this LSN.
std::unique_ptr<backupset::Source> open_source(const AgentConfig& config, const Tool& tool,
                                               const std::filesystem::path& temp_parent,
                                               std::optional<std::int64_t> since = {});

// How long the stream will be, for progress only: the size of the data folder for physical tools, the
// server's own estimate of its tables for dumps, 0 if not known.
std::int64_t expected_bytes(const AgentConfig& config, const Tool& tool) noexcept;

}  // namespace strongroom::agent
