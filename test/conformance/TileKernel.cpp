// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/conformance/TileKernel.h"

#include "compiler/RegisterAll.h"
#include "compiler/emit/PtxEmitter.h"
#include "lowering/cpu/Passes.h"
#include "lowering/nvptx/Passes.h"
#include "test/conformance/CompiledModule.h"
#include "tools/ptxsim/Module.h"
#include "tools/ptxsim/async/TensorMap.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <fstream>
#include <sstream>

namespace weft::test {

static Kernel compile(const std::string &text, const std::string &target) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module)
    return {};
  mlir::PassManager passes(&context);
  passes.addPass(createPlaceBuffers());
  passes.addPass(createConvertTileOps());
  buildCpuPhase(passes);
  if (mlir::failed(passes.run(*module)))
    return {};
  Result<std::vector<Kernel>> kernels = emitKernels(*module, *findTarget(target));
  EXPECT_TRUE(kernels) << kernels.error().format();
  return kernels ? kernels->front() : Kernel{};
}

TileKernel::TileKernel(const std::string &file, const std::string &target,
                       std::initializer_list<std::pair<std::string, std::string>> values) {
  std::ifstream stream(std::string(WEFT_TEST_SOURCE_DIR) + "/" + file);
  std::stringstream text;
  text << stream.rdbuf();
  Kernel kernel = compile(replaced(text.str(), values), target);
  auto parsed = ptxsim::Module::parse(kernel.ptx);
  if (auto *fault = std::get_if<ptxsim::Fault>(&parsed)) {
    ADD_FAILURE() << file << ": " << fault->text(kernel.name + ".ptx");
    return;
  }
  module = std::get<std::shared_ptr<ptxsim::Module>>(parsed);
  device.load(module);
  name = kernel.name;
  threads = static_cast<uint32_t>(kernel.threads);
  sharedBytes = static_cast<uint32_t>(kernel.sharedBytes);
}

std::array<std::byte, 128> TileKernel::tensorMap(uint64_t address, const std::vector<uint32_t> &extents,
                                                 const std::vector<uint16_t> &box) {
  ptxsim::TensorMap map = {};
  map.address = address;
  map.rankMinusOne = static_cast<uint8_t>(extents.size() - 1);
  map.element = ptxsim::TensorElement::BF16;
  map.swizzle = ptxsim::TensorSwizzle::Bytes128;
  uint64_t stride = 2;
  for (size_t dimension = 0; dimension < extents.size(); ++dimension) {
    if (dimension)
      map.strides[dimension - 1] = stride;
    stride *= extents[dimension];
    map.sizes[dimension] = extents[dimension];
    map.box[dimension] = box[dimension];
    map.elementStrides[dimension] = 1;
  }
  EXPECT_EQ(map.problem(), "");
  std::array<std::byte, 128> bytes;
  std::memcpy(bytes.data(), &map, sizeof map);
  return bytes;
}

void TileKernel::launch(std::array<uint32_t, 3> grid, Arguments arguments) {
  if (!module)
    return;
  arguments.add(uint64_t(0)).add(uint64_t(0)); // the two scratch pointers
  ptxsim::Launch launch;
  launch.module = module.get();
  launch.function = module->functions.at(name).get();
  launch.grid = grid;
  launch.block = {threads, 1, 1};
  launch.dynamicShared = sharedBytes;
  launch.parameters = std::move(arguments.bytes);
  launch.parameters.resize(launch.function->parameterBytes);
  std::optional<ptxsim::Fault> fault = device.launch(launch);
  EXPECT_FALSE(fault) << fault->text(name + ".ptx");
}

} // namespace weft::test
