// mydumper 0.10, which can only write a folder of files: into one in memory, out of which each file goes into
// a tar stream as soon as it is finished, and is emptied. docs/tables.md has a picture.
#pragma once

#include <string>

#include "agent/config/agent_config.hpp"
#include "agent/source/mydumper_plan.hpp"
#include "agent/source/mydumper_process.hpp"
#include "agent/source/tool.hpp"
#include "common/backupset/streams.hpp"
#include "common/restore/held_folder.hpp"
#include "common/tar/tar_writer.hpp"

namespace strongroom::agent {

class MydumperSource : public backupset::Source {
  public:
    // `server`: its version. Removes first what a killed agent left in the folder. Throws Error{storage} if
    // there is no space in it, and as MydumperProcess does.
    MydumperSource(const AgentConfig& config, const Tool& tool, restore::SqlClient client, MydumperPlan plan,
                   std::string server);

    std::size_t read(char* data, std::size_t size) override;
    // Throws Error{source} unless mydumper says that it has finished, and has dumped all of the plan.
    Facts finish() override;
    void abort() noexcept override { process_.abort(); }

  private:
    bool more();
    void begin(MydumperProcess::File file);
    void go_on();

    const restore::SqlClient client_;
    const MydumperPlan plan_;
    const std::string server_;
    restore::HeldFolder folder_;
    MydumperProcess process_;
    tar::TarWriter tar_;
    Bytes out_;           // written, not yet read
    std::size_t at_ = 0;  // in it
    std::optional<MydumperProcess::File> file_;
    std::int64_t done_ = 0;  // bytes of it
    bool ended_ = false;
    std::set<restore::MydumperFile> found_;
    Bytes account_;
    Bytes buffer_;
};

}  // namespace strongroom::agent
