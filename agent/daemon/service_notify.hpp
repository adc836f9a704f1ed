// What the service manager (systemd) sees: READY, STATUS, WATCHDOG, STOPPING. Silent without one. Any thread.
#pragma once

#include <string>

namespace strongroom::agent {

void notify_ready();
void notify_status(const std::string& text);  // one line; foreign text is made harmless
void notify_alive();
void notify_stopping();

}  // namespace strongroom::agent
