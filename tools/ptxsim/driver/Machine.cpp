// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/driver/Machine.h"

#include "tools/ptxsim/Device.h"
#include "tools/ptxsim/driver/Api.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <unordered_map>

namespace weft::ptxsim::driver {

struct MachineModule {
  std::shared_ptr<Module> module;
  int version; // times 10
};

struct Machine::Impl {
  int capability;
  size_t memory, used = 0;
  Device device;
  std::map<uint64_t, size_t> sizes; // of live allocations
  std::unordered_map<MachineModule *, std::unique_ptr<MachineModule>> modules;
};

static DeviceOptions optionsFor(int capability) {
  DeviceOptions options;
  options.sharedLimit = uint64_t(capability >= 90 ? 227 : 163) * 1024;
  // Reads of memory that nothing wrote end a launch; a program that means them says so.
  const char *uninitialized = std::getenv("PTXSIM_UNINITIALIZED");
  options.checkMemory = !(uninitialized && std::strcmp(uninitialized, "allow") == 0);
  return options;
}

Machine::Machine(int capability, size_t memory)
    : impl(new Impl{capability, memory, 0, Device(optionsFor(capability)), {}, {}}) {}

Machine::~Machine() = default;

uint64_t Machine::allocate(size_t bytes) {
  if (bytes > impl->memory - impl->used)
    return 0;
  uint64_t address = impl->device.allocate(bytes);
  impl->sizes[address] = bytes;
  impl->used += bytes;
  return address;
}

bool Machine::release(uint64_t address) {
  auto found = impl->sizes.find(address);
  if (found == impl->sizes.end())
    return false;
  impl->device.free(address);
  impl->used -= found->second;
  impl->sizes.erase(found);
  return true;
}

size_t Machine::allocatedBytes() const { return impl->used; }

bool Machine::find(uint64_t address, uint64_t &start, size_t &bytes) const {
  const Allocation *found = impl->device.find(address);
  if (!found || found->freed || address < found->address || address - found->address >= found->bytes)
    return false;
  start = found->address;
  bytes = found->bytes;
  return true;
}

bool Machine::contains(uint64_t address, size_t bytes) const {
  uint64_t start = 0;
  size_t size = 0;
  return find(address, start, size) && bytes <= size - (address - start);
}

void Machine::write(uint64_t address, const void *data, size_t bytes) {
  impl->device.write(address, {static_cast<const std::byte *>(data), bytes});
}

void Machine::read(uint64_t address, void *data, size_t bytes) const {
  impl->device.read(address, {static_cast<std::byte *>(data), bytes});
}

void Machine::copy(uint64_t to, uint64_t from, size_t bytes) {
  std::vector<std::byte> data(bytes);
  impl->device.read(from, data);
  impl->device.write(to, data);
}

void Machine::fill(uint64_t address, const void *pattern, size_t patternBytes, size_t count) {
  if (patternBytes == 1) {
    impl->device.fill(address, *static_cast<const std::byte *>(pattern), count);
    return;
  }
  std::vector<std::byte> data(patternBytes * count);
  for (size_t index = 0; index < count; ++index)
    std::memcpy(data.data() + index * patternBytes, pattern, patternBytes);
  impl->device.write(address, data);
}

/// The word behind a directive such as ".target", empty where there is none. Read before the text is parsed: what a
/// newer assembler would understand is no syntax error.
static std::string wordBehind(std::string_view text, std::string_view directive) {
  for (size_t at = text.find(directive); at != std::string_view::npos; at = text.find(directive, at + 1)) {
    size_t line = text.rfind('\n', at);
    line = line == std::string_view::npos ? 0 : line + 1;
    if (text.find_first_not_of(" \t", line) != at)
      continue;
    size_t begin = text.find_first_not_of(" \t", at + directive.size());
    if (begin == std::string_view::npos)
      break;
    return std::string(text.substr(begin, text.find_first_of(" \t\r\n,", begin) - begin));
  }
  return {};
}

/// "sm_90a" runs on capability 9.0 alone, "sm_80" on 8.0 and later.
static bool runsOn(const std::string &target, int capability) {
  int number = 0, read = 0;
  if (std::sscanf(target.c_str(), "sm_%d%n", &number, &read) != 1)
    return true; // the parser says what is wrong
  return size_t(read) < target.size() ? number == capability : number <= capability;
}

int Machine::load(const char *text, int newestPtx, MachineModule **module, std::string &message) {
  int major = 0, minor = 0;
  std::string version = wordBehind(text, ".version"), target = wordBehind(text, ".target");
  std::sscanf(version.c_str(), "%d.%d", &major, &minor);
  if (major * 10 + minor > newestPtx) {
    message = "the text is of PTX ISA " + version + ", this driver reads up to " + std::to_string(newestPtx / 10) +
              "." + std::to_string(newestPtx % 10);
    return UNSUPPORTED_PTX_VERSION;
  }
  if (!runsOn(target, impl->capability)) {
    message = "the text is for " + target + ", the device is sm_" + std::to_string(impl->capability) +
              (impl->capability == 90 ? "a" : "");
    return NO_BINARY_FOR_GPU;
  }
  auto parsed = Module::parse(text);
  if (const Fault *fault = std::get_if<Fault>(&parsed)) {
    message = fault->text("ptx");
    return INVALID_PTX;
  }
  auto made =
      std::make_unique<MachineModule>(MachineModule{std::get<std::shared_ptr<Module>>(parsed), major * 10 + minor});
  impl->device.load(made->module);
  *module = made.get();
  impl->modules.emplace(*module, std::move(made));
  return SUCCESS;
}

void Machine::unload(MachineModule *module) {
  impl->device.unload(*module->module);
  impl->modules.erase(module);
}

bool Machine::kernel(const MachineModule *module, const std::string &name, KernelFacts &facts) const {
  const Function *function = module->module->entry(name);
  if (!function)
    return false;
  facts = {};
  facts.ptxVersion = module->version;
  facts.staticShared = int(module->module->staticShared);
  facts.localBytes = int(function->localBytes);
  facts.maxRegisters = int(function->maximumRegisters);
  facts.parameterCount = int(function->parameters.size());
  for (int axis = 0; axis < 3; ++axis)
    facts.requiredThreads[axis] = int(function->requiredThreads[size_t(axis)]);
  const auto &bound = function->requiredThreads[0] ? function->requiredThreads : function->maximumThreads;
  if (bound[0])
    facts.maxThreads = int(bound[0] * std::max(1u, bound[1]) * std::max(1u, bound[2]));
  return true;
}

bool Machine::global(const MachineModule *module, const std::string &name, uint64_t &address, size_t &bytes) const {
  auto found = module->module->variables.find(name);
  if (found == module->module->variables.end() ||
      (found->second->space != Space::Global && found->second->space != Space::Const))
    return false;
  address = found->second->address;
  bytes = found->second->bytes;
  return true;
}

static int resultOf(FaultKind kind) {
  switch (kind) {
  case FaultKind::OutOfBounds:
  case FaultKind::UseAfterFree:
  case FaultKind::ReadOnly:
    return ILLEGAL_ADDRESS;
  case FaultKind::Misaligned:
    return MISALIGNED_ADDRESS;
  case FaultKind::IllegalInstruction:
    return ILLEGAL_INSTRUCTION;
  case FaultKind::BadLaunch:
    return INVALID_VALUE;
  case FaultKind::InfiniteLoop:
  case FaultKind::Deadlock:
    return LAUNCH_TIMEOUT;
  default:
    return LAUNCH_FAILED;
  }
}

/// The kernel's parameters, side by side as it lays them out.
static std::vector<std::byte> packParameters(const Function &function, const MachineLaunch &launch) {
  std::vector<std::byte> bytes(function.parameterBytes);
  if (launch.packed)
    std::memcpy(bytes.data(), launch.packed, std::min(bytes.size(), launch.packedBytes));
  else
    for (size_t index = 0; index < function.parameters.size(); ++index) {
      const Parameter &parameter = function.parameters[index];
      std::memcpy(bytes.data() + parameter.offset, launch.parameters[index], parameter.bytes);
    }
  return bytes;
}

int Machine::launch(MachineModule *module, const MachineLaunch &launch, std::string &message) {
  Launch request;
  request.module = module->module.get();
  request.function = module->module->entry(launch.kernel);
  if (!request.function->parameters.empty() && !launch.parameters && !launch.packed) {
    message = launch.kernel + " has parameters, the launch gives none";
    return INVALID_VALUE;
  }
  for (size_t axis = 0; axis < 3; ++axis) {
    request.grid[axis] = launch.grid[axis];
    request.block[axis] = launch.block[axis];
    request.cluster[axis] = launch.cluster[axis];
  }
  request.dynamicShared = launch.dynamicShared;
  request.parameters = packParameters(*request.function, launch);
  std::optional<Fault> fault = impl->device.launch(request);
  if (!fault)
    return SUCCESS;
  message = fault->text(launch.kernel + ".ptx");
  return resultOf(fault->kind);
}

} // namespace weft::ptxsim::driver
