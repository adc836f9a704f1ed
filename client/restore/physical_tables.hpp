// Tables and databases out of a physical backup: it is restored into a private folder, a private server is
// started on it, and its dump tool writes them. That works with every engine and kind of table.
#pragma once

#include <filesystem>
#include <memory>

#include "client/restore/sql_parts.hpp"
#include "common/restore/dump_plan.hpp"

namespace strongroom::client {

class PhysicalTables {
  public:
    // Restores the set, an increment with all that it builds on, into a folder in `scratch` that needs the
    // space of the whole backup. Throws Error{usage} if nothing is selected, Error{storage} if the space is
    // not there, Error{config} if the server's user cannot reach `scratch`, Error{not_found} naming a table
    // or database that is not in it with the nearest names, Error{tool_missing}, and as restore_datadir()
    // does.
    PhysicalTables(const RestoreFrom& from, const backupset::Manifest& manifest,
                   const restore::Selection& wanted, const std::filesystem::path& scratch);
    // Ends the server and removes all of it.
    ~PhysicalTables();

    // Valid as long as this.
    SqlFeed feed() const;
    // The selected tables as transportable tablespaces (export_tablespaces()), in a new folder that gets its
    // name when all is there. Throws Error{exists} if there is one already.
    void require_transportable(const restore::TableName& name) const;
    void write_tablespaces(const std::filesystem::path& folder) const;

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace strongroom::client
