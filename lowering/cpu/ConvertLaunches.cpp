// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// gpu.launch_func → a call of the runtime's launch:
//   services->launch(call, number of the kernel, grid, pointers to the arguments)
// The result is not looked at: after a failure the runtime launches nothing more, and fails the whole call.
#include "lowering/cpu/Passes.h"

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
    Value call = launch->getParentOfType<func::FuncOp>().getArgument(0);
    Value services = loadAt(call, offsetof(weft_abi_call, services));
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

  /// A place of the frame for each argument, and the array of their addresses.
  Value emitArguments() {
    Block &top = launch->getParentOfType<func::FuncOp>().front();
    OpBuilder frame = OpBuilder::atBlockBegin(&top);
    auto place = [&](Type type, int64_t count) -> Value {
      Value number = LLVM::ConstantOp::create(frame, loc, b.getI64Type(), count);
      return LLVM::AllocaOp::create(frame, loc, pointer(), type, number, 8);
    };
    OperandRange values = launch.getKernelOperands();
    Value array = place(pointer(), values.size());
    for (auto [i, value] : llvm::enumerate(values)) {
      Value slot = place(value.getType(), 1);
      LLVM::StoreOp::create(b, loc, value, slot);
      Value element =
          LLVM::GEPOp::create(b, loc, pointer(), pointer(), array, ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
      LLVM::StoreOp::create(b, loc, slot, element);
    }
    return array;
  }

  gpu::LaunchFuncOp launch;
  int64_t kernel;
  Location loc;
  OpBuilder b;
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
