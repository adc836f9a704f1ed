// The stages of a backup in its errors: "source: ", "compress: ", "encrypt: ", "store: ", "commit: ".
#pragma once

#include <exception>
#include <string>

#include "common/base/error.hpp"

namespace strongroom::backupset {

// Runs one stage; whatever it throws then is an Error that begins with the stage's name.
template <class Function>
auto in_stage(const char* stage, Function&& function) {
    try {
        return function();
    } catch (const Error& error) {
        throw error.with_context(stage);
    } catch (const std::exception& error) {
        throw Error(ErrorKind::internal, std::string(stage) + ": " + error.what());
    }
}

}  // namespace strongroom::backupset
