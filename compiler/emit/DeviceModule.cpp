// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/DeviceModule.h"

#include "compiler/IsolatedModule.h"
#include "compiler/emit/GuardedCodegen.h"

#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"

#include <map>

namespace weft {
namespace {

constexpr llvm::StringLiteral kModule = "kernels", kSharedBytes = "weft.shared_bytes",
                              kScratchBytes = "weft.scratch_bytes", kScratchFunction = "weft_launch_scratch";
constexpr int kMaxThreads = 1024; ///< of a block, on every GPU

bool isKernel(mlir::LLVM::LLVMFuncOp function) {
  return function->hasAttr(mlir::NVVM::NVVMDialect::getKernelFuncAttrName());
}

/// A name that PTX and a file system take as it is.
bool isPlainName(llvm::StringRef name) {
  auto isPlain = [](char letter) { return llvm::isAlnum(letter) || letter == '_'; };
  return !name.empty() && !llvm::isDigit(name.front()) && llvm::all_of(name, isPlain);
}

/// As Triton's signatures name types; empty for what no launcher hands over. A pointer does not say to what.
std::string typeName(mlir::LLVM::LLVMFuncOp function, unsigned index) {
  mlir::Type type = function.getArgument(index).getType();
  if (llvm::isa<mlir::LLVM::LLVMPointerType>(type))
    return function.getArgAttr(index, "nvvm.grid_constant") ? "nvTmaDesc" : "*i8";
  if (type.isInteger(64) || type.isInteger(32))
    return "i" + std::to_string(type.getIntOrFloatBitWidth());
  return type.isF32() ? "fp32" : "";
}

/// The code without its name: kernels with the same text do the same.
std::string textOf(mlir::LLVM::LLVMFuncOp function) {
  mlir::LLVM::LLVMFuncOp copy = function.clone();
  copy.setSymName("kernel");
  std::string text;
  llvm::raw_string_ostream stream(text);
  copy->print(stream, mlir::OpPrintingFlags().useLocalScope());
  copy->destroy();
  return text;
}

/// Triton's launchers end every argument list with the addresses of two buffers: the launch's scratch, and one for
/// profiles, which our kernels leave alone.
void appendScratchPointers(mlir::LLVM::LLVMFuncOp kernel) {
  mlir::MLIRContext *context = kernel.getContext();
  mlir::Type pointer = mlir::LLVM::LLVMPointerType::get(context, 1);
  llvm::SmallVector<mlir::Type> types(kernel.getFunctionType().getParams());
  types.append(2, pointer);
  kernel.setFunctionType(mlir::LLVM::LLVMFunctionType::get(kernel.getFunctionType().getReturnType(), types));
  for (int added = 0; added < 2; ++added)
    kernel.getBody().addArgument(pointer, kernel.getLoc());
  if (mlir::ArrayAttr known = kernel.getArgAttrsAttr()) {
    llvm::SmallVector<mlir::Attribute> attributes(known.getValue());
    attributes.append(2, mlir::DictionaryAttr::get(context));
    kernel.setArgAttrsAttr(mlir::ArrayAttr::get(context, attributes));
  }
  mlir::Value scratch = kernel.getArgument(kernel.getNumArguments() - 2);
  kernel.walk([&](mlir::LLVM::CallOp call) {
    if (call.getCallee() != kScratchFunction)
      return;
    call.getResult().replaceAllUsesWith(scratch);
    call.erase();
  });
}

Diagnostic badKernel(mlir::LLVM::LLVMFuncOp kernel, const std::string &reason) {
  return emissionFailed(placeOf(kernel.getLoc()), "kernel '" + kernel.getSymName().str() + "' " + reason);
}

} // namespace

Result<void> DeviceModule::describe(mlir::LLVM::LLVMFuncOp kernel) {
  if (!isPlainName(kernel.getSymName()))
    return badKernel(kernel, "has a name that is not of letters, digits and _");
  auto block = kernel->getAttrOfType<mlir::DenseI32ArrayAttr>(mlir::NVVM::NVVMDialect::getReqntidAttrName());
  if (!block || block.empty() || block[0] < 1 || block[0] > kMaxThreads ||
      llvm::any_of(block.asArrayRef().drop_front(), [](int32_t extent) { return extent != 1; }))
    return badKernel(kernel, "needs nvvm.reqntid with 1 to 1024 threads along x alone");
  auto shared = kernel->getAttrOfType<mlir::IntegerAttr>(kSharedBytes);
  auto scratch = kernel->getAttrOfType<mlir::IntegerAttr>(kScratchBytes);
  int64_t bytes = shared ? shared.getInt() : 0, scratchBytes = scratch ? scratch.getInt() : 0;
  if (bytes < 0 || bytes > INT32_MAX)
    return badKernel(kernel, "has a size of shared memory that is none");
  if (scratchBytes < 0 || scratchBytes > INT32_MAX)
    return badKernel(kernel, "wants more scratch for a block than 2 GiB");
  std::vector<std::string> parameters;
  for (unsigned index = 0; index < kernel.getNumArguments(); ++index) {
    parameters.push_back(typeName(kernel, index));
    if (parameters.back().empty())
      return badKernel(kernel, "has a parameter that is no pointer, i32, i64 or f32");
  }
  descriptions.push_back({kernel.getSymName().str(), placeOf(kernel.getLoc()), std::nullopt, block[0],
                          static_cast<int32_t>(bytes), static_cast<int32_t>(scratchBytes), std::move(parameters)});
  return {};
}

Result<DeviceModule> DeviceModule::take(mlir::ModuleOp module, const Target &target) {
  auto kernels = module.lookupSymbol<mlir::gpu::GPUModuleOp>(kModule);
  if (!kernels)
    return emissionFailed(target.isa, "the phases made no gpu.module @kernels");
  DeviceModule device;
  device.module = mlir::ModuleOp::create(kernels.getLoc());
  for (mlir::Operation &op : *kernels.getBody())
    device.module->push_back(op.clone());
  std::map<std::string, size_t> seen; // text -> position
  for (auto function : llvm::make_early_inc_range(device.module->getOps<mlir::LLVM::LLVMFuncOp>())) {
    if (!isKernel(function))
      continue;
    if (Result<void> described = device.describe(function); !described)
      return described.takeError();
    auto [first, isNew] = seen.emplace(textOf(function), device.descriptions.size() - 1);
    if (isNew) {
      appendScratchPointers(function);
    } else {
      device.descriptions.back().sameAs = first->second;
      function->erase();
    }
  }
  return device;
}

Result<void> DeviceModule::expandAssembly() {
  mlir::PassManager passes(module->getContext(), mlir::ModuleOp::getOperationName());
  passes.addPass(mlir::createConvertNVVMToLLVMPass());
  if (mlir::failed(passes.run(*module)))
    return emissionFailed("nvvm", "an operation of the device's module has no inline assembly");
  return {};
}

} // namespace weft
