// From an S3 error answer to an Error: the cause in the server's words and what to do about it. The kind says
// whether asking again can help (retrying_store.hpp): network and busy can, all others do not.
#pragma once

#include "common/base/error.hpp"
#include "common/net/http_client.hpp"

namespace strongroom::storage {

// `what`: "put of sets/x"; the store's label and the address are the caller's to add to it.
Error s3_error(const std::string& what, const net::ObjectAnswer& answer);

}  // namespace strongroom::storage
