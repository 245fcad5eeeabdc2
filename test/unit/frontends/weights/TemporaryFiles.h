// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A directory of one test, and safetensors files written byte by byte, wrong ones included.
#ifndef WEFT_TEST_UNIT_FRONTENDS_WEIGHTS_TEMPORARYFILES_H
#define WEFT_TEST_UNIT_FRONTENDS_WEIGHTS_TEMPORARYFILES_H

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>

namespace weft::test {

class TemporaryDirectory : public testing::Test {
protected:
  TemporaryDirectory() {
    std::string name = testing::TempDir() + "weft-weights-XXXXXX";
    directory = mkdtemp(name.data());
    std::filesystem::permissions(directory, std::filesystem::perms(0755));
  }
  ~TemporaryDirectory() override {
    std::error_code ignored;
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(directory, ignored);
  }

  std::filesystem::path write(const std::string &name, std::string_view bytes) const {
    std::filesystem::path path = directory / name;
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path;
  }

  std::filesystem::path directory;
};

/// The superuser may read and write everything: where tests run as root, the code in the scope of this runs as nobody.
class AsOrdinaryUser {
public:
  AsOrdinaryUser() : before(geteuid()) {
    if (before == 0)
      changed = seteuid(65534) == 0;
  }
  ~AsOrdinaryUser() {
    if (changed && seteuid(before) != 0)
      std::abort();
  }

private:
  uid_t before;
  bool changed = false;
};

inline std::string littleEndian(uint64_t value) {
  std::string bytes;
  for (int index = 0; index < 8; ++index)
    bytes += static_cast<char>(value >> (8 * index));
  return bytes;
}

/// A file as the format wants it, if header and data are right.
inline std::string safetensorsBytes(std::string_view header, std::string_view data = "") {
  return littleEndian(header.size()) + std::string(header) + std::string(data);
}

} // namespace weft::test

#endif // WEFT_TEST_UNIT_FRONTENDS_WEIGHTS_TEMPORARYFILES_H
