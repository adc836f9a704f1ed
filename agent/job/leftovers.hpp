// What a killed process of this host left behind where no listing shows it: throw-away GnuPG homes, temporary
// files of the state folder and of this server's part of the store.
#pragma once

#include "agent/job/backup_run.hpp"

namespace strongroom::agent {

// Removes it; what living processes use stays. Never throws: a store that is away is swept the next time.
void remove_leftovers(const Host& host) noexcept;

}  // namespace strongroom::agent
