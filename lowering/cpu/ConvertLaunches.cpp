// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// gpu.launch_func → a call of the runtime's launch:
//   services->launch(call, number of the kernel, grid, pointers to the arguments)
// before which the runtime encodes the tensor maps among the arguments: services->encode_tensor_map(call, described,
// map) The result is not looked at: after a failure the runtime launches nothing more, and fails the whole call.
#include "lowering/cpu/Passes.h"

#include "lowering/analysis/LaunchTensorMap.h"
#include "runtime/include/weft/abi.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/SymbolTable.h"

#include <cstddef>

namespace weft {
#define GEN_PASS_DEF_CONVERTLAUNCHES
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

class LaunchCall {
public:
  LaunchCall(gpu::LaunchFuncOp launch, int64_t kernel)
      : launch(launch), kernel(kernel), loc(launch.getLoc()), b(launch) {}

  void run() {
    call = launch->getParentOfType<func::FuncOp>().getArgument(0);
    services = loadAt(call, offsetof(weft_abi_call, services));
    Value function = loadAt(services, offsetof(weft_abi_services, launch));
    gpu::KernelDim3 grid = launch.getGridSizeOperandValues();
    SmallVector<Value> operands = {function, call, constant(kernel, 32)};
    for (Value extent : {grid.x, grid.y, grid.z})
      operands.push_back(arith::IndexCastOp::create(b, loc, b.getI64Type(), extent));
    operands.push_back(emitArguments());
    Type i32 = b.getI32Type(), i64 = b.getI64Type();
    auto type = LLVM::LLVMFunctionType::get(i32, {pointer(), i32, i64, i64, i64, pointer()});
    LLVM::CallOp::create(b, loc, type, operands);
    launch.erase();
  }

private:
  Type pointer() { return LLVM::LLVMPointerType::get(b.getContext()); }

  Value constant(int64_t value, unsigned width) { return arith::ConstantIntOp::create(b, loc, value, width); }

  Value loadAt(Value base, int64_t bytes) {
    Value place = LLVM::GEPOp::create(b, loc, pointer(), b.getI8Type(), base,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
    return LLVM::LoadOp::create(b, loc, pointer(), place);
  }

  Value place(Type type, int64_t count, int64_t alignment = 8) {
    Block &top = launch->getParentOfType<func::FuncOp>().front();
    OpBuilder frame = OpBuilder::atBlockBegin(&top);
    Value number = LLVM::ConstantOp::create(frame, loc, b.getI64Type(), count);
    return LLVM::AllocaOp::create(frame, loc, pointer(), type, number, alignment);
  }

  void storeAt(Value base, int64_t bytes, Value value) {
    Value target = LLVM::GEPOp::create(b, loc, pointer(), b.getI8Type(), base,
                                       ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
    LLVM::StoreOp::create(b, loc, value, target);
  }

  /// A place of the frame for each argument, and the array of their addresses.
  Value emitArguments() {
    SmallVector<LaunchTensorMap> maps;
    if (auto described = launch->getAttrOfType<ArrayAttr>(kTensorMapsAttribute))
      maps = llvm::map_to_vector(described, [](Attribute one) { return LaunchTensorMap::of(one); });
    ValueRange values = launch.getKernelOperands(), ofMaps = values;
    for (const LaunchTensorMap &map : maps)
      values = values.drop_back(map.operands());
    ofMaps = ofMaps.drop_front(values.size());
    SmallVector<Value> slots;
    for (Value value : values) {
      slots.push_back(place(value.getType(), 1));
      LLVM::StoreOp::create(b, loc, value, slots.back());
    }
    for (const LaunchTensorMap &map : maps) {
      slots.push_back(encode(map, ofMaps.take_front(map.operands())));
      ofMaps = ofMaps.drop_front(map.operands());
    }
    Value array = place(pointer(), slots.size());
    for (auto [i, slot] : llvm::enumerate(slots))
      storeAt(array, i * sizeof(void *), slot);
    return array;
  }

  /// The runtime's service writes the map to a place of the frame.
  Value encode(const LaunchTensorMap &map, ValueRange operands) {
    constexpr int64_t kAlignment = 64;
    using Described = weft_abi_tensor_map;
    Value described = place(b.getI8Type(), sizeof(Described)),
          made = place(b.getI8Type(), WEFT_ABI_TENSOR_MAP_BYTES, kAlignment);
    Value address = LLVM::AddrSpaceCastOp::create(b, loc, pointer(), operands.front());
    storeAt(described, offsetof(Described, address), address);
    storeAt(described, offsetof(Described, dtype), constant(map.dtype, 32));
    storeAt(described, offsetof(Described, rank), constant(map.rank(), 32));
    storeAt(described, offsetof(Described, swizzle), constant(map.swizzle, 32));
    for (int64_t d = 0; d < map.rank(); ++d) {
      storeAt(described, offsetof(Described, extents) + d * sizeof(int64_t), operands[1 + d]);
      storeAt(described, offsetof(Described, strides) + d * sizeof(int64_t), operands[1 + map.rank() + d]);
      storeAt(described, offsetof(Described, box) + d * sizeof(int32_t), constant(map.box[d], 32));
    }
    Value service = loadAt(services, offsetof(weft_abi_services, encode_tensor_map));
    auto type = LLVM::LLVMFunctionType::get(b.getI32Type(), {pointer(), pointer(), pointer()});
    LLVM::CallOp::create(b, loc, type, ValueRange{service, call, described, made});
    return made;
  }

  gpu::LaunchFuncOp launch;
  int64_t kernel;
  Location loc;
  OpBuilder b;
  Value call, services;
};

struct ConvertLaunchesPass : impl::ConvertLaunchesBase<ConvertLaunchesPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    // A kernel's number is its place in the device module, as in the descriptor's table.
    DenseMap<SymbolRefAttr, int64_t> numbers;
    for (auto device : module.getOps<gpu::GPUModuleOp>())
      for (auto kernel : device.getOps<func::FuncOp>())
        numbers.insert({SymbolRefAttr::get(device.getSymNameAttr(), {SymbolRefAttr::get(kernel.getSymNameAttr())}),
                        static_cast<int64_t>(numbers.size())});
    SmallVector<gpu::LaunchFuncOp> launches;
    module.walk([&](gpu::LaunchFuncOp op) { launches.push_back(op); });
    for (gpu::LaunchFuncOp op : launches)
      LaunchCall(op, numbers.lookup(op.getKernel())).run();
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  }
};

} // namespace
} // namespace weft
