// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/Descriptor.h"

#include "runtime/include/weft/abi.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

namespace weft {
namespace {

/// Makes constants whose members have the types, and so the offsets, of the structs of abi.h.
class DescriptorBuilder {
public:
  DescriptorBuilder(llvm::Module &module, const std::vector<const Target *> &targets)
      : module(module), context(module.getContext()), pointer(llvm::PointerType::get(context, 0)), targets(targets) {}

  void build(const ModelDescription &model, const std::vector<Kernel> &kernels) {
    std::vector<llvm::Constant *> entries, parameters, states, stateDims, kernelRecords;
    for (const EntryDescription &entry : model.entries)
      entries.push_back(buildEntry(entry));
    for (const ParameterDescription &parameter : model.parameters)
      parameters.push_back(record(
          {string(parameter.name), int32(parameter.dtype), int32(parameter.shape.size()), integers(parameter.shape)}));
    for (const StateDescription &state : model.states)
      states.push_back(record({string(state.name), int32(state.dtype), int32(state.shape.size()), integers(state.shape),
                               int64(state.indexLimit), nameOrNull(state.fills), nameOrNull(state.fillsBy)}));
    for (const std::string &dim : model.stateDims)
      stateDims.push_back(string(dim));
    for (const Kernel &kernel : kernels)
      kernelRecords.push_back(
          record({string(kernel.name), string(kernel.target), int32(kernel.threads), int32(kernel.sharedBytes),
                  int32(kernel.parameters.size()), int32(kernel.scratchBytes)}));
    llvm::Constant *value =
        record({int32(WEFT_ABI_MAGIC), int16(WEFT_ABI_MAJOR), int16(WEFT_ABI_MINOR), string(compilerVersion()),
                string(model.name), int32(entries.size()), int32(parameters.size()), array(entries), array(parameters),
                array(states), array(stateDims), int32(states.size()), int32(stateDims.size()), array(kernelRecords),
                int32(kernelRecords.size()), int32(0)});
    auto *global = new llvm::GlobalVariable(module, value->getType(), true, llvm::GlobalValue::ExternalLinkage, value,
                                            WEFT_ABI_DESCRIPTOR_SYMBOL);
    global->setAlignment(llvm::Align(8));
  }

private:
  llvm::Constant *buildEntry(const EntryDescription &entry) {
    std::vector<llvm::Constant *> dims, variants, states;
    for (const DimDescription &dim : entry.dims)
      dims.push_back(record({string(dim.name), int64(dim.min), int64(dim.max)}));
    for (const Target *target : targets)
      variants.push_back(record({string(target->isa), int64(target->requiredFeatures),
                                 function(variantSymbol(entry.name, "run", *target)),
                                 function(variantSymbol(entry.name, "arena", *target)),
                                 int32(target->isGpu() ? WEFT_DEVICE_CUDA : WEFT_DEVICE_CPU), int32(target->capability),
                                 int32(target->capabilityOnly), int32(0)}));
    for (int32_t state : entry.states)
      states.push_back(int32(state));
    return record({string(entry.name), int32(dims.size()), int32(entry.inputs.size()), int32(entry.outputs.size()),
                   int32(variants.size()), array(dims), tensors(entry.inputs), tensors(entry.outputs), array(variants),
                   array(states), int32(states.size()), int32(0)});
  }

  llvm::Constant *tensors(const std::vector<TensorDescription> &descriptions) {
    std::vector<llvm::Constant *> items;
    items.reserve(descriptions.size());
    for (const TensorDescription &tensor : descriptions)
      items.push_back(record({string(tensor.name), int32(tensor.dtype), int32(tensor.shape.size()),
                              integers(tensor.shape), int64(tensor.indexLimit), int32(tensor.defaultValue ? 1 : 0),
                              int32(0), int64(tensor.defaultValue.value_or(0))}));
    return array(items);
  }

  llvm::Constant *int16(uint16_t value) { return llvm::ConstantInt::get(llvm::Type::getInt16Ty(context), value); }
  llvm::Constant *int32(uint32_t value) { return llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), value); }
  llvm::Constant *int64(uint64_t value) { return llvm::ConstantInt::get(llvm::Type::getInt64Ty(context), value); }
  llvm::Constant *string(llvm::StringRef text) { return place(llvm::ConstantDataArray::getString(context, text)); }
  llvm::Constant *nameOrNull(llvm::StringRef text) {
    return text.empty() ? llvm::ConstantPointerNull::get(pointer) : string(text);
  }
  llvm::Constant *integers(const std::vector<int64_t> &values) {
    std::vector<uint64_t> bits(values.begin(), values.end());
    return values.empty() ? null() : place(llvm::ConstantDataArray::get(context, bits));
  }
  llvm::Constant *record(llvm::ArrayRef<llvm::Constant *> members) {
    return llvm::ConstantStruct::getAnon(context, members);
  }
  llvm::Constant *array(const std::vector<llvm::Constant *> &items) {
    if (items.empty())
      return null();
    return place(llvm::ConstantArray::get(llvm::ArrayType::get(items.front()->getType(), items.size()), items));
  }
  llvm::Constant *null() { return llvm::ConstantPointerNull::get(pointer); }

  llvm::Constant *function(const std::string &symbol) {
    auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), false);
    auto callee = module.getOrInsertFunction(symbol, type);
    auto *declared = llvm::cast<llvm::Function>(callee.getCallee());
    declared->setVisibility(llvm::GlobalValue::HiddenVisibility);
    return declared;
  }

  /// A pointer to a private global with this value.
  llvm::Constant *place(llvm::Constant *value) {
    auto *global =
        new llvm::GlobalVariable(module, value->getType(), true, llvm::GlobalValue::PrivateLinkage, value, "d");
    global->setAlignment(llvm::Align(8));
    return global;
  }

  llvm::Module &module;
  llvm::LLVMContext &context;
  llvm::PointerType *pointer;
  const std::vector<const Target *> &targets;
};

} // namespace

Result<Object> emitDescriptor(const ModelDescription &model, const std::vector<const Target *> &targets,
                              const std::vector<Kernel> &kernels) {
  llvm::LLVMContext context;
  llvm::Module module("descriptor", context);
  DescriptorBuilder(module, targets).build(model, kernels);
  return emitData(module, "descriptor");
}

} // namespace weft
