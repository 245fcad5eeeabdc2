// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft_count_instructions ARTIFACT VARIANT EXPECTED [DIM=EXTENT]…
//
// Runs the first entry of an artifact once, step by step under ptrace, and counts the instructions that it executes in
// the artifact's own code. Exit code 3 when the count is more than 3 % away from EXPECTED, in either direction: a gain
// is to be written down too. A count does not depend on what else the machine does, and has no other tools than the
// processor: unlike valgrind it knows every instruction that the processor has.
#include "runtime/include/weft/runtime.h"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sched.h>
#include <signal.h>
#include <string>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr double kTolerance = 0.03;
using Extents = std::map<std::string, int64_t>;

[[noreturn]] void giveUp(const std::string &what) {
  std::fprintf(stderr, "error: %s\n", what.c_str());
  std::exit(1);
}

void check(weft_status status) {
  if (status != WEFT_OK)
    giveUp(weft_last_error());
}

/// An array of f32 with values in [-1, 1), the same ones each time; of another type, these bits.
struct Array {
  weft_tensor tensor = {};
  std::vector<float> values;

  Array(const weft_tensor_info &info, const Extents &extents) {
    int64_t count = 1;
    for (int32_t i = 0; i < info.rank; ++i) {
      auto named = info.dim_names[i] ? extents.find(info.dim_names[i]) : extents.end();
      tensor.shape[i] = named == extents.end() ? info.shape[i] : named->second;
      if (tensor.shape[i] < 0)
        giveUp(std::string("no extent is given for the dimension ") + info.dim_names[i]);
      count *= tensor.shape[i];
    }
    values.resize(count);
    uint32_t state = 1;
    for (float &value : values) {
      state = state * 1664525u + 1013904223u;
      value = static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1.0f;
    }
    tensor.name = info.name;
    tensor.dtype = info.dtype;
    tensor.rank = info.rank;
    tensor.data = values.data();
    tensor.bytes = values.size() * weft_dtype_size(info.dtype);
  }
};

std::vector<Array> arraysOf(weft_model *model, size_t count, bool inputs, const Extents &extents) {
  std::vector<Array> arrays;
  for (size_t i = 0; i < count; ++i) {
    weft_tensor_info info;
    check((inputs ? weft_model_input : weft_model_output)(model, nullptr, i, &info));
    arrays.emplace_back(info, extents);
  }
  return arrays;
}

std::vector<weft_tensor> tensorsOf(const std::vector<Array> &arrays) {
  std::vector<weft_tensor> tensors;
  for (const Array &array : arrays)
    tensors.push_back(array.tensor);
  return tensors;
}

/// The process that is watched: runs the entry to warm up, then once more between two stops.
[[noreturn]] void runWatched(const char *artifact, const char *variant, const Extents &extents) {
  weft_model *model = nullptr;
  check(weft_open(artifact, nullptr, &model));
  weft_session_options options = {};
  options.size = sizeof(options);
  options.threads = 1;
  options.variant = variant;
  weft_session *session = nullptr;
  check(weft_session_new(model, &options, &session));
  weft_entry_info entry;
  check(weft_model_entry(model, 0, &entry));
  std::vector<Array> inputs = arraysOf(model, entry.input_count, true, extents);
  std::vector<Array> outputs = arraysOf(model, entry.output_count, false, extents);
  std::vector<weft_tensor> in = tensorsOf(inputs), out = tensorsOf(outputs);
  check(weft_run(session, nullptr, in.data(), in.size(), out.data(), out.size()));
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0)
    giveUp("this system lets no process be watched (ptrace)");
  raise(SIGSTOP);
  weft_status status = weft_run(session, nullptr, in.data(), in.size(), out.data(), out.size());
  raise(SIGSTOP);
  check(status);
  _exit(0);
}

struct Range {
  uint64_t begin = 0, end = 0;
  bool holds(uint64_t address) const { return address - begin < end - begin; }
};

/// Where the code of the artifact lies in that process.
Range codeOf(pid_t process) {
  std::ifstream maps("/proc/" + std::to_string(process) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    Range range;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &range.begin, &range.end, rights) == 3 && rights[2] == 'x' &&
        line.find("model.so") != std::string::npos)
      return range;
  }
  giveUp("the artifact's code is not in the memory of its process");
}

/// Waits for a stop; the signal that stopped it.
int stopOf(pid_t process) {
  int status = 0;
  if (waitpid(process, &status, 0) != process || !WIFSTOPPED(status))
    giveUp("the run broke off");
  return WSTOPSIG(status);
}

int64_t countSteps(pid_t process) {
  stopOf(process);
  Range code = codeOf(process);
  int64_t count = 0;
  do {
    uint64_t address = ptrace(PTRACE_PEEKUSER, process, offsetof(user, regs.rip), nullptr);
    count += code.holds(address);
    if (ptrace(PTRACE_SINGLESTEP, process, nullptr, nullptr) != 0)
      giveUp("this system makes no single steps (ptrace)");
  } while (stopOf(process) == SIGTRAP);
  kill(process, SIGKILL);
  waitpid(process, nullptr, 0);
  return count;
}

int run(int count, char **arguments) {
  if (count < 4)
    giveUp("weft_count_instructions ARTIFACT VARIANT EXPECTED [DIM=EXTENT]…");
  Extents extents;
  for (int i = 4; i < count; ++i) {
    std::string argument = arguments[i];
    size_t equals = argument.find('=');
    if (equals == std::string::npos)
      giveUp("not DIM=EXTENT: " + argument);
    extents[argument.substr(0, equals)] = std::atoll(argument.c_str() + equals + 1);
  }
  // On one core: waking another one for each step takes four times as long.
  cpu_set_t core;
  CPU_ZERO(&core);
  CPU_SET(sched_getcpu(), &core);
  sched_setaffinity(0, sizeof(core), &core);
  pid_t process = fork();
  if (process < 0)
    giveUp("no process can be made");
  if (process == 0)
    runWatched(arguments[1], arguments[2], extents);
  int64_t found = countSteps(process);
  double ratio = static_cast<double>(found) / std::atof(arguments[3]);
  bool near = ratio > 1 - kTolerance && ratio < 1 + kTolerance;
  std::printf("%s: %s executes %lld instructions, %.3f of the %s expected\n", near ? "ok" : "FAIL", arguments[2],
              static_cast<long long>(found), ratio, arguments[3]);
  return near ? 0 : 3;
}

} // namespace

int main(int count, char **arguments) { return run(count, arguments); }
