// mariadb-dump and mysqldump: SQL text of all databases at one point in time (of transactional tables).
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "agent/source/tool.hpp"
#include "common/backupset/process_streams.hpp"

namespace strongroom::agent {

// Watches the text that passes: a dump is whole only if its last line says so.
class DumpSource : public backupset::Source {
  public:
    DumpSource(const Tool& tool, const std::filesystem::path& option_file, bool binlog,
               std::chrono::milliseconds stall);
    std::size_t read(char* data, std::size_t size) override;
    Facts finish() override;
    void abort() noexcept override { process_.abort(); }

  private:
    backupset::ProcessSource process_;
    std::string head_;
    std::string tail_;
};

}  // namespace strongroom::agent
