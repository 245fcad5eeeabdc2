// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How far a compilation is: a bar on a terminal, one line a phase in a file or a pipe.
#ifndef WEFT_TOOLS_WEFT_PROGRESS_H
#define WEFT_TOOLS_WEFT_PROGRESS_H

#include "compiler/include/weft/Compiler.h"

#include <chrono>
#include <string>

namespace weft::cli {

class ProgressBar {
public:
  /// With `quietWhenPiped` it shows nothing where no terminal is at standard error.
  explicit ProgressBar(bool quietWhenPiped = false);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar &) = delete;
  ProgressBar &operator=(const ProgressBar &) = delete;

  void show(const Progress &progress);
  /// Takes the bar away, so that other text can be printed.
  void clear();

private:
  void draw(const Progress &progress);

  bool terminal;
  bool quiet;
  bool drawn = false;
  std::string phase;
  std::chrono::steady_clock::time_point lastDrawn;
};

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_PROGRESS_H
