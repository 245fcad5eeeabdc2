// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How far a compilation is, from phases that several threads begin and end.
#ifndef WEFT_COMPILER_PROGRESSMETER_H
#define WEFT_COMPILER_PROGRESSMETER_H

#include "compiler/include/weft/Compiler.h"

#include <chrono>
#include <mutex>

namespace weft {

class ProgressMeter {
public:
  using Callback = std::function<void(const Progress &)>;

  /// `effort` is what all steps together will add.
  ProgressMeter(Callback callback, double effort)
      : callback(std::move(callback)), total(effort), start(std::chrono::steady_clock::now()) {}

  /// Something begins that a user may read of: "tile v3".
  void begin(std::string_view phase) { report(phase, 0); }

  /// A part of the effort is done.
  void advance(std::string_view phase, double effort) { report(phase, effort); }

private:
  void report(std::string_view phase, double effort) {
    if (!callback)
      return;
    std::lock_guard<std::mutex> lock(mutex);
    done = std::min(done + effort, total);
    double share = total > 0 ? done / total : 0;
    double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    // An estimate from the first per cent would jump about.
    callback({phase, share, share > 0.01 ? elapsed * (1 - share) / share : -1});
  }

  Callback callback;
  double total;
  double done = 0;
  std::chrono::steady_clock::time_point start;
  std::mutex mutex;
};

} // namespace weft

#endif // WEFT_COMPILER_PROGRESSMETER_H
