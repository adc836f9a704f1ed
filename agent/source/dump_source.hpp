// mariadb-dump and mysqldump: SQL text of all databases, or of a part, at one point in time (of transactional
// tables).
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "agent/source/tool.hpp"
#include "common/backupset/process_streams.hpp"
#include "common/restore/dump_plan.hpp"
#include "common/restore/dump_splitter.hpp"

namespace strongroom::agent {

// Watches the text that passes: a dump is whole only if its last line says so, and a dump of a part only if
// each table and database that was asked for is in it. Such a dump begins with comments that say what it
// holds.
class DumpSource : public backupset::Source {
  public:
    DumpSource(const Tool& tool, const std::filesystem::path& option_file, bool binlog,
               restore::DumpPlan plan, std::chrono::milliseconds stall);
    std::size_t read(char* data, std::size_t size) override;
    Facts finish() override;
    void abort() noexcept override { process_.abort(); }

  private:
    std::size_t read_some(char* data, std::size_t size);

    const restore::DumpPlan plan_;
    backupset::ProcessSource process_;
    std::string announcement_;  // what of it was not read yet
    std::optional<restore::DumpSplitter> watched_;
    std::string head_;
    std::string tail_;
};

}  // namespace strongroom::agent
