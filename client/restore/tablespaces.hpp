// Tables of a restored server as transportable tablespaces: InnoDB's own files of them, which another server
// imports without loading a row.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/restore/private_server.hpp"
#include "common/restore/table_name.hpp"

namespace strongroom::client {

// Throws Error{refused}, naming the table and why, if it cannot travel so: not InnoDB, partitioned, foreign
// keys, a fulltext index, encrypted. A server itself would say so at the import only, or not at all.
void require_transportable(const restore::SqlClient& server, const restore::TableName& name);

// Writes into `folder`, which is empty: for each table DATABASE/TABLE.ibd and .cfg under the names that a
// server gives them, 1-create.sql, 2-import.sql, and README.txt with the steps. `datadir` is that of
// `server`, on which the files are copied under FLUSH TABLES ... FOR EXPORT. Throws as
// require_transportable(), also for a table without a file of its own.
void export_tablespaces(const restore::PrivateServer& server, const std::filesystem::path& datadir,
                        const std::vector<restore::TableName>& tables, const std::filesystem::path& folder);

}  // namespace strongroom::client
