// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/driver/State.h"

#include <cstdio>
#include <cstdlib>

namespace weft::ptxsim::driver {

State &State::get() {
  static State *state = new State; // never destroyed: threads of the program may still call at exit
  return *state;
}

void State::report(const std::string &text) const {
  if (settings.report.empty())
    return;
  FILE *file = settings.report == "-" ? stderr : std::fopen(settings.report.c_str(), "a");
  if (!file)
    return;
  std::fprintf(file, "ptxsim: %s\n", text.c_str());
  if (file != stderr)
    std::fclose(file);
  else
    std::fflush(file);
}

void State::reset() {
  functions.clear();
  modules.clear();
  streams.clear();
  events.clear();
  machine = std::make_unique<Machine>(settings.capability, settings.memory);
  if (!gone)
    sticky = SUCCESS;
}

} // namespace weft::ptxsim::driver
