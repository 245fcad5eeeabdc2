// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's files of arrays (.npy, .npz) as bytes with the name of their type. Any type of a fixed size is taken, as a
// kernel reads bytes; what they mean is the caller's to know.
#ifndef WEFT_TOOLS_PTXSIM_COMMAND_ARRAYFILE_H
#define WEFT_TOOLS_PTXSIM_COMMAND_ARRAYFILE_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weft::ptxsim {

struct ArrayData {
  std::string type; ///< NumPy's: "<f4"
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;

  size_t elementBytes() const;
  size_t count() const { return bytes.size() / elementBytes(); }
};

/// What is wrong with a file or a command line, and what to do.
struct UserMistake {
  std::string message;
};

/// Throws UserMistake where the file is no archive of arrays.
std::map<std::string, ArrayData> readArchive(const std::string &path);
void writeArchive(const std::string &path, const std::map<std::string, ArrayData> &arrays);

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_COMMAND_ARRAYFILE_H
