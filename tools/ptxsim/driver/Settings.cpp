// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/driver/Settings.h"

#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace weft::ptxsim::driver {

static std::string variable(const char *name) {
  const char *text = std::getenv(name);
  return text ? text : "";
}

static bool refuse(const char *name, const std::string &text, const char *known) {
  std::fprintf(stderr, "ptxsim: %s=%s is unknown, there is no device; known: %s\n", name, text.c_str(), known);
  return false;
}

static bool readMemory(const std::string &text, size_t &memory) {
  char *end = nullptr;
  unsigned long long number = std::strtoull(text.c_str(), &end, 10);
  int shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
  if (end == text.c_str() || (shift ? end[1] : end[0]) || number == 0)
    return refuse("PTXSIM_MEMORY", text, "bytes, or a number with K, M or G");
  memory = size_t(number) << shift;
  return true;
}

static bool readFault(const std::string &word, Settings &settings) {
  std::string kind = word.substr(0, word.find(':'));
  std::string rest = kind.size() < word.size() ? word.substr(kind.size() + 1) : "";
  long long number = 0;
  int code = 0, fields = std::sscanf(rest.c_str(), "%lld:%d", &number, &code);
  if (word == "no-device")
    settings.noDevice = true;
  else if (kind == "allocation" && fields == 1 && number > 0)
    settings.failAllocation = number;
  else if (kind == "lost" && fields == 1 && number > 0)
    settings.loseAtLaunch = number;
  else if (kind == "launch" && fields >= 1 && number > 0) {
    settings.failLaunch = number;
    settings.failLaunchCode = fields == 2 ? code : 701;
  } else
    return refuse("PTXSIM_FAULT", word, "no-device, allocation:N, lost:N, launch:N, launch:N:CODE");
  return true;
}

Settings Settings::fromEnvironment() {
  Settings settings;
  bool valid = true;
  std::string device = variable("PTXSIM_DEVICE"), memory = variable("PTXSIM_MEMORY"), word;
  if (device == "sm_80")
    settings.capability = 80;
  else if (!device.empty() && device != "sm_90a")
    valid &= refuse("PTXSIM_DEVICE", device, "sm_80, sm_90a");
  if (!memory.empty())
    valid &= readMemory(memory, settings.memory);
  if (std::string driver = variable("PTXSIM_DRIVER"); !driver.empty()) {
    settings.driver = std::atoi(driver.c_str());
    if (settings.driver < 1000)
      valid &= refuse("PTXSIM_DRIVER", driver, "a version such as 13000, which is 13.0");
  }
  settings.report = variable("PTXSIM_REPORT");
  std::istringstream words(variable("PTXSIM_FAULT"));
  while (std::getline(words, word, ','))
    valid &= readFault(word, settings);
  settings.noDevice |= !valid;
  return settings;
}

int Settings::newestPtx() const {
  // PTX ISA, "Release Notes": 7.x came with CUDA 11.x, 8.x with 12.x (12.6 brought none), 9.x with
  // 13.x.
  int major = driver / 1000, minor = driver % 1000 / 10;
  if (major == 12)
    return 80 + (minor >= 6 ? minor - 1 : minor);
  return (major - 4) * 10 + minor;
}

} // namespace weft::ptxsim::driver
