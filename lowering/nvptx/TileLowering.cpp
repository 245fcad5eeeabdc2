// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/TileLowering.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace weft::tile;

namespace weft {

//===----------------------------------------------------------------------===//
// Code of a thread
//===----------------------------------------------------------------------===//

Value ThreadCode::constant(int64_t value) { return arith::ConstantIntOp::create(b, loc, value, 32); }

Value ThreadCode::isBelow(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, x, y);
}

Value ThreadCode::isEqual(Value x, int64_t y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, x, constant(y));
}

Value ThreadCode::narrow(Value x) {
  if (x.getType().isIndex())
    return b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), x);
  return b.createOrFold<arith::TruncIOp>(loc, b.getI32Type(), x);
}

Value ThreadCode::wide(Value index) {
  if (index.getType().isIndex())
    return b.createOrFold<arith::IndexCastOp>(loc, b.getI64Type(), index);
  return b.createOrFold<arith::ExtSIOp>(loc, b.getI64Type(), index);
}

Value ThreadCode::thread() { return NVVM::ThreadIdXOp::create(b, loc, b.getI32Type()); }

Value ThreadCode::lane() { return modulo(thread(), 32); }

Value ThreadCode::warpOf(int64_t warps) { return modulo(over(thread(), 32), warps); }

Value ThreadCode::uniform(Value x) {
  return NVVM::ShflOp::create(b, loc, b.getI32Type(), constant(-1), x, constant(0), constant(31), NVVM::ShflKind::idx,
                              UnitAttr());
}

Value ThreadCode::at(Value pointer, int64_t bytes) {
  if (!bytes)
    return pointer;
  return LLVM::GEPOp::create(b, loc, pointer.getType(), b.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
}

Value ThreadCode::at(Value pointer, Value bytes) {
  return LLVM::GEPOp::create(b, loc, pointer.getType(), b.getI8Type(), pointer, ArrayRef<LLVM::GEPArg>{bytes});
}

Value ThreadCode::addressOf(Value pointer) { return LLVM::PtrToIntOp::create(b, loc, b.getI32Type(), pointer); }

void ThreadCode::when(Value condition, llvm::function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

SmallVector<Value> ThreadCode::unpacked(Value aggregate) {
  auto type = dyn_cast<LLVM::LLVMStructType>(aggregate.getType());
  if (!type)
    return {aggregate};
  return llvm::map_to_vector(llvm::seq<int64_t>(type.getBody().size()), [&](int64_t index) -> Value {
    return LLVM::ExtractValueOp::create(b, loc, aggregate, index);
  });
}

SmallVector<Value> ThreadCode::assembly(const std::string &text, const std::string &constraints, ValueRange operands,
                                        TypeRange results) {
  Type type;
  if (results.size() == 1)
    type = results[0];
  else if (results.empty())
    type = LLVM::LLVMVoidType::get(b.getContext());
  else
    type = LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(results));
  auto dialect = LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT);
  std::string all = constraints + (constraints.empty() ? "" : ",") + "~{memory}";
  auto op = LLVM::InlineAsmOp::create(b, loc, results.empty() ? TypeRange() : TypeRange(type), operands, text, all,
                                      /*has_side_effects=*/true, /*is_align_stack=*/false, LLVM::TailCallKind::None,
                                      dialect, ArrayAttr());
  return results.empty() ? SmallVector<Value>() : unpacked(op.getResult(0));
}

//===----------------------------------------------------------------------===//
// Places and addresses
//===----------------------------------------------------------------------===//

/// Σ over the lane's bits of the steps they make, where steps of neighbouring bits double: (lane >> i) & mask · step.
static Value sumOfBits(ThreadCode &code, ArrayRef<int64_t> steps) {
  Value sum = code.constant(0), lane = code.lane();
  for (unsigned first = 0; first < steps.size();) {
    unsigned end = first + 1;
    while (end < steps.size() && steps[first] && steps[end] == steps[end - 1] * 2)
      ++end;
    if (steps[first]) {
      Value field = code.modulo(code.over(lane, int64_t(1) << first), int64_t(1) << (end - first));
      sum = code.add(sum, code.times(field, steps[first]));
    }
    first = end;
  }
  return sum;
}

ThreadPlace ThreadPlace::of(ThreadCode &code, FragmentType fragment) {
  FragmentLayout layout(fragment);
  SmallVector<Place> bits = layout.laneBits();
  ThreadPlace place{sumOfBits(code, llvm::map_to_vector(bits, [](Place bit) { return bit.row; })),
                    sumOfBits(code, llvm::map_to_vector(bits, [](Place bit) { return bit.column; }))};
  Value warp = code.warpOf(warpsOf(fragment.getLayout()));
  if (layout.rowsOfWarp())
    place.row = code.add(place.row, code.times(code.over(warp, layout.warpsAcross()), layout.rowsOfWarp()));
  if (layout.columnsOfWarp())
    place.column = code.add(place.column, code.times(code.modulo(warp, layout.warpsAcross()), layout.columnsOfWarp()));
  return place;
}

Value BufferAddress::of(Value row, Value byte, Place constant) {
  int64_t rowBytes = type.rowBytes(), swizzle = type.getSwizzle();
  if (!isSumOfBits) {
    byte = code.add(byte, constant.column);
    constant.column = 0;
  }
  assert((!swizzle || constant.row % 8 == 0) && "the swizzle repeats every eight rows");
  Value offset = code.add(code.times(row, rowBytes), byte);
  if (!swizzle)
    return code.at(code.at(base, offset), constant.row * rowBytes + constant.column);
  Value panel = code.over(byte, rowBytes), inPanel = code.modulo(byte, rowBytes);
  offset = code.add(code.times(row, rowBytes), code.exclusive(inPanel, code.constant(constant.column % rowBytes)));
  // `swizzled` of LayoutAlgebra.h.
  Value chunk = code.modulo(code.over(offset, 128), swizzle / 16);
  offset = code.add(code.exclusive(offset, code.times(chunk, 16)), code.times(panel, type.panelBytes()));
  int64_t rest = constant.row * rowBytes + constant.column / rowBytes * type.panelBytes();
  return code.at(code.at(base, offset), rest);
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

SmallVector<Value> elementsOf(ThreadCode &code, FragmentType type, ValueRange registers) {
  int64_t packed = FragmentLayout(type).elementsPerRegister();
  if (packed == 1)
    return registers;
  auto vector = VectorType::get(packed, type.getElement());
  SmallVector<Value> elements;
  for (Value word : registers) {
    Value together = LLVM::BitcastOp::create(code.b, code.loc, vector, word);
    for (int64_t index = 0; index < packed; ++index)
      elements.push_back(LLVM::ExtractElementOp::create(code.b, code.loc, together, code.constant(index)));
  }
  return elements;
}

SmallVector<Value> registersOf(ThreadCode &code, FragmentType type, ValueRange elements) {
  int64_t packed = FragmentLayout(type).elementsPerRegister();
  if (packed == 1)
    return elements;
  auto vector = VectorType::get(packed, type.getElement());
  SmallVector<Value> registers;
  for (size_t first = 0; first < elements.size(); first += packed) {
    Value together = LLVM::PoisonOp::create(code.b, code.loc, vector);
    for (int64_t index = 0; index < packed; ++index)
      together =
          LLVM::InsertElementOp::create(code.b, code.loc, together, elements[first + index], code.constant(index));
    registers.push_back(LLVM::BitcastOp::create(code.b, code.loc, code.b.getI32Type(), together));
  }
  return registers;
}

TileTypes::TileTypes() {
  addConversion([](Type type) { return type; });
  auto registers = [](FragmentType type, SmallVectorImpl<Type> &types) {
    FragmentLayout layout(type);
    Type of = layout.elementsPerRegister() == 1 ? type.getElement() : IntegerType::get(type.getContext(), 32);
    types.append(layout.registers(), of);
    return success();
  };
  addConversion([=](FragmentType type, SmallVectorImpl<Type> &types) { return registers(type, types); });
  addConversion([=](PendingType type, SmallVectorImpl<Type> &types) { return registers(type.getFragment(), types); });
  auto shared = [](MLIRContext *context) {
    return LLVM::LLVMPointerType::get(context, static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared));
  };
  addConversion([=](BufferType type) -> Type { return shared(type.getContext()); });
  addConversion([=](PipelineType type) -> Type { return shared(type.getContext()); });
}

} // namespace weft
