// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wgmma: products of four warps, of which each executes its 16 rows when it comes to the instruction. The result waits
// in AsyncState until wgmma.wait_group: until then the accumulators hold no value.
#include "tools/ptxsim/Decoder.h"
#include "tools/ptxsim/MemoryAccess.h"
#include "tools/ptxsim/async/AsyncState.h"

#include <algorithm>

namespace weft::ptxsim {
namespace {

struct ProductDetails : Details {
  MatrixOp op;
  bool aInRegisters = false, outerMajorA = false, outerMajorB = false, negateA = false, negateB = false;
  std::vector<Slot> a;
};

// Sources: the descriptors that there are, then the predicate scale-d.
Slot descriptorOfB(const Instruction &i) { return i.sources[i.sources.size() - 2]; }

std::vector<LaneRegister> rowsOf(Warp &warp, const std::vector<Slot> &slots) {
  std::vector<LaneRegister> registers(slots.size());
  for (size_t index = 0; index < slots.size(); ++index)
    std::copy_n(warp.row(slots[index]), kLanes, registers[index].begin());
  return registers;
}

/// A descriptor must be the same in all lanes.
SharedMatrix descriptor(const Instruction &i, Warp &warp, Slot slot) {
  const uint64_t *values = warp.row(slot);
  for (int lane = 1; lane < kLanes; ++lane)
    if (values[lane] != values[0])
      warp.fault(FaultKind::Divergence, "the matrix descriptor differs from lane 0's", lane);
  return SharedMatrix::decode(values[0]);
}

/// The product under way on these accumulators; null where there is none. Others may not share a register.
ProductInFlight *inFlight(const Instruction &i, Warp &warp, WarpAsync &state) {
  for (ProductInFlight &product : state.inFlight) {
    if (product.rows == i.destinations)
      return &product;
    for (Slot row : i.destinations)
      if (std::find(product.rows.begin(), product.rows.end(), row) != product.rows.end())
        warp.fault(FaultKind::InFlight,
                   "an accumulator belongs to the product of line " + std::to_string(product.line) +
                       " of another shape or order, which is under way",
                   0);
  }
  return nullptr;
}

/// A new product under way, whose accumulators start with the registers' values, or with 0.
ProductInFlight &begin(const Instruction &i, Warp &warp, WarpAsync &state, bool accumulate) {
  const MatrixOp &op = i.as<ProductDetails>().op;
  if (!state.registersFenced)
    warp.fault(FaultKind::InFlight, "no wgmma.fence orders the registers of this product after what was done to them",
               0);
  ProductInFlight product;
  product.rows = i.destinations;
  product.op = op;
  if (accumulate) {
    for (Slot row : i.destinations)
      if (warp.frame().defined[size_t(row)] != kAllLanes)
        warp.fault(FaultKind::UninitializedRegister, "an accumulator holds no value in some lanes", 0);
    product.sum = unpackC(op, rowsOf(warp, i.destinations));
  }
  state.inFlight.push_back(std::move(product));
  return state.inFlight.back();
}

void clear(const MatrixOp &op, Accumulator &sum) {
  size_t size = size_t(op.rows() * op.n);
  if (op.d == Element::S32)
    sum.s32.assign(size, 0);
  else
    sum.f32.assign(size, 0);
}

Outcome multiplyAsync(const Instruction &i, Warp &warp, LaneMask active) {
  requireWholeWarp(warp, active, "wgmma.mma_async");
  const ProductDetails &details = i.as<ProductDetails>();
  AsyncState &async = asyncOf(warp.block);
  WarpAsync &state = async.of(warp);
  bool accumulate = warp.row(i.sources.back())[0] & 1;
  ProductInFlight *found = inFlight(i, warp, state);
  ProductInFlight &product = found ? *found : begin(i, warp, state, accumulate);
  if (!accumulate)
    clear(details.op, product.sum);

  std::vector<LaneRegister> a = rowsOf(warp, details.a);
  WarpgroupOperands operands;
  operands.a = a;
  if (!details.aInRegisters)
    operands.sharedA = descriptor(i, warp, i.sources[0]);
  operands.sharedB = descriptor(i, warp, descriptorOfB(i));
  operands.outerMajorA = details.outerMajorA, operands.outerMajorB = details.outerMajorB;
  operands.negateA = details.negateA, operands.negateB = details.negateB;
  AsyncState::Agent agent(async, state.products.agent, state.products.open());
  auto load = [&](uint32_t address) {
    Place place = accessMemory(warp, i, 0, Space::Shared, address, 16, 16, AccessKind::Read);
    return reinterpret_cast<const uint8_t *>(place.bytes);
  };
  multiplyWarpgroup(details.op, int(warp.index % 4), operands, load, product.sum);
  // The accumulators hold no value until the wait: a read of one is found like that of any such register.
  for (Slot row : i.destinations)
    warp.frame().defined[size_t(row)] = 0;
  product.group = state.products.open();
  product.line = i.line;
  product.inputs.insert(product.inputs.end(), details.a.begin(), details.a.end());
  product.inputValues.insert(product.inputValues.end(), a.begin(), a.end());
  return Outcome::Next;
}

/// Hands the result of a product to its registers.
void finish(const Instruction &i, Warp &warp, const ProductInFlight &product) {
  std::string line = std::to_string(product.line);
  for (size_t index = 0; index < product.inputs.size(); ++index)
    if (!std::equal(product.inputValues[index].begin(), product.inputValues[index].end(),
                    warp.row(product.inputs[index])))
      warp.fault(FaultKind::InFlight,
                 "a register that holds A of the product of line " + line + " was changed before this wait", 0);
  std::vector<LaneRegister> values(product.rows.size());
  packD(product.op, product.sum, values);
  for (size_t index = 0; index < values.size(); ++index) {
    LaneMask &defined = warp.frame().defined[size_t(product.rows[index])];
    if (defined)
      warp.fault(FaultKind::InFlight, "an accumulator of the product of line " + line + " was written before this wait",
                 std::countr_zero(defined));
    defined = kAllLanes;
    std::copy_n(values[index].begin(), kLanes, warp.row(product.rows[index]));
  }
}

Outcome waitGroup(const Instruction &i, Warp &warp, LaneMask active) {
  requireWholeWarp(warp, active, "wgmma.wait_group");
  AsyncState &async = asyncOf(warp.block);
  WarpAsync &state = async.of(warp);
  uint32_t pending = i.flags, done = state.products.committed > pending ? state.products.committed - pending : 0;
  auto isDone = [&](const ProductInFlight &product) { return product.group <= done; };
  for (const ProductInFlight &product : state.inFlight)
    if (isDone(product))
      finish(i, warp, product);
  std::erase_if(state.inFlight, isDone);
  async.order.learn(int(warp.index), state.products.agent, done);
  state.registersFenced = false;
  return Outcome::Next;
}

Outcome commitGroup(const Instruction &i, Warp &warp, LaneMask active) {
  requireWholeWarp(warp, active, "wgmma.commit_group");
  ++asyncOf(warp.block).of(warp).products.committed;
  return Outcome::Next;
}

Outcome fenceRegisters(const Instruction &i, Warp &warp, LaneMask active) {
  requireWholeWarp(warp, active, "wgmma.fence");
  asyncOf(warp.block).of(warp).registersFenced = true;
  return Outcome::Next;
}

void decodeProduct(Decoder &d) {
  std::string problem;
  auto details = std::make_shared<ProductDetails>();
  details->op = MatrixOp::parse(d.statement.fullName(), problem);
  if (!problem.empty())
    d.refuse(problem);
  for (const std::string &modifier : d.modifiers())
    d.take(modifier);
  const MatrixOp &op = details->op;
  const std::vector<Operand> &operands = d.statement.operands;
  details->aInRegisters = operands.size() > 1 && operands[1].kind == Operand::Kind::Vector;
  bool scales = op.d != Element::S32, transposes = op.a == Element::F16 || op.a == Element::BF16;
  size_t count = 4 + (scales ? 2 : 0) + (transposes ? (details->aInRegisters ? 1 : 2) : 0);
  d.expectOperands(count, count);
  d.destination(0);
  d.instruction.writes.clear(); // the wait writes them
  if (!details->aInRegisters)
    d.source(1, Type::B64);
  d.source(2, Type::B64).source(3, Type::Pred);
  if (details->aInRegisters) {
    for (const Operand &element : operands[1].elements)
      details->a.push_back(d.sourceRow(element, Type::B32));
    // Read where they stand; they are behind the others in no list of the handler's.
    d.instruction.reads.insert(d.instruction.reads.end(), details->a.begin(), details->a.end());
  }
  if (scales) {
    details->negateA = d.immediate(4) < 0;
    details->negateB = d.immediate(5) < 0;
  }
  if (transposes && !details->aInRegisters)
    details->outerMajorA = d.immediate(6) != 0;
  if (transposes)
    details->outerMajorB = d.immediate(count - 1) != 0;
  if (d.instruction.destinations.size() != size_t(op.registersOfD()) ||
      (details->aInRegisters && details->a.size() != size_t(op.registersOfA())))
    d.refuse("the accumulators of this product are " + std::to_string(op.registersOfD()) +
             " registers, A in registers " + std::to_string(op.registersOfA()));
  d.instruction.details = details;
  d.instruction.execute = &multiplyAsync;
}

void decodeWgmma(Decoder &d) {
  if (std::find(d.modifiers().begin(), d.modifiers().end(), "mma_async") != d.modifiers().end())
    return decodeProduct(d);
  bool fence = d.take("fence"), commit = d.take("commit_group"), wait = d.take("wait_group");
  d.take("sync");
  d.take("aligned");
  d.expectOperands(wait ? 1 : 0, wait ? 1 : 0);
  if (wait)
    d.instruction.flags = uint32_t(d.immediate(0));
  d.instruction.execute = fence ? &fenceRegisters : commit ? &commitGroup : wait ? &waitGroup : nullptr;
}

} // namespace

void registerWarpgroup(Registry &registry) { registry.add("wgmma", decodeWgmma); }

} // namespace weft::ptxsim
