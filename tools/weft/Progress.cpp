// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/weft/Progress.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace weft::cli {

constexpr int kBarWidth = 30;
constexpr auto kRedrawEvery = std::chrono::milliseconds(50);

ProgressBar::ProgressBar(bool quietWhenPiped) : quiet(quietWhenPiped) {
  const char *term = std::getenv("TERM");
  terminal = isatty(STDERR_FILENO) && term && std::string_view(term) != "dumb";
}

void ProgressBar::show(const Progress &progress) {
  bool newPhase = progress.phase != phase;
  if (newPhase)
    phase = progress.phase;
  if (terminal) {
    auto now = std::chrono::steady_clock::now();
    if (!newPhase && drawn && now - lastDrawn < kRedrawEvery)
      return;
    lastDrawn = now;
    draw(progress);
  } else if (newPhase && !quiet) {
    std::fprintf(stderr, "%3.0f %%  %s\n", 100 * progress.share, phase.c_str());
  }
}

void ProgressBar::draw(const Progress &progress) {
  int full = std::clamp(static_cast<int>(progress.share * kBarWidth), 0, kBarWidth);
  std::string bar = std::string(full, '#') + std::string(kBarWidth - full, '.');
  char left[32] = "";
  if (progress.secondsLeft >= 0)
    std::snprintf(left, sizeof(left), "%.0f s left", progress.secondsLeft + 0.5);
  // Cut to 79 columns, and erased to the line's end: an earlier phase's name may have been longer.
  std::fprintf(stderr, "\r[%s] %3.0f %%  %-18.18s %-14s\x1b[K", bar.c_str(), 100 * progress.share, phase.c_str(), left);
  std::fflush(stderr);
  drawn = true;
}

void ProgressBar::clear() {
  if (drawn)
    std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn = false;
}

} // namespace weft::cli
