// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ptxsim run FILE.ptx: one launch, its arguments from the command line.
#include "tools/ptxsim/command/Command.h"

#include <charconv>
#include <cstdio>
#include <cstring>

namespace weft::ptxsim {
namespace {

struct RunOptions {
  std::string file, kernel, inputs, outputs;
  std::vector<uint32_t> grid{1}, block{1};
  uint32_t shared = 0;
  uint64_t budget = 0;
  std::vector<std::string> arguments;
  bool statistics = false, unchecked = false;
};

std::array<uint32_t, 3> extents(const std::vector<uint32_t> &given) {
  std::array<uint32_t, 3> result{1, 1, 1};
  std::copy_n(given.begin(), std::min<size_t>(given.size(), 3), result.begin());
  return result;
}

template <class T> std::vector<std::byte> bytesOfNumber(const std::string &text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw UserMistake{"'" + text + "' is no number of this type"};
  std::vector<std::byte> bytes(sizeof(T));
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// Arguments of one launch: what their bytes are, and which arrays lie where.
class Arguments {
public:
  Arguments(Device &device, const std::string &inputs) : device(device) {
    if (!inputs.empty())
      arrays = readArchive(inputs);
  }

  std::vector<std::byte> bytesOf(const std::string &argument) {
    size_t colon = argument.find(':');
    std::string kind = argument.substr(0, colon), value = colon == std::string::npos ? "" : argument.substr(colon + 1);
    if (kind == "s32")
      return bytesOfNumber<int32_t>(value);
    if (kind == "u32")
      return bytesOfNumber<uint32_t>(value);
    if (kind == "s64")
      return bytesOfNumber<int64_t>(value);
    if (kind == "u64")
      return bytesOfNumber<uint64_t>(value);
    if (kind == "f32")
      return bytesOfNumber<float>(value);
    if (kind == "f64")
      return bytesOfNumber<double>(value);
    if (kind == "array")
      return pointer(array(value));
    if (kind == "zeros" || kind == "buffer")
      return pointer(buffer(value, kind == "zeros"));
    throw UserMistake{"--arg " + argument + ": it is s32, u32, s64, u64, f32 or f64 with a value, array:NAME of " +
                      "--inputs, zeros:BYTES or buffer:BYTES"};
  }

  /// Every array as the kernel left it.
  void write(const std::string &path) {
    for (const auto &[name, address] : addresses)
      device.read(address, arrays[name].bytes);
    writeArchive(path, arrays);
  }

private:
  static std::vector<std::byte> pointer(uint64_t address) {
    std::vector<std::byte> bytes(8);
    std::memcpy(bytes.data(), &address, 8);
    return bytes;
  }

  uint64_t array(const std::string &name) {
    auto found = arrays.find(name);
    if (found == arrays.end())
      throw UserMistake{"--inputs has no array called " + name};
    uint64_t &address = addresses[name];
    if (!address) {
      address = device.allocate(found->second.bytes.size(), "array " + name);
      device.write(address, found->second.bytes);
    }
    return address;
  }

  uint64_t buffer(const std::string &size, bool zeros) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, bytesOfNumber<uint64_t>(size).data(), 8);
    if (bytes > uint64_t(1) << 34)
      throw UserMistake{"a buffer of " + size + " bytes is too large"};
    uint64_t address = device.allocate(bytes, "buffer");
    if (zeros)
      device.fill(address, std::byte(0), bytes);
    return address;
  }

  Device &device;
  std::map<std::string, ArrayData> arrays;
  std::map<std::string, uint64_t> addresses;
};

void place(Launch &launch, size_t index, const std::vector<std::byte> &bytes) {
  const Parameter &parameter = launch.function->parameters[index];
  if (bytes.size() != parameter.bytes)
    throw UserMistake{"argument " + std::to_string(index + 1) + " has " + std::to_string(bytes.size()) + " bytes, " +
                      parameter.name + " has " + std::to_string(parameter.bytes)};
  std::copy(bytes.begin(), bytes.end(), launch.parameters.begin() + parameter.offset);
}

int run(const RunOptions &options) {
  std::shared_ptr<Module> module = readModule(options.file);
  const Function &function = entryOf(*module, options.kernel, options.file);
  Device device;
  if (options.unchecked)
    device.options.observe = nullptr;
  if (options.budget)
    device.options.warpBudget = options.budget;
  device.load(module);
  Launch launch{&function, module.get(), extents(options.grid), extents(options.block)};
  launch.dynamicShared = options.shared;
  launch.parameters.resize(function.parameterBytes);
  if (options.arguments.size() != function.parameters.size())
    throw UserMistake{function.name + " has " + std::to_string(function.parameters.size()) + " parameters, " +
                      std::to_string(options.arguments.size()) + " --arg were given"};
  Arguments arguments(device, options.inputs);
  for (size_t index = 0; index < options.arguments.size(); ++index)
    place(launch, index, arguments.bytesOf(options.arguments[index]));
  std::optional<Fault> fault = device.launch(launch);
  if (fault)
    throw UserMistake{fault->text(options.file)};
  if (!options.outputs.empty())
    arguments.write(options.outputs);
  if (options.statistics)
    std::fputs(statisticsText(device.statistics()).c_str(), stdout);
  return kDone;
}

} // namespace

void addRun(CLI::App &ptxsim, int &exitCode) {
  auto *command = ptxsim.add_subcommand("run", "Launch one kernel");
  auto options = std::make_shared<RunOptions>();
  command->add_option("FILE", options->file, "PTX text")->required();
  command->add_option("--kernel", options->kernel, "Its name; the only one where there is one");
  command->add_option("--grid", options->grid, "Blocks: X,Y,Z")->delimiter(',');
  command->add_option("--block", options->block, "Threads of a block: X,Y,Z")->delimiter(',');
  command->add_option("--shared", options->shared, "Bytes of dynamic shared memory");
  command->add_option("--arg", options->arguments, "One for each parameter: s32:-1, f32:0.5, array:NAME, zeros:BYTES");
  command->add_option("--inputs", options->inputs, "Arrays: a .npz file");
  command->add_option("--outputs", options->outputs, "Where they go as the kernel left them: a .npz file");
  command->add_option("--budget", options->budget, "Warp instructions before it counts as endless");
  command->add_flag("--stats", options->statistics, "Print instructions and how fast they ran");
  command->add_flag("--no-races", options->unchecked, "Do not look for races, which is faster");
  command->callback([options, &exitCode] { exitCode = run(*options); });
}

} // namespace weft::ptxsim
