#include "agent/daemon/service_notify.hpp"

#include <systemd/sd-daemon.h>

#include "common/base/printable.hpp"

namespace strongroom::agent {

void notify_ready() {
    ::sd_notify(0, "READY=1");
}

void notify_status(const std::string& text) {
    ::sd_notify(0, ("STATUS=" + printable_line(text, 300)).c_str());
}

void notify_alive() {
    ::sd_notify(0, "WATCHDOG=1");
}

void notify_stopping() {
    ::sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

}  // namespace strongroom::agent
