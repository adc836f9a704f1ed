// Reads an xbstream on its way to the extraction tool and refuses it before a name can lead out of the target
// folder: absolute names, "..", empty or odd parts, unknown kinds of chunks, a stream that ends inside a
// chunk. The host that made the backup may have been in foreign hands, so its file names are foreign text.
#pragma once

#include <cstdint>
#include <string>

#include "common/backupset/streams.hpp"

namespace strongroom::restore {

class XbstreamGuard : public backupset::Target {
  public:
    // The 'S' chunk differs: MariaDB's says "seek", Percona's holds a sparse map.
    enum class Dialect { mariadb, percona };

    // `inner` gets every byte, each chunk's header only after its names were checked. Must outlive this.
    XbstreamGuard(backupset::Target& inner, Dialect dialect) : inner_(inner), dialect_(dialect) {}

    // Throws Error{refused} naming the file, or Error{corrupt} if it is no xbstream.
    void write(const char* data, std::size_t size) override;
    // Throws Error{corrupt} if the stream ends within a chunk or has none.
    void commit() override;

  private:
    std::size_t header_size() const;
    void finish_header();
    std::uint64_t number_at(std::size_t offset, std::size_t bytes) const;

    backupset::Target& inner_;
    Dialect dialect_;
    std::string header_;  // of the chunk at hand, as far as it has come
    std::uint64_t payload_left_ = 0;
    std::uint64_t chunks_ = 0;
};

// Throws Error{refused} unless `name` is a plain path below the folder it is extracted to.
void require_inner_path(std::string_view name);

}  // namespace strongroom::restore
