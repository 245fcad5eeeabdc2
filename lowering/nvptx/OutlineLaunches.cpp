// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// scf.forall → a device function, an item for a group of threads, and its launch:
//   gpu.launch_func @kernels::@k blocks in (%n / 8, 1, 1) threads in (128, 1, 1) args(%n, pointers, extents)
// A view is passed as its pointer and those of its offset, sizes and strides that its type leaves open.
#include "lowering/nvptx/Passes.h"

#include "lowering/analysis/RegisterPlan.h"
#include "lowering/nvptx/LaneGroup.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

namespace weft {
#define GEN_PASS_DEF_OUTLINELAUNCHES
#include "lowering/nvptx/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Items of a block, at most.
constexpr int64_t kMostItems = 8;
/// Shared memory of a block that leaves room for others.
constexpr int64_t kEasyBytes = 48 * 1024;
/// Scratch is aligned as on the CPU.
constexpr int64_t kScratchAlignment = 16;
constexpr int64_t kWarp = 32;

constexpr unsigned kGlobal = static_cast<unsigned>(NVVM::NVVMMemorySpace::Global);
constexpr unsigned kShared = static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared);
constexpr const char *kSharedSymbol = "global_smem";

/// The most shared memory of a block (CUDA C++ Programming Guide, compute capabilities).
int64_t sharedBytesOf(TargetAttr target) {
  StringRef isa = target.getIsa();
  int64_t kibibytes = isa.starts_with("sm_9") ? 227 : isa == "sm_80" ? 163 : 99;
  return kibibytes * 1024;
}

/// Scratch of one item: where each buffer is, in bytes from the item's first.
struct ScratchPlan {
  SmallVector<memref::AllocaOp> buffers;
  SmallVector<int64_t> offsets;
  int64_t bytes = 0;
  int64_t items = kMostItems; ///< of a block

  static FailureOr<ScratchPlan> of(scf::ForallOp forall, int64_t sharedBytes);
};

FailureOr<ScratchPlan> ScratchPlan::of(scf::ForallOp forall, int64_t sharedBytes) {
  ScratchPlan plan;
  forall.walk([&](memref::AllocaOp op) { plan.buffers.push_back(op); });
  for (memref::AllocaOp op : plan.buffers) {
    MemRefType type = op.getType();
    if (!type.hasStaticShape() || !type.getLayout().isIdentity())
      return op.emitError("scratch of a size that is not known when the program is compiled");
    plan.offsets.push_back(plan.bytes);
    int64_t bits = type.getElementType().isIndex() ? 64 : type.getElementTypeBitWidth();
    plan.bytes += llvm::alignTo(type.getNumElements() * llvm::divideCeil(bits, 8), kScratchAlignment);
  }
  while (plan.items > 1 && plan.items * plan.bytes > (plan.items > 2 ? kEasyBytes : sharedBytes))
    plan.items /= 2;
  if (plan.items * plan.bytes > sharedBytes)
    return forall.emitError("an item needs ")
           << plan.bytes << " bytes of scratch, but a block of threads has " << sharedBytes;
  return plan;
}

/// The number of the kernel function's argument that a value is a view of, −1 where it is not known.
int64_t argumentOf(Value memref) {
  while (auto view = memref.getDefiningOp<ViewLikeOpInterface>())
    memref = view.getViewSource();
  auto argument = dyn_cast<BlockArgument>(memref);
  return argument && isa<func::FuncOp>(argument.getOwner()->getParentOp()) ? argument.getArgNumber() : -1;
}

/// A view as scalars, on the host and on the device.
class FlatView {
public:
  FlatView(MemRefType type, const LLVMTypeConverter &types) : type(type), types(types) {
    (void)type.getStridesAndOffset(strides, offset);
  }

  /// Types of the device function's arguments: the pointer, then what is dynamic.
  SmallVector<Type> argumentTypes() const {
    SmallVector<Type> all = {LLVM::LLVMPointerType::get(type.getContext(), kGlobal)};
    all.append(ShapedType::isDynamic(offset) + llvm::count_if(type.getShape(), ShapedType::isDynamic) +
                   llvm::count_if(strides, ShapedType::isDynamic),
               IntegerType::get(type.getContext(), 64));
    return all;
  }

  /// Their values on the host.
  void flatten(OpBuilder &b, Location loc, Value view, SmallVectorImpl<Value> &values) const {
    auto integer = [&](Value index) -> Value { return arith::IndexCastOp::create(b, loc, b.getI64Type(), index); };
    Value address = integer(memref::ExtractAlignedPointerAsIndexOp::create(b, loc, view));
    values.push_back(LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext(), kGlobal), address));
    auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, view);
    if (ShapedType::isDynamic(offset))
      values.push_back(integer(metadata.getOffset()));
    for (auto [extent, value] : llvm::zip_equal(type.getShape(), metadata.getSizes()))
      if (ShapedType::isDynamic(extent))
        values.push_back(integer(value));
    for (auto [stride, value] : llvm::zip_equal(strides, metadata.getStrides()))
      if (ShapedType::isDynamic(stride))
        values.push_back(integer(value));
  }

  /// The view again, from the device function's arguments.
  Value rebuild(OpBuilder &b, Location loc, ValueRange arguments, int64_t root) const {
    Value pointer = LLVM::AddrSpaceCastOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), arguments[0]);
    MemRefDescriptor descriptor = MemRefDescriptor::poison(b, loc, types.convertType(type));
    descriptor.setAllocatedPtr(b, loc, pointer);
    descriptor.setAlignedPtr(b, loc, pointer);
    size_t next = 1;
    auto number = [&](int64_t known) -> Value {
      if (ShapedType::isDynamic(known))
        return arguments[next++];
      return LLVM::ConstantOp::create(b, loc, b.getI64Type(), known);
    };
    descriptor.setOffset(b, loc, number(offset));
    for (auto [i, extent] : llvm::enumerate(type.getShape()))
      descriptor.setSize(b, loc, i, number(extent));
    for (auto [i, stride] : llvm::enumerate(strides))
      descriptor.setStride(b, loc, i, number(stride));
    return castToView(b, loc, type, descriptor, root);
  }

  static Value castToView(OpBuilder &b, Location loc, MemRefType type, Value descriptor, int64_t root) {
    auto cast = UnrealizedConversionCastOp::create(b, loc, type, descriptor);
    cast->setAttr(kRootAttribute, b.getI64IntegerAttr(root));
    return cast.getResult(0);
  }

private:
  MemRefType type;
  const LLVMTypeConverter &types;
  SmallVector<int64_t> strides;
  int64_t offset;
};

/// The device module of a program, and what is in it already.
struct DeviceModule {
  gpu::GPUModuleOp module;
  SymbolTable symbols;

  static DeviceModule create(ModuleOp host) {
    host->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), UnitAttr::get(host.getContext()));
    OpBuilder b = OpBuilder::atBlockEnd(host.getBody());
    auto module = gpu::GPUModuleOp::create(b, host.getLoc(), "kernels");
    return {module, SymbolTable(module)};
  }

  /// All shared memory is one array of the launch's size.
  LLVM::GlobalOp sharedMemory() {
    if (auto found = symbols.lookup<LLVM::GlobalOp>(kSharedSymbol))
      return found;
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    auto type = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
    auto global = LLVM::GlobalOp::create(b, module.getLoc(), type, /*isConstant=*/false, LLVM::Linkage::External,
                                         kSharedSymbol, Attribute(), /*alignment=*/1024, kShared);
    symbols.insert(global);
    return global;
  }

  /// A table of constants, which the device has for itself.
  void copyGlobal(memref::GetGlobalOp use) {
    if (symbols.lookup(use.getName()))
      return;
    auto global = SymbolTable::lookupNearestSymbolFrom<memref::GlobalOp>(use, use.getNameAttr());
    symbols.insert(global->clone());
  }
};

/// What one scf.forall becomes.
class LaunchConversion {
public:
  LaunchConversion(scf::ForallOp forall, const ScratchPlan &scratch, const LLVMTypeConverter &types,
                   DeviceModule &device)
      : forall(forall), scratch(scratch), types(types), device(device), loc(forall.getLoc()) {}

  void run() {
    collectCaptures();
    func::FuncOp function = createFunction();
    emitLaunch(function);
    forall.erase();
  }

private:
  /// Values of the host that the body uses; constants and tables are copied instead.
  void collectCaptures() {
    llvm::SetVector<Value> values;
    getUsedValuesDefinedAbove(forall.getRegion(), values);
    for (OpOperand &operand : forall->getOpOperands())
      values.insert(operand.get());
    for (Value value : values) {
      Operation *definition = value.getDefiningOp();
      bool copied =
          definition && (definition->hasTrait<OpTrait::ConstantLike>() || isa<memref::GetGlobalOp>(definition));
      (copied ? copies : captures).push_back(value);
    }
  }

  SmallVector<Type> argumentTypesOf(Value capture) {
    if (auto type = dyn_cast<MemRefType>(capture.getType()))
      return FlatView(type, types).argumentTypes();
    return {types.convertType(capture.getType())};
  }

  func::FuncOp createFunction() {
    OpBuilder b = OpBuilder::atBlockEnd(device.module.getBody());
    SmallVector<Type> arguments = {b.getI64Type()};
    for (Value capture : captures)
      llvm::append_range(arguments, argumentTypesOf(capture));
    StringRef name = forall->getParentOfType<func::FuncOp>().getName();
    auto function = func::FuncOp::create(b, loc, name, b.getFunctionType(arguments, {}));
    device.symbols.insert(function);
    int32_t threads = std::max(scratch.items * kGroupLanes, kWarp);
    function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
    function->setAttr("weft.threads", b.getI32IntegerAttr(threads));
    function->setAttr("weft.shared_bytes", b.getI64IntegerAttr(scratch.items * scratch.bytes));
    b.setInsertionPointToStart(function.addEntryBlock());
    emitBody(b, function);
    func::ReturnOp::create(b, loc);
    return function;
  }

  IRMapping mapCaptures(OpBuilder &b, func::FuncOp function) {
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
      else if (capture.getType().isIndex())
        mapping.map(capture, arith::IndexCastOp::create(b, loc, capture.getType(), arguments[0]).getResult());
      else
        mapping.map(capture, arguments[0]);
    }
    return mapping;
  }

  void emitBody(OpBuilder &b, func::FuncOp function) {
    IRMapping mapping = mapCaptures(b, function);
    Value thread = NVVM::ThreadIdXOp::create(b, loc, b.getI32Type());
    Value block = NVVM::BlockIdXOp::create(b, loc, b.getI32Type());
    auto index = [&](Value v) -> Value { return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), v); };
    auto constant = [&](int64_t v) -> Value { return arith::ConstantIndexOp::create(b, loc, v); };
    Value group = arith::DivUIOp::create(b, loc, index(thread), constant(kGroupLanes));
    Value first = arith::MulIOp::create(b, loc, index(block), constant(scratch.items));
    Value item = arith::AddIOp::create(b, loc, first, group);
    Value count = arith::IndexCastOp::create(b, loc, b.getIndexType(), function.getArgument(0));
    Value isItem = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, item, count);
    if (scratch.items * kGroupLanes < kWarp) { // the smallest block is a warp
      Value isGroup = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, group, constant(scratch.items));
      isItem = arith::AndIOp::create(b, loc, isItem, isGroup);
    }
    mapScratch(b, mapping, group);
    auto guard = scf::IfOp::create(b, loc, isItem, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard restore(b);
    b.setInsertionPointToStart(guard.thenBlock());
    mapInductionVariables(b, mapping, item);
    for (Operation &op : forall.getBody()->without_terminator())
      if (!isa<memref::AllocaOp>(op))
        b.clone(op, mapping);
  }

  /// Buffers are the group's part of shared memory.
  void mapScratch(OpBuilder &b, IRMapping &mapping, Value group) {
    if (scratch.buffers.empty())
      return;
    Value base = LLVM::AddressOfOp::create(b, loc, device.sharedMemory());
    Value item = arith::MulIOp::create(b, loc, group, arith::ConstantIndexOp::create(b, loc, scratch.bytes));
    Value start = arith::IndexCastOp::create(b, loc, b.getI64Type(), item);
    int64_t root = forall->getParentOfType<func::FuncOp>().getNumArguments();
    for (auto [op, offset] : llvm::zip_equal(scratch.buffers, scratch.offsets)) {
      memref::AllocaOp buffer = op;
      Value place = LLVM::AddOp::create(b, loc, start, LLVM::ConstantOp::create(b, loc, b.getI64Type(), offset));
      Value shared = LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base, ArrayRef<LLVM::GEPArg>{place});
      Value pointer = LLVM::AddrSpaceCastOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), shared);
      Value descriptor = MemRefDescriptor::fromStaticShape(b, loc, types, buffer.getType(), pointer);
      mapping.map(buffer.getResult(), FlatView::castToView(b, loc, buffer.getType(), descriptor, root++));
    }
  }

  /// Number of steps of each loop; `mapping` is empty on the host.
  SmallVector<Value> emitCounts(OpBuilder &b, const IRMapping &mapping) {
    SmallVector<Value> counts;
    for (auto [lower, upper, step] :
         llvm::zip_equal(forall.getMixedLowerBound(), forall.getMixedUpperBound(), forall.getMixedStep())) {
      Value length = arith::SubIOp::create(b, loc, valueOf(b, mapping, upper), valueOf(b, mapping, lower));
      counts.push_back(arith::CeilDivUIOp::create(b, loc, length, valueOf(b, mapping, step)));
    }
    return counts;
  }

  Value valueOf(OpBuilder &b, const IRMapping &mapping, OpFoldResult value) {
    if (auto ssa = dyn_cast<Value>(value))
      return mapping.lookupOrDefault(ssa);
    return getValueOrCreateConstantIndexOp(b, loc, value);
  }

  /// An item is delinearised as on the CPU: the last loop runs fastest, or the first where the loop says so.
  void mapInductionVariables(OpBuilder &b, IRMapping &mapping, Value item) {
    SmallVector<Value> counts = emitCounts(b, mapping);
    SmallVector<OpFoldResult> lowers = forall.getMixedLowerBound(), steps = forall.getMixedStep();
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, counts.size()));
    if (!forall->hasAttr("weft.first_fastest"))
      std::reverse(order.begin(), order.end());
    for (int64_t dim : order) {
      bool last = dim == order.back();
      Value position = last ? item : arith::RemUIOp::create(b, loc, item, counts[dim]).getResult();
      if (!last)
        item = arith::DivUIOp::create(b, loc, item, counts[dim]);
      Value scaled = arith::MulIOp::create(b, loc, position, valueOf(b, mapping, steps[dim]));
      Value variable = arith::AddIOp::create(b, loc, scaled, valueOf(b, mapping, lowers[dim]));
      mapping.map(forall.getInductionVar(dim), variable);
    }
  }

  void emitLaunch(func::FuncOp function) {
    OpBuilder b(forall);
    auto constant = [&](int64_t v) -> Value { return arith::ConstantIndexOp::create(b, loc, v); };
    Value items = constant(1);
    for (Value count : emitCounts(b, IRMapping()))
      items = arith::MulIOp::create(b, loc, items, count);
    SmallVector<Value> arguments = {arith::IndexCastOp::create(b, loc, b.getI64Type(), items)};
    for (Value capture : captures)
      flatten(b, capture, arguments);
    int64_t threads = function->getAttrOfType<IntegerAttr>("weft.threads").getInt();
    Value blocks = arith::CeilDivUIOp::create(b, loc, items, constant(scratch.items));
    Value one = constant(1);
    Value shared = arith::ConstantIntOp::create(b, loc, scratch.items * scratch.bytes, 32);
    auto symbol = SymbolRefAttr::get(device.module.getSymNameAttr(), {SymbolRefAttr::get(function.getSymNameAttr())});
    gpu::LaunchFuncOp::create(b, loc, symbol, gpu::KernelDim3{blocks, one, one},
                              gpu::KernelDim3{constant(threads), one, one}, shared, arguments);
  }

  void flatten(OpBuilder &b, Value capture, SmallVectorImpl<Value> &arguments) {
    if (auto type = dyn_cast<MemRefType>(capture.getType()))
      FlatView(type, types).flatten(b, loc, capture, arguments);
    else if (capture.getType().isIndex())
      arguments.push_back(arith::IndexCastOp::create(b, loc, b.getI64Type(), capture));
    else
      arguments.push_back(capture);
  }

  scf::ForallOp forall;
  const ScratchPlan &scratch;
  const LLVMTypeConverter &types;
  DeviceModule &device;
  Location loc;
  SmallVector<Value> captures, copies;
};

/// A kernel without a parallel loop is one item.
void wrapInLoop(func::FuncOp kernel) {
  Block &body = kernel.front();
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  auto loop = scf::ForallOp::create(b, kernel.getLoc(), ArrayRef<OpFoldResult>{b.getIndexAttr(1)}, ValueRange{}, {});
  Block *inside = loop.getBody();
  inside->getOperations().splice(inside->begin(), body.getOperations(), std::next(body.begin()), std::prev(body.end()));
}

/// What a kernel writes before its loop, a table in its scratch, every item writes for itself; the host has no vectors.
void sinkPrologue(scf::ForallOp forall) {
  SmallVector<Operation *> prologue;
  for (Operation &op : llvm::make_range(forall->getBlock()->begin(), forall->getIterator()))
    if (!isMemoryEffectFree(&op) ||
        (!op.hasTrait<OpTrait::ConstantLike>() && llvm::any_of(op.getResultTypes(), llvm::IsaPred<VectorType>)))
      prologue.push_back(&op);
  Operation *first = &forall.getBody()->front();
  for (Operation *op : prologue)
    op->moveBefore(first);
}

/// Scratch lies at the top of its loop, so that one plan holds for all of its body.
void hoistScratch(scf::ForallOp forall) {
  SmallVector<memref::AllocaOp> buffers;
  forall.walk([&](memref::AllocaOp op) { buffers.push_back(op); });
  for (memref::AllocaOp op : buffers)
    if (op.getDynamicSizes().empty())
      op->moveBefore(forall.getBody(), forall.getBody()->begin());
}

/// The host must not touch what the device has.
LogicalResult checkHost(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>()) {
    WalkResult touched = function.walk([](Operation *op) {
      bool touches =
          isa<memref::LoadOp, memref::StoreOp, memref::AllocOp, memref::AllocaOp, vector::LoadOp, vector::StoreOp>(op);
      return touches ? WalkResult(op->emitError("would run on the host, but its memory is the device's"))
                     : WalkResult::advance();
    });
    if (touched.wasInterrupted())
      return failure();
  }
  return success();
}

struct OutlineLaunchesPass : impl::OutlineLaunchesBase<OutlineLaunchesPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<TargetAttr> target = targetOf(module);
    if (failed(target))
      return signalPassFailure();
    LLVMTypeConverter types(&getContext());
    SmallVector<scf::ForallOp> foralls;
    for (auto function : module.getOps<func::FuncOp>()) {
      if (!function->hasAttr("weft.kernel"))
        continue;
      for (unsigned i = 0; i < function.getNumArguments(); ++i) // what the CPU announces
        function.removeArgAttr(i, "weft.experts");
      if (!function.walk([](scf::ForallOp) { return WalkResult::interrupt(); }).wasInterrupted())
        wrapInLoop(function);
      function.walk([&](scf::ForallOp op) { foralls.push_back(op); });
    }
    DeviceModule device = DeviceModule::create(module);
    for (scf::ForallOp op : foralls) {
      sinkPrologue(op);
      hoistScratch(op);
      FailureOr<ScratchPlan> scratch = ScratchPlan::of(op, sharedBytesOf(*target));
      if (failed(scratch))
        return signalPassFailure();
      LaunchConversion(op, *scratch, types, device).run();
    }
    if (failed(checkHost(module)))
      signalPassFailure();
  }
};

} // namespace
} // namespace weft
