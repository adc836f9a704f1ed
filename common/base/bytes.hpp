// Raw bytes. A std::string holds any byte value; "text" is always said explicitly where it matters.
#pragma once

#include <string>
#include <string_view>

namespace strongroom {

using Bytes = std::string;
using BytesView = std::string_view;

}  // namespace strongroom
