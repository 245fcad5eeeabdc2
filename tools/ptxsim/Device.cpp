// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Global memory: allocations with room between them, so that running over the end of one finds nothing.
#include "tools/ptxsim/Device.h"

#include <algorithm>
#include <cstring>

namespace weft::ptxsim {
namespace {

constexpr uint64_t kAlignment = 512;
constexpr uint64_t kRoom = 1 << 16;

/// False unless the live allocation holds the whole range.
bool holds(const Allocation *allocation, uint64_t address, uint64_t bytes) {
  if (!allocation || allocation->freed)
    return false;
  uint64_t offset = address - allocation->address;
  return offset <= allocation->bytes && bytes <= allocation->bytes - offset;
}

} // namespace

Device::Device(DeviceOptions options) : options(std::move(options)) {}

uint64_t Device::allocate(uint64_t bytes, std::string name) {
  Allocation allocation;
  allocation.address = nextAddress;
  allocation.bytes = bytes;
  allocation.name = std::move(name);
  allocation.data = std::make_unique<std::byte[]>(bytes);
  allocation.written = std::make_unique<uint8_t[]>(bytes);
  nextAddress += (bytes + kRoom + kAlignment - 1) / kAlignment * kAlignment;
  uint64_t address = allocation.address;
  allocations.emplace(address, std::move(allocation));
  return address;
}

bool Device::free(uint64_t address) {
  auto found = allocations.find(address);
  if (found == allocations.end() || found->second.freed)
    return false;
  // The address stays known, so that a later use says what it is; the memory goes back.
  found->second.freed = true;
  found->second.data.reset();
  found->second.written.reset();
  return true;
}

Allocation *Device::find(uint64_t address) {
  if (last && address - last->address < last->bytes)
    return last;
  auto above = allocations.upper_bound(address);
  if (above == allocations.begin())
    return nullptr;
  return last = &std::prev(above)->second;
}

const Allocation *Device::find(uint64_t address) const {
  auto above = allocations.upper_bound(address);
  return above == allocations.begin() ? nullptr : &std::prev(above)->second;
}

bool Device::write(uint64_t address, std::span<const std::byte> bytes) {
  Allocation *allocation = find(address);
  if (!holds(allocation, address, bytes.size()))
    return false;
  std::copy(bytes.begin(), bytes.end(), allocation->data.get() + (address - allocation->address));
  std::fill_n(allocation->written.get() + (address - allocation->address), bytes.size(), uint8_t(1));
  return true;
}

bool Device::fill(uint64_t address, std::byte value, uint64_t bytes) {
  Allocation *allocation = find(address);
  if (!holds(allocation, address, bytes))
    return false;
  std::fill_n(allocation->data.get() + (address - allocation->address), bytes, value);
  std::fill_n(allocation->written.get() + (address - allocation->address), bytes, uint8_t(1));
  return true;
}

bool Device::read(uint64_t address, std::span<std::byte> bytes) const {
  const Allocation *allocation = find(address);
  if (!holds(allocation, address, bytes.size()))
    return false;
  std::copy_n(allocation->data.get() + (address - allocation->address), bytes.size(), bytes.begin());
  return true;
}

void Device::load(std::shared_ptr<Module> module) {
  std::vector<Variable *> loaded;
  auto give = [&](Variable &variable) {
    if (variable.space == Space::Global || variable.space == Space::Const)
      loaded.push_back(&variable);
  };
  for (auto &[name, variable] : module->variables)
    give(*variable);
  for (auto &[name, function] : module->functions)
    for (std::unique_ptr<Variable> &variable : function->variables)
      give(*variable);
  for (Variable *variable : loaded) {
    variable->address = allocate(variable->bytes, "variable " + variable->name);
    if (variable->initial.empty())
      fill(variable->address, std::byte(0), variable->bytes);
    else
      write(variable->address, variable->initial);
  }
  for (Variable *variable : loaded) {
    for (const Relocation &relocation : variable->relocations)
      if (auto target = module->variables.find(relocation.symbol); target != module->variables.end()) {
        uint64_t value = target->second->address + uint64_t(relocation.addend);
        write(variable->address + relocation.offset, std::as_bytes(std::span(&value, 1)));
      }
    find(variable->address)->readOnly = variable->space == Space::Const;
  }
  modules.push_back(std::move(module));
}

void Device::unload(const Module &module) {
  for (const auto &[name, variable] : module.variables)
    if (variable->space == Space::Global || variable->space == Space::Const)
      free(variable->address);
  std::erase_if(modules, [&](const std::shared_ptr<Module> &loaded) { return loaded.get() == &module; });
}

} // namespace weft::ptxsim
