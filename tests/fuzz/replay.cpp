// Runs a target over files: `replay_NAME FOLDER|FILE ...`. No input at all is a failure.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "tests/fuzz/fuzz.hpp"

int main(int argc, char** argv) {
    namespace fs = std::filesystem;
    std::vector<fs::path> files;
    for (int i = 1; i < argc; ++i) {
        if (!fs::is_directory(argv[i])) {
            files.emplace_back(argv[i]);
            continue;
        }
        for (const auto& entry : fs::directory_iterator(argv[i])) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        std::ifstream stream(file, std::ios::binary);
        const std::string input((std::istreambuf_iterator<char>(stream)), {});
        if (!stream.is_open()) {
            std::cerr << "cannot read " << file << "\n";
            return 1;
        }
        std::cout << file.filename().string() << std::endl;  // the last line names a crash's input
        strongroom::fuzz::fuzz(input);
    }
    std::cout << files.size() << " inputs\n";
    return files.empty() ? 1 : 0;
}
