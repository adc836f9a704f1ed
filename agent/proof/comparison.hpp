// Compares the figures of a restored server with those of its source. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "agent/proof/figures.hpp"

namespace strongroom::agent {

struct Comparison {
    std::size_t equal = 0;                 // tables with the same rows and the same checksum
    std::size_t not_comparable = 0;        // that are there, but have no figures
    std::size_t different = 0;             // missing, or with other rows
    std::vector<std::string> differences;  // the first max_problems of them
};

Comparison compare(const std::vector<TableFigure>& source, const std::vector<TableFigure>& restored);

}  // namespace strongroom::agent
