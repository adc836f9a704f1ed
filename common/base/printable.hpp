// Text from elsewhere is data: control characters and broken UTF-8 must not reach a terminal, a log or a
// page.
#pragma once

#include <string>
#include <string_view>

namespace strongroom {

// Keeps printable UTF-8 and '\n'; every other byte becomes \xNN (C0, DEL, C1, invalid UTF-8, bidi controls).
std::string printable(std::string_view text);

// The same for one line: '\n' is escaped too, and the text is cut after `max` bytes with "...".
std::string printable_line(std::string_view text, std::size_t max = 500);

// The last line that is not blank, without the blanks at its end; empty if there is none. A part of `text`,
// not yet fit to be printed: the last words of a tool.
std::string_view last_line(std::string_view text);

bool is_valid_utf8(std::string_view text);

}  // namespace strongroom
