// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs that the compiler calls: the linker, a GPU's assembler.
#ifndef WEFT_COMPILER_EMIT_SUBPROCESS_H
#define WEFT_COMPILER_EMIT_SUBPROCESS_H

#include <filesystem>
#include <string>
#include <vector>

namespace weft {

/// Files that go when the scope ends.
struct TemporaryFiles {
  TemporaryFiles() = default;
  TemporaryFiles(const TemporaryFiles &) = delete;
  TemporaryFiles &operator=(const TemporaryFiles &) = delete;
  ~TemporaryFiles();
  std::vector<std::filesystem::path> paths;
};

/// A file's text; empty where it cannot be read.
std::string textOf(const std::filesystem::path &path);

/// Runs a program without a shell, its output into `log`; its wait status, or -1 with errno when it cannot be run. An
/// interrupt ends it too.
int runProgram(const std::vector<std::string> &arguments, const std::filesystem::path &log);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_SUBPROCESS_H
