// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A folder that goes with the test.
#ifndef WEFT_TEST_UNIT_COMPILER_TEMPORARYFOLDER_H
#define WEFT_TEST_UNIT_COMPILER_TEMPORARYFOLDER_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace weft {

class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "weft-test-XXXXXX").string();
    folder = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(folder, ignored);
  }

  std::filesystem::path path(const std::string &name) const { return folder / name; }

  std::string write(const std::string &name, const std::string &text) const {
    std::filesystem::create_directories(path(name).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name).string();
  }

  std::string read(const std::string &name) const {
    std::stringstream text;
    text << std::ifstream(path(name), std::ios::binary).rdbuf();
    return text.str();
  }

  /// Names in the folder or one below it, sorted, hidden ones included.
  std::vector<std::string> names(const std::string &below = "") const {
    std::vector<std::string> found;
    for (const auto &entry : std::filesystem::directory_iterator(folder / below))
      found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  }

private:
  std::filesystem::path folder;
};

} // namespace weft

#endif // WEFT_TEST_UNIT_COMPILER_TEMPORARYFOLDER_H
