#include "client/command/patient_store.hpp"

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/term/text.hpp"

namespace strongroom::client {

namespace {

std::shared_ptr<storage::RetryingStore> open(const Context& context, const std::string& url,
                                             const std::string& as_of, const storage::Guard& guard) {
    const auto& settings = context.config.stores;
    if (as_of.empty()) return storage::open_guarded_store(url, false, settings, guard);
    std::optional<UtcTime> moment;
    try {
        moment = parse_utc(as_of);
    } catch (const Error&) {
        throw Error(ErrorKind::usage, "--as-of is not a time in UTC: " + printable_line(as_of, 80),
                    "Write it as 2026-11-22T01:37:00Z.");
    }
    return storage::guard_store(storage::open_store_as_of(url, settings, *moment), guard);
}

}  // namespace

PatientStore::PatientStore(Context& context, const std::string& url, std::int64_t read_limit,
                           const std::string& as_of)
    : reads_(read_limit),
      watch_([&context, interrupted = interrupted_](const std::stop_token& ending) mutable {
          try {
              while (steady_time().sleep(std::chrono::milliseconds(200), ending)) context.check_interrupted();
          } catch (const Error&) {
              interrupted.request_stop();  // the command's own thread says it
          }
      }),
      store_(open(context, url, as_of,
                  {.reads = &reads_, .meter = &meter_, .stop = interrupted_.get_token()})) {}

Json PatientStore::summary_json() const {
    auto figures = meter_.figures();
    const auto& reads = figures.operations[storage::Operation::get];
    return {{"objects", reads.count}, {"bytes", reads.bytes}, {"attempts_repeated", figures.retries}};
}

std::string PatientStore::summary() const {
    auto figures = meter_.figures();
    const auto& reads = figures.operations[storage::Operation::get];
    return "read " + std::to_string(reads.count) + " objects, " + term::format_bytes(reads.bytes) +
           (figures.retries == 0 ? "" : ", with " + std::to_string(figures.retries) + " attempts repeated");
}

}  // namespace strongroom::client
