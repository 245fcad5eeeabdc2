// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft: compiles models, runs them, measures them. Each subcommand is a file of this folder.
#include "tools/weft/Command.h"

#include <csignal>
#include <cstdio>

namespace {

constexpr const char *kAbout = "Weft compiles transformer models to native code and runs them.";

constexpr const char *kFooter = R"(A model is a Hugging Face folder (config.json, model.safetensors), a GGUF file
or a file of MLIR text. An artifact is what weft compile makes of it: NAME.weft.

  weft compile all-MiniLM-L6-v2        makes all-MiniLM-L6-v2.weft
  weft run all-MiniLM-L6-v2.weft --text "Hello"
  weft bench all-MiniLM-L6-v2.weft --shape batch=1,sequence=128

weft COMMAND --help lists a command's options. Exit codes: 0 done, 1 a mistake
in what was given, 2 a bug in Weft, 3 numbers differ.)";

void addCommands(CLI::App &weft, int &exitCode) {
  using namespace weft::cli;
  addCompile(weft, exitCode);
  addRun(weft, exitCode);
  addBench(weft, exitCode);
  addInspect(weft, exitCode);
  addDemo(weft, exitCode);
  addDoctor(weft, exitCode);
  addExplain(weft, exitCode);
  addCompletion(weft, exitCode);
}

} // namespace

int main(int argc, char **argv) {
  CLI::App weft(kAbout, "weft");
  int exitCode = weft::cli::kDone;
  std::signal(SIGXFSZ, SIG_IGN); // a file above the limit is a failed write, not the end of the process
  weft.footer(kFooter);
  weft.get_formatter()->column_width(30);
  weft.get_formatter()->label("SUBCOMMAND", "COMMAND");
  weft.get_formatter()->label("Positionals", "Arguments");
  weft.get_formatter()->label("REQUIRED", "");
  weft.set_help_flag("-h,--help", "Print this and exit");
  weft.set_version_flag("--version", "weft " WEFT_VERSION " (LLVM " WEFT_LLVM_VERSION ")",
                        "Print the version and exit");
  addCommands(weft, exitCode);
  weft.require_subcommand(0, 1);
  try {
    weft.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
      return weft.exit(error); // --help, --version
    return weft::cli::fail(weft::cli::explainParseError(weft, error));
  }
  if (weft.get_subcommands().empty())
    std::fputs(weft.help().c_str(), stdout);
  return exitCode;
}
