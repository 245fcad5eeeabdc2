// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Statement -> Instruction. How a family of instructions is added:
//
//   1. A file (Matrix.cpp) defines for each opcode a function `void decodeLdmatrix(Decoder &d)`. It takes the modifiers
//      that it knows, in any order: d.take("trans"), d.takeType(), d.takeSpace(). It adds operands in the order in
//      which its handler wants them: d.destination(0), d.address(1), d.source(2). It says which handler executes:
//      d.instruction.execute = &ldmatrix. What it does not take, or what does not fit, is an IllegalInstruction with
//      the line: modifiers that nobody took are refused for it; d.refuse("…") for the rest.
//   2. The handler `Outcome ldmatrix(const Instruction &i, Warp &warp, LaneMask active)` reads
//   warp.row(i.sources[n])[lane]
//      and writes warp.row(i.destinations[n])[lane], through forLanes(active, …) of Warp.h. Values narrower than 64
//      bits are zero-extended: a signed source is cast, a destination holds its type's bits and zeros above.
//   3. The file registers them: `void registerMatrix(Registry &r) { r.add("ldmatrix", decodeLdmatrix); … }`, and
//      Registry.cpp calls registerMatrix. An opcode with its first modifier ("fence.proxy", "barrier.cluster") goes
//      before the opcode alone, so that two files can share one; what is registered later goes before what was earlier.
//
// An immediate, an address of a variable and a special register are rows like registers, filled when a warp starts: a
// handler never asks what an operand is.
#ifndef WEFT_TOOLS_PTXSIM_DECODER_H
#define WEFT_TOOLS_PTXSIM_DECODER_H

#include "tools/ptxsim/Fault.h"
#include "tools/ptxsim/Instruction.h"

#include <initializer_list>
#include <map>
#include <span>

namespace weft::ptxsim {

struct Module;

class Decoder {
public:
  Decoder(const Module &module, Function &function, const Statement &statement);

  const Module &module;
  Function &function;
  const Statement &statement;
  Instruction instruction;

  // Modifiers. Each take… removes what it returns.
  bool take(std::string_view modifier);
  /// Index in `modifiers` of the one that is there, -1 where none is.
  int takeOneOf(std::initializer_list<std::string_view> modifiers);
  /// The first type; refuses where there is none.
  Type takeType();
  /// None where there is none.
  Type takeTypeIfAny();
  /// Generic where none is named.
  Space takeSpace();
  /// 2, 4, 8 of .v2, .v4, .v8; else 1.
  int takeVector();
  /// Drops cache and eviction hints (.ca, .L1::no_allocate, .L2::128B, …). True where an operand holds a cache policy.
  bool takeCacheHints();
  /// Drops .relaxed, .acquire, .gpu, .cta and so on. What races look at sets its flags before, with take.
  void takeMemoryOrder();
  /// Every modifier in the order of the text, also taken ones.
  std::span<const std::string> modifiers() const { return statement.modifiers; }

  // Operands by index. A vector operand adds all its elements.
  size_t operandCount() const { return statement.operands.size(); }
  bool isSink(size_t index) const { return statement.operands[index].kind == Operand::Kind::Sink; }
  /// Appends the rows of operand `index` to instruction.destinations; a sink is a row that nobody reads.
  Decoder &destination(size_t index);
  /// Appends to instruction.sources; an immediate becomes the bits of `type`.
  Decoder &source(size_t index, Type type);
  /// The value of an operand that must be an immediate.
  int64_t immediate(size_t index);
  /// instruction.address of an Address operand, in `space`.
  Decoder &address(size_t index, Space space);
  /// The same for a second address of the instruction; its base is added to `reads`.
  Address addressOf(const Operand &operand, Space space);
  Slot sourceRow(const Operand &operand, Type type);
  Slot destinationRow(const Operand &operand);
  /// A row that no register has, for intermediate values.
  Slot scratchRow();
  /// A row that holds `bits` in every lane.
  Slot constantRow(uint64_t bits);

  /// Refuses unless there are `low` to `high` operands.
  void expectOperands(size_t low, size_t high);
  [[noreturn]] void refuse(const std::string &why) const;
  /// Refuses the modifiers that are left, and an instruction without a handler.
  void finish();

private:
  Slot specialRow(const Operand &operand);
  Slot symbolRow(const Operand &operand);
  Slot negatedRow(Slot row);

  std::vector<bool> taken;
};

using Decode = void (*)(Decoder &decoder);

class Registry {
public:
  /// With every family registered.
  static const Registry &get();
  void add(std::string_view opcode, Decode decode);
  /// Null where the opcode is not known.
  Decode find(std::string_view opcode) const;

private:
  Registry();
  std::map<std::string, Decode, std::less<>> decoders;
};

// One function a file of instructions.
void registerArithmetic(Registry &registry);
void registerIntegers(Registry &registry);
void registerTranscendentals(Registry &registry);
void registerComparisons(Registry &registry);
void registerBits(Registry &registry);
void registerMoves(Registry &registry);
void registerConversions(Registry &registry);
void registerControl(Registry &registry);
void registerCalls(Registry &registry);
void registerBarriers(Registry &registry);
void registerMemory(Registry &registry);
void registerAtomics(Registry &registry);
void registerWarpWide(Registry &registry);
void registerMatrix(Registry &registry);
void registerWarpgroup(Registry &registry);
void registerMbarrier(Registry &registry);
void registerCopies(Registry &registry);
void registerTensorMaps(Registry &registry);
void registerCluster(Registry &registry);

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_DECODER_H
