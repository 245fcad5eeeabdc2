// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the environment says of the simulated device and driver.
#ifndef WEFT_TOOLS_PTXSIM_DRIVER_SETTINGS_H
#define WEFT_TOOLS_PTXSIM_DRIVER_SETTINGS_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace weft::ptxsim::driver {

struct Settings {
  int capability = 90;             // PTXSIM_DEVICE=sm_80|sm_90a
  size_t memory = size_t(8) << 30; // PTXSIM_MEMORY=bytes, or with K, M, G
  int driver = 13000;              // PTXSIM_DRIVER=version: 13000 is 13.0
  std::string report;              // PTXSIM_REPORT=FILE, or - for standard error
  bool noDevice = false;           // PTXSIM_FAULT=no-device
  int64_t failAllocation = 0;      // PTXSIM_FAULT=allocation:N: the Nth fails, counted from 1
  int64_t loseAtLaunch = 0;        // PTXSIM_FAULT=lost:N: the Nth launch loses the device for good
  int64_t failLaunch = 0;          // PTXSIM_FAULT=launch:N[:CODE]: the Nth launch is refused with CODE (701)
  int failLaunchCode = 701;

  /// Reads the environment. A word that it does not know is told on standard error, and is no device: a test that
  /// mistypes a fault must not pass.
  static Settings fromEnvironment();

  /// The newest PTX ISA that a driver of this version reads, times 10: 90 for 13.0.
  int newestPtx() const;
};

} // namespace weft::ptxsim::driver

#endif
