// Any program whose standard output is the backup; success is exit status 0.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/backupset/process_streams.hpp"

namespace strongroom::agent {

class CommandSource : public backupset::ProcessSource {
  public:
    CommandSource(const std::vector<std::string>& argv, std::chrono::milliseconds stall);
};

}  // namespace strongroom::agent
