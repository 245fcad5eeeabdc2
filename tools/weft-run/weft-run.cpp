// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-run FILE.mlir [--target v4,v3,portable]
//
// Compiles a module in memory, runs its entries and prints a line for each of their expectations. Levels that this
// processor lacks are skipped. Exit code 3 when an expectation is not met.
#include "tools/weft-run/Expectations.h"

#include <cstring>
#include <sstream>

namespace weft {
namespace {

constexpr const char *kUsage = "usage: weft-run FILE.mlir [--target v4,v3,portable]\n\n"
                               "Runs the entries of a module and says whether their check ops are met.\n"
                               "Exit code: 0 all met, 1 the file cannot be run, 3 one is not met.\n";

int fail(const Diagnostic &error) {
  std::fprintf(stderr, "%s\n", error.format().c_str());
  return isInternalError(error) ? 2 : 1;
}

bool lacksLevel(const Diagnostic &error) { return error.code == "W0406"; }

/// Code for a better processor is a reason to skip, not a mistake.
int skip(const std::string &targets) {
  std::printf("skip %s: this processor lacks it\n", targets.c_str());
  return 0;
}

int run(const std::string &path, const std::string &targets) {
  Context context;
  Result<Graph> graph = import(context, path);
  if (!graph)
    return fail(graph.error());
  Result<std::vector<CheckedEntry>> entries = prepareChecks(*graph);
  if (!entries)
    return fail(entries.error());
  Result<Executable> executable = compile(*graph, {.targets = {"cpu:" + targets}});
  if (!executable)
    return lacksLevel(executable.error()) ? skip(targets) : fail(executable.error());
  bool met = true;
  std::stringstream list(targets);
  for (std::string variant; std::getline(list, variant, ',');) {
    Result<Session> session = executable->session({.threads = 1, .variant = variant});
    if (!session && lacksLevel(session.error())) {
      skip(variant);
      continue;
    }
    for (const CheckedEntry &entry : *entries) {
      Result<std::vector<Array>> outputs = session ? session->run(entry.name, {}) : session.takeError();
      if (!outputs)
        return fail(outputs.error());
      met &= reportChecks(variant, entry, *outputs);
    }
  }
  return met ? 0 : 3;
}

} // namespace
} // namespace weft

int main(int count, char **arguments) {
  std::string path, targets = "v4,v3,portable";
  for (int i = 1; i < count; ++i) {
    if (!std::strcmp(arguments[i], "--target") && i + 1 < count)
      targets = arguments[++i];
    else if (arguments[i][0] != '-' && path.empty())
      path = arguments[i];
    else
      path.clear(), i = count;
  }
  if (!path.empty())
    return weft::run(path, targets);
  bool help = count == 2 && !std::strcmp(arguments[1], "--help");
  return std::fputs(weft::kUsage, help ? stdout : stderr), help ? 0 : 1;
}
