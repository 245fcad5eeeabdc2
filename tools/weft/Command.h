// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the subcommands share: how one is added, how an error is told, how values are read.
#ifndef WEFT_TOOLS_WEFT_COMMAND_H
#define WEFT_TOOLS_WEFT_COMMAND_H

#include "compiler/include/weft/Compiler.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace weft::cli {

// The exit codes of every tool.
constexpr int kDone = 0;
constexpr int kUsersMistake = 1;
constexpr int kOurMistake = 2;
constexpr int kNumbersDiffer = 3;

/// Adds a subcommand to the program; when it was chosen, it runs and sets the exit code.
void addCompile(CLI::App &weft, int &exitCode);
void addRun(CLI::App &weft, int &exitCode);
void addBench(CLI::App &weft, int &exitCode);
void addInspect(CLI::App &weft, int &exitCode);
void addDemo(CLI::App &weft, int &exitCode);
void addDoctor(CLI::App &weft, int &exitCode);
void addExplain(CLI::App &weft, int &exitCode);
void addCompletion(CLI::App &weft, int &exitCode);

/// Prints the error and returns the exit code for it.
int fail(const Diagnostic &error);

/// What is wrong with the command line, as a Diagnostic of the W05 block.
Diagnostic explainParseError(const CLI::App &weft, const CLI::ParseError &error);

using Bounds = std::map<std::string, DimBounds>;

/// "batch=1..64,sequence=128". W0504: it cannot be read.
Result<Bounds> parseBounds(const std::string &text);

/// "cpu:v4,v3" and the like; an unknown one is W0503.
Result<void> checkTarget(const std::string &target);

/// "int8"; an unknown form of weights is W0503.
Result<void> checkWeights(const std::string &form);

/// f32, bf16 or f16; anything else is W0503.
Result<ElementType> parseDtype(const std::string &name);

/// 90868376 -> "90.9 MB".
std::string printableBytes(double bytes);
/// 0.00281 -> "2.81 ms".
std::string printableSeconds(double seconds);
/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string format(const char *pattern, ...);

/// Writes a file whole or not at all. W0509: it cannot be written.
Result<void> writeFileWhole(const std::string &path, std::string_view bytes);

/// Passes options to MLIR's pass manager and LLVM. W0503: an option that they refuse.
Result<void> applyMlirOptions(const std::vector<std::string> &options);

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_COMMAND_H
