#include "agent/source/redo_log.hpp"

#include <charconv>
#include <chrono>
#include <thread>

#include "agent/source/mysql_client.hpp"
#include "common/base/error.hpp"

namespace strongroom::agent {
namespace {

std::int64_t number_after(const std::string& text, const std::string& words) {
    const auto at = text.find(words);
    if (at != std::string::npos) {
        const auto begin = text.find_first_not_of(' ', at + words.size());
        std::int64_t out = 0;
        if (begin != std::string::npos &&
            std::from_chars(text.data() + begin, text.data() + text.size(), out).ec == std::errc())
            return out;
    }
    throw Error(ErrorKind::source, "SHOW ENGINE INNODB STATUS does not say \"" + words + "\"",
                "Does the MySQL account have PROCESS?");
}

}  // namespace

RedoLog read_innodb_status(const std::string& text) {
    return {number_after(text, "Log sequence number"), number_after(text, "Last checkpoint at")};
}

RedoLog ask_redo_log(const std::filesystem::path& option_file) {
    return read_innodb_status(ask_mysql(option_file, "SHOW ENGINE INNODB STATUS;"));
}

std::string advance_checkpoint(const std::filesystem::path& option_file) noexcept {
    try {
        const RedoLog before = ask_redo_log(option_file);
        const std::int64_t age = before.written - before.checkpoint;
        if (age <= small_checkpoint_age) return "";
        std::this_thread::sleep_for(std::chrono::seconds(1));
        if (ask_redo_log(option_file).written - before.written > idle_bytes)
            return "left as it is: the server is busy";
        ask_mysql(option_file, "SET GLOBAL innodb_log_checkpoint_now = ON;");
        return "advanced: it was " + std::to_string(age) + " bytes behind";
    } catch (const Error& error) {
        return "not advanced, so increments hold pages again that they held before: " + error.text();
    } catch (const std::exception& error) {
        return std::string("not advanced: ") + error.what();
    }
}

}  // namespace strongroom::agent
