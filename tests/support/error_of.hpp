// The Error that something throws; the test fails if it throws none.
#pragma once

#include <catch2/catch.hpp>

#include "common/base/error.hpp"

namespace strongroom::test {

template <class Function>
Error error_of(Function&& function) {
    try {
        function();
    } catch (const Error& error) {
        return error;
    }
    FAIL("no error was thrown");
    throw Error(ErrorKind::internal, "unreachable");
}

}  // namespace strongroom::test
