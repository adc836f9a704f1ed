// The part of TOML that our configuration files use: `key = value` lines with text, whole numbers, true/false
// and lists of those, and # comments. Anything else is an error that names the file and the line: a setting
// that is misread is worse than one that is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace strongroom::config {

struct Setting {
    std::string key;
    std::vector<std::string> values;  // one, or the entries of a list; numbers and booleans as written
    bool is_list = false;
    int line = 0;  // where the key stands, from 1
};

// In the order of the file. `file` is only for errors: Error{config} "FILE line N: what is wrong".
std::vector<Setting> parse_flat_toml(std::string_view text, const std::string& file);

}  // namespace strongroom::config
