// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ptxsim: runs PTX without a GPU. Each subcommand is a file of this folder.
#include "tools/ptxsim/command/Command.h"

#include <cstdio>

namespace {

constexpr const char *kFooter = R"(  ptxsim check kernel.ptx
  ptxsim run kernel.ptx --grid 4 --block 128 --inputs in.npz --arg array:x --arg s32:500 --outputs out.npz
  ptxsim replay NAME.sm90.json

Exit codes: 0 done, 1 a mistake in what was given or in the PTX, 3 numbers differ.)";

int fail(const std::string &message) {
  std::fputs(("ptxsim: " + message).c_str(), stderr);
  if (!message.ends_with('\n'))
    std::fputs("\n", stderr);
  return weft::ptxsim::kUsersMistake;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App ptxsim("A functional simulator of PTX: runs kernels on the host and finds what is wrong with them.",
                  "ptxsim");
  int exitCode = weft::ptxsim::kDone;
  ptxsim.footer(kFooter);
  ptxsim.set_help_flag("-h,--help", "Print this and exit");
  ptxsim.set_version_flag("--version", "ptxsim " WEFT_VERSION, "Print the version and exit");
  weft::ptxsim::addCheck(ptxsim, exitCode);
  weft::ptxsim::addRun(ptxsim, exitCode);
  weft::ptxsim::addReplay(ptxsim, exitCode);
  ptxsim.require_subcommand(0, 1);
  try {
    ptxsim.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
      return ptxsim.exit(error); // --help, --version
    return fail(std::string(error.what()) + "; ptxsim --help lists what there is");
  } catch (const weft::ptxsim::UserMistake &mistake) {
    return fail(mistake.message);
  }
  if (ptxsim.get_subcommands().empty())
    std::fputs(ptxsim.help().c_str(), stdout);
  return exitCode;
}
