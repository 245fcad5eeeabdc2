// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/builder/GraphBuilder.h"

#include "dialects/weft/RecurrenceOps.h"
#include "dialects/weft/SequenceOps.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using mlir::Value;
using testing::HasSubstr;

/// Weights that exist in the shapes given here.
class ListedParameters : public ParameterSource {
public:
  std::optional<StoredTensor> find(std::string_view name) const override {
    auto found = tensors.find(std::string(name));
    return found == tensors.end() ? std::nullopt : std::optional(found->second);
  }
  std::string place() const override { return "weights"; }

  std::map<std::string, StoredTensor> tensors;
};

class Builder : public testing::Test {
protected:
  Builder() : graph(context, parameters, "test") {
    parameters.tensors = {{"table", {"table", "F32", {10, 6}}},
                          {"dense.weight", {"model.dense.weight", "F16", {4, 6}}},
                          {"dense.bias", {"model.dense.bias", "BF16", {4}}},
                          {"norm.weight", {"norm.weight", "F32", {6}}},
                          {"conv.weight", {"conv.weight", "F32", {6, 1, 4}}},
                          {"counts", {"counts", "I64", {6}}}};
    graph.bound("batch", 1, 8);
    graph.bound("sequence", 1, 16);
    graph.beginEntry("encode", {{"ids", {"batch", "sequence"}, 10}, {"mask", {"batch", "sequence"}, 2, 1}});
  }

  Value rows() { return graph.embedding(graph.tokenIds("ids"), graph.parameter("table", {10, 6})); }

  /// The module after an output of `value`.
  mlir::OwningOpRef<mlir::ModuleOp> finish(Value value, std::vector<std::string> dims) {
    graph.output("result", value, std::move(dims));
    graph.endEntry();
    auto module = graph.finish();
    EXPECT_TRUE(module) << (module ? "" : module.error().format());
    return module ? std::move(*module) : mlir::OwningOpRef<mlir::ModuleOp>();
  }

  template <class Op> std::vector<Op> opsOf(mlir::ModuleOp module) {
    std::vector<Op> result;
    module.walk([&](Op op) { result.push_back(op); });
    return result;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  ListedParameters parameters;
  GraphBuilder graph;
};

TEST_F(Builder, DescribesTheEntry) {
  auto module = finish(graph.splitTokens(rows()), {"batch", "sequence", ""});
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  EXPECT_THAT(text, HasSubstr("weft.dim_bounds = {batch = array<i64: 1, 8>, sequence = array<i64: 1, 16>}"));
  EXPECT_THAT(text, HasSubstr(R"({weft.default = 1 : i64, weft.dims = ["batch", "sequence"])"));
  EXPECT_THAT(text, HasSubstr(R"(tensor<?x?x6xf32> {weft.dims = ["batch", "sequence", ""], weft.name = "result"})"));
}

TEST_F(Builder, JoinsPartsOfACommonWidth) {
  Value x = rows(), part = graph.lastSlice(x, 0, 2);
  auto module = finish(graph.splitTokens(graph.joinLast({part, x})), {"batch", "sequence", ""});
  ASSERT_TRUE(module);
  EXPECT_EQ(opsOf<mlir::tensor::InsertSliceOp>(*module).size(), 2u);
  EXPECT_EQ(opsOf<mlir::tensor::InsertSliceOp>(*module).back().getType().getShape().back(), 8);
}

TEST_F(Builder, PartsOfNoCommonWidth) {
  parameters.tensors["long"] = {"long", "F32", {10, 17}};
  Value wide = graph.embedding(graph.tokenIds("ids"), graph.parameter("long", {10, 17}));
  graph.output("result", graph.splitTokens(graph.joinLast({rows(), wide})), {"batch", "sequence", ""});
  graph.endEntry();
  auto module = graph.finish();
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().code, "W0206");
  EXPECT_THAT(module.error().message, HasSubstr("vectors of 6, 17 elements"));
  EXPECT_EQ(module.error().place, "weights");
  EXPECT_THAT(module.error().help, HasSubstr("greatest common divisor"));
}

TEST_F(Builder, AsksEachInputForItsExtentsOnce) {
  Value x = graph.add(rows(), rows());
  auto module = finish(graph.splitTokens(graph.activate(x, Activation::Silu)), {"batch", "sequence", ""});
  EXPECT_EQ(opsOf<mlir::tensor::DimOp>(*module).size(), 2u);
}

TEST_F(Builder, GivesOneValueForOneParameter) {
  auto module = finish(graph.add(graph.linear(rows(), "dense", 4), graph.linear(rows(), "dense", 4)), {"", ""});
  EXPECT_EQ(opsOf<ParameterOp>(*module).size(), 3u);
}

TEST_F(Builder, NamesTheStoredTensorWhereItDiffers) {
  auto module = finish(graph.linear(rows(), "dense", 4), {"", ""});
  for (ParameterOp parameter : opsOf<ParameterOp>(*module))
    EXPECT_EQ(parameter.getSources().has_value(), parameter.getName() != "table") << parameter.getName().str();
}

TEST_F(Builder, LocatesOpsByLayer) {
  auto module = finish(graph.linear(rows(), "dense", 4), {"", ""});
  mlir::Location location = opsOf<mlir::linalg::MatmulOp>(*module).front().getLoc();
  EXPECT_EQ(mlir::cast<mlir::NameLoc>(location).getName(), "dense");
}

TEST_F(Builder, LeavesOutABiasThatALayerLacks) {
  auto module = finish(graph.layerNorm(rows(), "norm", 1e-5, /*hasBias=*/false), {"", ""});
  EXPECT_FALSE(opsOf<LayerNormOp>(*module).front().getBias());
}

TEST_F(Builder, KeepsStaticExtentsOfViews) {
  Value heads = graph.splitHeads(rows(), 3);
  EXPECT_EQ(mlir::cast<mlir::RankedTensorType>(heads.getType()).getShape().take_back(2),
            llvm::ArrayRef<int64_t>({3, 2}));
  EXPECT_EQ(graph.mergeHeads(heads).getType(), rows().getType());
  finish(graph.firstToken(rows()), {"batch", ""});
}

TEST_F(Builder, PutsMasksIntoTheRegion) {
  Value heads = graph.splitHeads(rows(), 3);
  AttentionSpec spec{.name = "attention", .query = heads, .key = heads, .value = heads};
  spec.paddingMask = graph.input("mask");
  spec.reach = 2;
  auto module = finish(graph.mergeHeads(graph.attention(spec)), {"", ""});
  AttentionOp op = opsOf<AttentionOp>(*module).front();
  EXPECT_TRUE(op.getScore().empty());
  EXPECT_EQ(op.getMask().front().getNumArguments(), 5u);
  EXPECT_EQ(op.getExtras().size(), 1u);
}

TEST_F(Builder, SeesAllKeysWithoutMasks) {
  Value heads = graph.splitHeads(rows(), 3);
  AttentionSpec spec{.name = "attention", .query = heads, .key = heads, .value = heads};
  auto module = finish(graph.mergeHeads(graph.attention(spec)), {"", ""});
  EXPECT_TRUE(opsOf<AttentionOp>(*module).front().getMask().empty());
}

TEST_F(Builder, GivesNoScaleToANormWithoutAName) {
  auto module = finish(graph.rmsNorm(graph.rmsNorm(rows(), "norm", 1e-5), "", 1e-6), {"", ""});
  std::vector<RmsNormOp> norms = opsOf<RmsNormOp>(*module);
  EXPECT_TRUE(norms[0].getScale());
  EXPECT_FALSE(norms[1].getScale());
}

/// An entry whose dimension `sequence` is 1, with a state of its convolution.
class StatefulBuilder : public Builder {
protected:
  StatefulBuilder() {
    graph.endEntry();
    graph.beginEntry("decode", {{"ids", {"batch", "sequence"}, 10}}, {{"memory", {"batch", "", ""}, {0, 3, 6}}},
                     {{"sequence", 1}});
  }

  CausalConvSpec convolution() {
    return {.name = "conv", .x = graph.splitTokens(rows()), .hasBias = false, .state = "memory"};
  }
};

TEST_F(StatefulBuilder, FixesADimensionForOneEntry) {
  Value x = graph.splitTokens(rows());
  EXPECT_EQ(mlir::cast<mlir::RankedTensorType>(x.getType()).getDimSize(1), 1);
  auto module = finish(x, {"batch", "sequence", ""});
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  EXPECT_THAT(text, HasSubstr(R"(tensor<?x1xi64> {weft.dims = ["batch", ""])"));
  EXPECT_THAT(text, HasSubstr(R"(tensor<?x1x6xf32> {weft.dims = ["batch", "", ""], weft.name = "result"})"));
}

TEST_F(StatefulBuilder, GivesTheStateOnAsAResult) {
  Value y = graph.causalConv(convolution());
  EXPECT_EQ(graph.state("memory").getDefiningOp(), y.getDefiningOp());
  auto module = finish(y, {"batch", "sequence", ""});
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  EXPECT_THAT(text,
              HasSubstr(R"(tensor<?x3x6xf32> {weft.dims = ["batch", "", ""], weft.name = "memory", weft.state}))"));
  EXPECT_THAT(
      text, HasSubstr(R"(tensor<?x3x6xf32> {weft.dims = ["batch", "", ""], weft.name = "memory", weft.state}) attr)"));
}

TEST_F(StatefulBuilder, StartsAtZeroWithoutTheState) {
  CausalConvSpec spec = convolution();
  spec.state = "another";
  auto module = finish(graph.causalConv(spec), {"batch", "sequence", ""});
  EXPECT_FALSE(opsOf<CausalConvOp>(*module).front().getState());
}

TEST_F(Builder, IndexesARecurrenceByLetters) {
  Value x = graph.splitLast(graph.splitTokens(rows()), 2), key = graph.lastSlice(graph.splitTokens(rows()), 0, 1);
  RecurrenceSpec spec;
  spec.name = "scan";
  spec.inputs = {{x, "bthe"}, {key, "btg"}};
  spec.headsPerGroup = 2;
  spec.step = [](mlir::OpBuilder &, mlir::Location, mlir::ValueRange in) {
    return RecurrenceStep{.key = in[1], .value = in[0]};
  };
  Value y = graph.recurrence(spec);
  EXPECT_EQ(y.getType(), x.getType());
  auto module = finish(graph.mergeLast(y), {"batch", "sequence", ""});
  RecurrenceOp op = opsOf<RecurrenceOp>(*module).front();
  mlir::MLIRContext *builderContext = op.getContext();
  mlir::AffineExpr b = mlir::getAffineDimExpr(0, builderContext), h = mlir::getAffineDimExpr(1, builderContext),
                   t = mlir::getAffineDimExpr(2, builderContext);
  EXPECT_EQ(op.getIndexingMap(1), mlir::AffineMap::get(5, 0, {b, t, h.floorDiv(2)}, builderContext));
  EXPECT_TRUE(op.getOutput().empty());
}

TEST_F(Builder, GivesBothPartsOfAComplexRecurrence) {
  Value x = graph.splitTokens(rows()), angles = graph.constant({1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f});
  RecurrenceSpec spec;
  spec.name = "scan";
  spec.inputs = {{x, "bte"}, {angles, "e"}};
  spec.outputDims = "bte";
  spec.reverse = true;
  spec.step = [](mlir::OpBuilder &, mlir::Location, mlir::ValueRange in) {
    return RecurrenceStep{.value = in[0], .decay = in[1], .imaginary = {.decay = in[1]}};
  };
  spec.outputs = [](mlir::OpBuilder &, mlir::Location, mlir::ValueRange in) {
    return llvm::SmallVector<Value>{in[0], in[1]};
  };
  spec.outputCount = 2;
  llvm::SmallVector<Value> parts = graph.recurrences(spec);
  ASSERT_EQ(parts.size(), 2u);
  auto module = finish(graph.add(parts[0], parts[1]), {"batch", "sequence", ""});
  RecurrenceOp op = opsOf<RecurrenceOp>(*module).front();
  EXPECT_TRUE(op.isComplex());
  EXPECT_TRUE(op.getReverse());
  EXPECT_EQ(op.getOutput().getNumArguments(), 4u);
}

TEST_F(Builder, ConvolvesWithAWeightThatIsComputed) {
  CausalConvSpec spec{.name = "conv", .x = graph.splitTokens(rows()), .reverse = true};
  spec.weight = graph.activate(graph.mergeLast(graph.parameter("conv.weight", {6, 1, 4})), Activation::Tanh);
  auto module = finish(graph.causalConv(spec), {"batch", "sequence", ""});
  CausalConvOp op = opsOf<CausalConvOp>(*module).front();
  EXPECT_TRUE(op.getReverse());
  EXPECT_FALSE(op.getBias());
  EXPECT_TRUE(op.getWeight().getDefiningOp<mlir::linalg::GenericOp>());
}

TEST_F(Builder, NormalisesToALength) {
  auto module = finish(graph.l2Norm(rows(), 6e-6), {"", ""});
  RmsNormOp norm = opsOf<RmsNormOp>(*module).front();
  EXPECT_FALSE(norm.getScale());
  EXPECT_FLOAT_EQ(norm.getEpsilon().convertToFloat(), 1e-6f); // of the mean of six squares
}

TEST_F(Builder, ReportsTheFirstWeightThatIsWrong) {
  graph.parameter("dense.weight", {4, 7});
  graph.parameter("missing", {1});
  EXPECT_TRUE(graph.failed());
  graph.endEntry();
  Diagnostic error = graph.finish().takeError();
  EXPECT_EQ(error.code, "W0211");
  EXPECT_THAT(error.message, HasSubstr("[4, 6], but config.json asks for [4, 7]"));
  EXPECT_THAT(error.place, HasSubstr("model.dense.weight"));
}

TEST_F(Builder, ReportsAWeightThatIsMissing) {
  graph.parameter("missing", {1});
  graph.endEntry();
  EXPECT_EQ(graph.finish().takeError().code, "W0210");
}

TEST_F(Builder, ReportsAWeightOfIntegers) {
  graph.parameter("counts", {6});
  graph.endEntry();
  EXPECT_EQ(graph.finish().takeError().code, "W0212");
}

} // namespace
} // namespace weft
