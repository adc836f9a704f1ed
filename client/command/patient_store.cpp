#include "client/command/patient_store.hpp"

#include "common/base/error.hpp"

namespace strongroom::client {

PatientStore::PatientStore(Context& context, const std::string& url, std::int64_t read_limit)
    : reads_(read_limit),
      watch_([&context, interrupted = interrupted_](const std::stop_token& ending) mutable {
          try {
              while (steady_time().sleep(std::chrono::milliseconds(200), ending)) context.check_interrupted();
          } catch (const Error&) {
              interrupted.request_stop();  // the command's own thread says it
          }
      }),
      store_(storage::open_guarded_store(url, false, context.config.stores,
                                         {.reads = &reads_, .stop = interrupted_.get_token()})) {}

}  // namespace strongroom::client
