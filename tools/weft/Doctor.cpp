// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft doctor: whether this machine has what Weft needs, and what to do where it has not.
#include "benchmarks/peak/Peak.h"
#include "compiler/include/weft/Compiler.h"
#include "runtime/include/weft/runtime.h"
#include "tools/weft/Command.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/statvfs.h>
#include <thread>
#include <unistd.h>

namespace weft::cli {
namespace {

namespace fs = std::filesystem;

enum class State { Ok, Warn, Fail };

struct Finding {
  State state;
  const char *subject;
  std::string fact;
  std::string help; ///< empty when all is well
};

/// The first program of these names on the PATH, or beside LLVM's tools.
std::string findProgram(std::initializer_list<const char *> names) {
  const char *path = std::getenv("PATH");
  std::string folders = std::string(WEFT_LLVM_TOOLS_DIR) + ":" + (path ? path : "");
  for (const char *name : names)
    for (const std::string &folder : CLI::detail::split(folders, ':'))
      if (access((folder + "/" + name).c_str(), X_OK) == 0)
        return folder + "/" + name;
  return "";
}

Finding checkLlvm() {
  bool there = fs::exists(fs::path(WEFT_LLVM_TOOLS_DIR) / "mlir-opt");
  std::string fact = "LLVM " WEFT_LLVM_VERSION " in " WEFT_LLVM_TOOLS_DIR;
  if (there)
    return {State::Ok, "LLVM", fact, ""};
  return {State::Warn, "LLVM", fact + " without mlir-opt", "its tests and tools are in the package mlir-22-tools"};
}

Finding checkLinker() {
  std::string linker = findProgram({"ld.lld", "ld.lld-22", "ld"});
  if (linker.empty())
    return {State::Fail, "linker", "none found", "weft compile needs one: apt-get install lld-22"};
  return {State::Ok, "linker", linker, ""};
}

/// The flags of the first processor.
std::set<std::string> processorFlags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("flags")) {
      std::istringstream words(line);
      return {std::istream_iterator<std::string>(words), {}};
    }
  return {};
}

Finding checkProcessor() {
  std::set<std::string> flags = processorFlags();
  std::string shown;
  for (const char *flag : {"avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "amx_tile"})
    if (flags.count(flag))
      shown += (shown.empty() ? "" : " ") + std::string(flag);
  std::string target(nativeLevel());
  std::string fact = "code variant " + target + (shown.empty() ? "" : " (" + shown + ")");
  if (target == "portable")
    return {State::Warn, "processor", fact, "AVX2 and FMA are not visible: a virtual machine may hide them"};
  return {State::Ok, "processor", fact, ""};
}

Finding checkPeak() {
  return {State::Ok, "speed", format("%.0f GF/s multiply-add on one core", weft_peak_fma_gflops()), ""};
}

/// A GPU is not needed: that there is none is no warning.
Finding checkGpus() {
  size_t count = 0;
  int32_t version = 0;
  if (weft_device_count(&count, &version) != WEFT_OK) {
    weft_error error;
    weft_last_error_parts(&error);
    return {State::Ok, "GPUs", format("none to use: %s", error.message), ""};
  }
  std::string fact = format("CUDA %d.%d", version / 1000, version % 1000 / 10);
  for (size_t index = 0; index < count; ++index) {
    weft_device_info info;
    if (weft_device_describe(index, &info) != WEFT_OK) {
      weft_error error;
      weft_last_error_parts(&error);
      return {State::Warn, "GPUs", error.message, error.help};
    }
    fact += format(", %s: %s, compute capability %d.%d, ", info.device, info.name, info.architecture / 10,
                   info.architecture % 10) +
            printableBytes(double(info.memory_bytes));
  }
  return {State::Ok, "GPUs", fact + (count ? "" : ", no GPU"), ""};
}

Finding checkThreads() {
  unsigned cores = std::thread::hardware_concurrency();
  const char *variable = std::getenv("WEFT_NUM_THREADS");
  std::string fact = std::to_string(cores) + " cores";
  if (!variable)
    return {State::Ok, "threads", fact, ""};
  fact += std::string(", WEFT_NUM_THREADS=") + variable;
  int wanted = std::atoi(variable);
  if (wanted < 1 || wanted > static_cast<int>(cores))
    return {State::Warn, "threads", fact, "set WEFT_NUM_THREADS between 1 and the number of cores, or unset it"};
  return {State::Ok, "threads", fact, ""};
}

Finding checkDisk() {
  struct statvfs disk = {};
  if (statvfs(".", &disk) != 0)
    return {State::Warn, "disk", "the working directory cannot be examined", "check that it still exists"};
  double free = double(disk.f_bavail) * disk.f_frsize;
  std::string fact = printableBytes(free) + " free here";
  if (access(".", W_OK) != 0 || (disk.f_flag & ST_RDONLY))
    return {State::Warn, "disk", fact + ", not writable", "name another place with weft compile -o"};
  if (free < 1e9)
    return {State::Warn, "disk", fact, "an artifact is as large as its model: make room"};
  return {State::Ok, "disk", fact, ""};
}

Finding checkHugePages() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string line;
  std::getline(file, line);
  size_t open = line.find('['), close = line.find(']');
  if (open == std::string::npos || close == std::string::npos)
    return {State::Warn, "huge pages", "not known to this kernel", "large models may run a few per cent slower"};
  std::string mode = line.substr(open + 1, close - open - 1);
  if (mode == "never")
    return {State::Warn, "huge pages", mode,
            "large models run faster with: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"};
  return {State::Ok, "huge pages", mode, ""};
}

Finding checkPython() {
  std::string python = findProgram({"python3"});
  if (python.empty())
    return {State::Warn, "python", "none found", "weft bench --against needs it: apt-get install python3"};
  bool peers = fs::exists(WEFT_SOURCE_DIR "/.venv-bench/installed.txt");
  return {State::Ok, "python", python + (peers ? ", peers for weft bench --against installed" : ""), ""};
}

void doctor(int &exitCode) {
  for (auto check : {checkLlvm, checkLinker, checkProcessor, checkPeak, checkGpus, checkThreads, checkDisk,
                     checkHugePages, checkPython}) {
    Finding finding = check();
    const char *state = finding.state == State::Ok ? "ok" : finding.state == State::Warn ? "warn" : "fail";
    std::printf("%-5s %-11s %s\n", state, finding.subject, finding.fact.c_str());
    if (!finding.help.empty())
      std::printf("%17s help: %s\n", "", finding.help.c_str());
    if (finding.state == State::Fail)
      exitCode = kUsersMistake;
  }
}

} // namespace

void addDoctor(CLI::App &weft, int &exitCode) {
  CLI::App *command =
      weft.add_subcommand("doctor", "Check whether this machine has what Weft needs")->group("Commands");
  command->callback([&exitCode] { doctor(exitCode); });
}

} // namespace weft::cli
