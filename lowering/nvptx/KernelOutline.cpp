// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/KernelOutline.h"

#include "lowering/analysis/ItemSpace.h"
#include "lowering/analysis/LaunchTensorMap.h"
#include "lowering/nvptx/FlatView.h"

#include "runtime/include/weft/abi.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace weft {

static constexpr const char *kSharedSymbol = "global_smem", *kScratchSymbol = "weft_launch_scratch";

//===----------------------------------------------------------------------===//
// The device module
//===----------------------------------------------------------------------===//

DeviceModule DeviceModule::findOrCreate(ModuleOp host) {
  for (auto module : host.getOps<gpu::GPUModuleOp>())
    return {module, SymbolTable(module)};
  host->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), UnitAttr::get(host.getContext()));
  OpBuilder b = OpBuilder::atBlockEnd(host.getBody());
  auto module = gpu::GPUModuleOp::create(b, host.getLoc(), "kernels");
  return {module, SymbolTable(module)};
}

LLVM::GlobalOp DeviceModule::sharedMemory() {
  if (auto found = symbols.lookup<LLVM::GlobalOp>(kSharedSymbol))
    return found;
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
  auto global = LLVM::GlobalOp::create(b, module.getLoc(), type, /*isConstant=*/false, LLVM::Linkage::External,
                                       kSharedSymbol, Attribute(), /*alignment=*/1024, kSharedSpace);
  symbols.insert(global);
  return global;
}

LLVM::LLVMFuncOp DeviceModule::launchScratch() {
  if (auto found = symbols.lookup<LLVM::LLVMFuncOp>(kScratchSymbol))
    return found;
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  Type pointer = LLVM::LLVMPointerType::get(b.getContext(), kGlobalSpace);
  auto made = LLVM::LLVMFuncOp::create(b, module.getLoc(), kScratchSymbol, LLVM::LLVMFunctionType::get(pointer, {}));
  symbols.insert(made);
  return made;
}

void DeviceModule::copyGlobal(memref::GetGlobalOp use) {
  if (symbols.lookup(use.getName()))
    return;
  auto global = SymbolTable::lookupNearestSymbolFrom<memref::GlobalOp>(use, use.getNameAttr());
  symbols.insert(global->clone());
}

//===----------------------------------------------------------------------===//
// One loop
//===----------------------------------------------------------------------===//

/// On arguments of kernel functions.
static constexpr const char *kOverlaps = "weft.overlaps";

/// The number of the kernel function's argument that a value is a view of, −1 where it is not known, or where a call
/// gives the same buffer to another argument.
static int64_t argumentOf(Value memref) {
  while (auto view = memref.getDefiningOp<ViewLikeOpInterface>())
    memref = view.getViewSource();
  auto argument = dyn_cast<BlockArgument>(memref);
  auto kernel = argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : func::FuncOp();
  if (!kernel || kernel.getArgAttr(argument.getArgNumber(), kOverlaps))
    return -1;
  return argument.getArgNumber();
}

/// What a view is of; slots of the arena are buffers of their own.
static Value bufferOf(Value memref) {
  while (auto view = memref.getDefiningOp<ViewLikeOpInterface>()) {
    if (isa<memref::ViewOp>(view))
      break;
    memref = view.getViewSource();
  }
  return memref;
}

void markOverlaps(ModuleOp module) {
  module.walk([&](func::CallOp call) {
    auto kernel = module.lookupSymbol<func::FuncOp>(call.getCallee());
    DenseMap<Value, unsigned> seen;
    for (auto [number, operand] : llvm::enumerate(call.getOperands())) {
      if (!kernel || !isa<MemRefType>(operand.getType()))
        continue;
      auto [place, isNew] = seen.insert({bufferOf(operand), number});
      for (unsigned argument : {place->second, static_cast<unsigned>(number)})
        if (!isNew)
          kernel.setArgAttr(argument, kOverlaps, UnitAttr::get(module.getContext()));
    }
  });
}

/// Values of the host that the body uses; constants and tables are copied instead.
KernelOutline::KernelOutline(scf::ForallOp forall, const LLVMTypeConverter &types, DeviceModule &device,
                             ArrayRef<TensorMapPlan> maps)
    : forall(forall), types(types), device(device), loc(forall.getLoc()), maps(maps) {
  llvm::SetVector<Value> values;
  getUsedValuesDefinedAbove(forall.getRegion(), values);
  for (OpOperand &operand : forall->getOpOperands())
    values.insert(operand.get());
  for (Value value : values) {
    Operation *definition = value.getDefiningOp();
    bool copied = definition && (definition->hasTrait<OpTrait::ConstantLike>() || isa<memref::GetGlobalOp>(definition));
    (copied ? copies : captures).push_back(value);
  }
}

/// Launches pass integers of 32 and 64 bits and f32: what a number travels as.
static Type carrierOf(Type type) {
  Builder b(type.getContext());
  if (type.isIndex() || type.isF64())
    return b.getI64Type();
  if (type.isIntOrFloat() && type.getIntOrFloatBitWidth() < 32)
    return isa<FloatType>(type) ? Type(b.getF32Type()) : b.getI32Type();
  return type;
}

static Value toCarrier(OpBuilder &b, Location loc, Value value) {
  Type type = value.getType(), carrier = carrierOf(type);
  if (type == carrier)
    return value;
  if (type.isIndex())
    return arith::IndexCastOp::create(b, loc, carrier, value);
  if (type.isF64())
    return arith::BitcastOp::create(b, loc, carrier, value);
  if (isa<FloatType>(type))
    return arith::ExtFOp::create(b, loc, carrier, value);
  return arith::ExtUIOp::create(b, loc, carrier, value);
}

static Value fromCarrier(OpBuilder &b, Location loc, Value value, Type type) {
  if (type == value.getType())
    return value;
  if (type.isIndex())
    return arith::IndexCastOp::create(b, loc, type, value);
  if (type.isF64())
    return arith::BitcastOp::create(b, loc, type, value);
  if (isa<FloatType>(type))
    return arith::TruncFOp::create(b, loc, type, value);
  return arith::TruncIOp::create(b, loc, type, value);
}

SmallVector<Type> KernelOutline::argumentTypesOf(Value capture) {
  if (auto type = dyn_cast<MemRefType>(capture.getType()))
    return FlatView(type, types).argumentTypes();
  return {carrierOf(capture.getType())};
}

func::FuncOp KernelOutline::createFunction(BlockShape shape, StringRef suffix) {
  OpBuilder b = OpBuilder::atBlockEnd(device.module.getBody());
  SmallVector<Type> arguments = {b.getI64Type()};
  for (Value capture : captures)
    llvm::append_range(arguments, argumentTypesOf(capture));
  arguments.append(maps.size(), LLVM::LLVMPointerType::get(b.getContext()));
  std::string name = (forall->getParentOfType<func::FuncOp>().getName() + suffix).str();
  auto function = func::FuncOp::create(b, loc, name, b.getFunctionType(arguments, {}));
  device.symbols.insert(function);
  function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  function->setAttr("weft.threads", b.getI32IntegerAttr(static_cast<int32_t>(shape.threads)));
  function->setAttr("weft.shared_bytes", b.getI64IntegerAttr(shape.sharedBytes));
  for (unsigned map = 0; map < maps.size(); ++map)
    function.setArgAttr(arguments.size() - maps.size() + map, kTensorMapAttribute, b.getUnitAttr());
  function.addEntryBlock();
  return function;
}

IRMapping KernelOutline::mapCaptures(OpBuilder &b, func::FuncOp function) {
  IRMapping mapping;
  for (Value value : copies) {
    if (auto table = value.getDefiningOp<memref::GetGlobalOp>())
      device.copyGlobal(table);
    mapping.map(value, b.clone(*value.getDefiningOp())->getResult(0));
  }
  forall.walk([&](memref::GetGlobalOp table) { device.copyGlobal(table); });
  unsigned next = 1;
  for (Value capture : captures) {
    unsigned count = argumentTypesOf(capture).size();
    ValueRange arguments = ValueRange(function.getArguments()).slice(next, count);
    next += count;
    if (auto type = dyn_cast<MemRefType>(capture.getType()))
      mapping.map(capture, FlatView(type, types).rebuild(b, loc, arguments, argumentOf(capture)));
    else
      mapping.map(capture, fromCarrier(b, loc, arguments[0], capture.getType()));
  }
  return mapping;
}

void KernelOutline::mapInductionVariables(OpBuilder &b, IRMapping &mapping, Value item) {
  mapItem(b, forall, mapping, emitItemCounts(b, forall, mapping), item);
}

void KernelOutline::emitLaunch(func::FuncOp function, BlockShape shape) {
  OpBuilder b(forall);
  emitLaunch(b, function, shape);
}

void KernelOutline::emitLaunch(OpBuilder &b, func::FuncOp function, BlockShape shape) {
  auto constant = [&](int64_t v) -> Value { return arith::ConstantIndexOp::create(b, loc, v); };
  Value items = constant(1);
  for (Value count : emitItemCounts(b, forall, IRMapping()))
    items = arith::MulIOp::create(b, loc, items, count);
  SmallVector<Value> arguments = {arith::IndexCastOp::create(b, loc, b.getI64Type(), items)};
  for (Value capture : captures)
    flatten(b, capture, arguments);
  for (const TensorMapPlan &map : maps)
    describe(b, map, arguments);
  Value blocks = arith::CeilDivUIOp::create(b, loc, items, constant(shape.items));
  Value one = constant(1);
  Value shared = arith::ConstantIntOp::create(b, loc, shape.sharedBytes, 32);
  auto symbol = SymbolRefAttr::get(device.module.getSymNameAttr(), {SymbolRefAttr::get(function.getSymNameAttr())});
  auto launch = gpu::LaunchFuncOp::create(b, loc, symbol, gpu::KernelDim3{blocks, constant(shape.parts), one},
                                          gpu::KernelDim3{constant(shape.threads), one, one}, shared, arguments);
  SmallVector<Attribute> described = llvm::map_to_vector(maps, [&](const TensorMapPlan &map) {
    Type element = cast<MemRefType>(map.view.getType()).getElementType();
    LaunchTensorMap made{element.isBF16() ? WEFT_BF16 : WEFT_F16, map.swizzle, {}};
    made.box.append(map.box.rbegin(), map.box.rend());
    return made.attribute(b.getContext());
  });
  if (!described.empty())
    launch->setAttr(kTensorMapsAttribute, b.getArrayAttr(described));
}

/// As LaunchTensorMap.h says.
void KernelOutline::describe(OpBuilder &b, const TensorMapPlan &map, SmallVectorImpl<Value> &arguments) {
  auto type = cast<MemRefType>(map.view.getType());
  auto number = [&](Value value) -> Value { return arith::IndexCastOp::create(b, loc, b.getI64Type(), value); };
  Value bytes = arith::ConstantIndexOp::create(b, loc, type.getElementTypeBitWidth() / 8);
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, map.view);
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, map.view);
  Value offset = arith::MulIOp::create(b, loc, metadata.getOffset(), bytes);
  Value address = number(arith::AddIOp::create(b, loc, start, offset));
  arguments.push_back(
      LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext(), kGlobalSpace), address));
  for (OpFoldResult extent : llvm::reverse(map.extents))
    arguments.push_back(number(getValueOrCreateConstantIndexOp(b, loc, extent)));
  for (Value stride : llvm::reverse(SmallVector<Value>(metadata.getStrides())))
    arguments.push_back(number(arith::MulIOp::create(b, loc, stride, bytes)));
}

void KernelOutline::flatten(OpBuilder &b, Value capture, SmallVectorImpl<Value> &arguments) {
  if (auto type = dyn_cast<MemRefType>(capture.getType()))
    FlatView(type, types).flatten(b, loc, capture, arguments);
  else
    arguments.push_back(toCarrier(b, loc, capture));
}

//===----------------------------------------------------------------------===//
// Kernel functions
//===----------------------------------------------------------------------===//

static bool has(func::FuncOp function, llvm::function_ref<bool(Operation *)> isOne) {
  return function.walk([&](Operation *op) { return isOne(op) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

/// A kernel without a parallel loop is one item.
static void wrapInLoop(func::FuncOp kernel) {
  Block &body = kernel.front();
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  auto loop = scf::ForallOp::create(b, kernel.getLoc(), ArrayRef<OpFoldResult>{b.getIndexAttr(1)}, ValueRange{}, {});
  Block *inside = loop.getBody();
  inside->getOperations().splice(inside->begin(), body.getOperations(), std::next(body.begin()), std::prev(body.end()));
}

int64_t sharedBytesOf(TargetAttr target) {
  StringRef isa = target.getIsa();
  int64_t kibibytes = isa.starts_with("sm_9") ? 227 : isa == "sm_80" ? 163 : 99;
  return kibibytes * 1024;
}

SmallVector<scf::ForallOp> itemLoopsOf(func::FuncOp kernel) {
  if (!has(kernel, llvm::IsaPred<scf::ForallOp>))
    wrapInLoop(kernel);
  SmallVector<scf::ForallOp> loops;
  kernel.walk([&](scf::ForallOp op) { loops.push_back(op); });
  return loops;
}

SmallVector<func::FuncOp> kernelsOfHost(ModuleOp module) {
  SmallVector<func::FuncOp> kernels;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr("weft.kernel") && !has(function, llvm::IsaPred<gpu::LaunchFuncOp>))
      kernels.push_back(function);
  return kernels;
}

} // namespace weft
