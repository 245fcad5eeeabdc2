// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the subcommands of ptxsim share.
#ifndef WEFT_TOOLS_PTXSIM_COMMAND_COMMAND_H
#define WEFT_TOOLS_PTXSIM_COMMAND_COMMAND_H

#include "tools/ptxsim/Device.h"
#include "tools/ptxsim/command/ArrayFile.h"

#include <CLI/CLI.hpp>

namespace weft::ptxsim {

// The exit codes of every tool of Weft.
constexpr int kDone = 0;
constexpr int kUsersMistake = 1;
constexpr int kNumbersDiffer = 3;

/// Adds a subcommand to the program; when it was chosen, it runs and sets the exit code.
void addReplay(CLI::App &ptxsim, int &exitCode);
void addRun(CLI::App &ptxsim, int &exitCode);
void addCheck(CLI::App &ptxsim, int &exitCode);

/// Throws UserMistake where it cannot be read.
std::string readText(const std::string &path);
/// Throws UserMistake with the fault's text.
std::shared_ptr<Module> readModule(const std::string &path);
/// The entry, or the only one where `name` is empty. Throws UserMistake.
const Function &entryOf(const Module &module, const std::string &name, const std::string &path);
/// "1234567 thread instructions in 0.01 s: 123 million a second"
std::string statisticsText(const Statistics &statistics);

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_COMMAND_COMMAND_H
