#include "dispatcher/http/run_blocking.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace strongroom::dispatcher {

namespace asio = boost::asio;

asio::awaitable<bool> run_blocking(Shared& shared, WorkPool& pool, std::function<void()> work) {
    struct Done {
        explicit Done(const asio::any_io_executor& executor)
            : timer(executor, std::chrono::steady_clock::time_point::max()) {}
        asio::steady_timer timer;
        bool done = false;
    };
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    auto state = std::make_shared<Done>(executor);
    std::function<void()> task = [executor, state, work = std::move(work)] {
        work();
        asio::post(executor, [state] {
            state->done = true;
            state->timer.cancel();
        });
    };
    if (!pool.try_post(std::move(task))) {
        shared.metrics.queue_full();
        co_return false;
    }
    shared.metrics.queued_work(1);
    while (!state->done) {
        boost::system::error_code ignored;
        co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    shared.metrics.queued_work(-1);
    co_return true;
}

}  // namespace strongroom::dispatcher
