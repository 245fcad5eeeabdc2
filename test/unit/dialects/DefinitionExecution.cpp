// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/dialects/DefinitionExecution.h"

#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "llvm/Support/TargetSelect.h"

#include <functional>
#include <numeric>

using namespace mlir;

namespace weft::test {

static constexpr const char *kLowering =
    "convert-linalg-to-loops,canonicalize,lower-affine,convert-scf-to-cf,expand-strided-metadata,lower-affine,"
    "convert-math-to-libm,finalize-memref-to-llvm,convert-func-to-llvm,convert-cf-to-llvm,convert-arith-to-llvm,"
    "convert-index-to-llvm,reconcile-unrealized-casts";

Argument::Argument(void *data, const std::vector<int64_t> &extents) {
  auto address = reinterpret_cast<int64_t>(data);
  words = {address, address, /*offset=*/0};
  words.insert(words.end(), extents.begin(), extents.end());
  for (auto dim = extents.begin(); dim != extents.end(); ++dim)
    words.push_back(std::accumulate(dim + 1, extents.end(), int64_t(1), std::multiplies<>()));
}

static LogicalResult tileAll(ModuleOp module, const std::vector<int64_t> &sizes) {
  llvm::SmallVector<DecomposableOpInterface> ops;
  module.walk([&](DecomposableOpInterface op) { ops.push_back(op); });
  IRRewriter rewriter(module.getContext());
  scf::SCFTilingOptions options;
  options.setTileSizes(getAsIndexOpFoldResult(module.getContext(), sizes));
  for (DecomposableOpInterface op : ops) {
    rewriter.setInsertionPoint(op);
    FailureOr<scf::SCFTilingResult> tiled = scf::tileUsingSCF(rewriter, cast<TilingInterface>(*op), options);
    if (failed(tiled))
      return failure();
    rewriter.replaceOp(op, tiled->replacements);
  }
  return success();
}

static void decomposeAll(ModuleOp module) {
  llvm::SmallVector<DecomposableOpInterface> ops;
  module.walk([&](DecomposableOpInterface op) { ops.push_back(op); });
  for (DecomposableOpInterface op : ops) {
    OpBuilder builder(op);
    op->replaceAllUsesWith(*op.decompose(builder));
    op->erase();
  }
}

static LogicalResult runPasses(ModuleOp module, llvm::StringRef pipeline) {
  PassManager passes(module.getContext());
  return failed(parsePassPipeline(pipeline, passes)) ? failure() : passes.run(module);
}

/// Copies as loops: otherwise those of strided buffers call a runner's library.
static void expandCopies(ModuleOp module) {
  llvm::SmallVector<memref::CopyOp> copies;
  module.walk([&](memref::CopyOp op) { copies.push_back(op); });
  for (memref::CopyOp op : copies) {
    OpBuilder builder(op);
    linalg::makeMemRefCopyOp(builder, op.getLoc(), op.getSource(), op.getTarget());
    op.erase();
  }
}

static LogicalResult lower(ModuleOp module) {
  decomposeAll(module);
  if (failed(runPasses(module, "one-shot-bufferize,convert-bufferization-to-memref")))
    return failure();
  expandCopies(module);
  return runPasses(module, kLowering);
}

std::unique_ptr<DefinitionProgram> DefinitionProgram::compile(const std::string &text,
                                                              const std::vector<int64_t> &tileSizes) {
  static bool once = [] {
    registerAllPasses();
    llvm::InitializeNativeTarget();
    return llvm::InitializeNativeTargetAsmPrinter();
  }();
  (void)once;
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllToLLVMIRTranslations(registry);
  registry.insert<WeftDialect>();
  auto program = std::make_unique<DefinitionProgram>();
  program->context = std::make_unique<MLIRContext>(registry);

  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, program->context.get());
  if (!module || (!tileSizes.empty() && failed(tileAll(*module, tileSizes))) || failed(lower(*module)))
    return nullptr;
  llvm::Expected<std::unique_ptr<ExecutionEngine>> engine = ExecutionEngine::create(*module);
  if (!engine) {
    llvm::errs() << llvm::toString(engine.takeError()) << "\n";
    return nullptr;
  }
  program->engine = std::move(*engine);
  return program;
}

bool DefinitionProgram::run(std::vector<Argument> arguments) {
  std::vector<void *> descriptors, packed;
  for (Argument &argument : arguments)
    descriptors.push_back(argument.descriptor());
  for (void *&descriptor : descriptors)
    packed.push_back(&descriptor);
  return !engine->invokePacked("_mlir_ciface_run", packed);
}

std::vector<float> randomValues(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(generator);
  return values;
}

} // namespace weft::test
