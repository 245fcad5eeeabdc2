// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of hybrids, and the model around them.
#include "frontends/hf/arch/Hybrid.h"

#include "frontends/builder/Scalars.h"
#include "frontends/hf/RotaryFields.h"
#include "frontends/hf/arch/PostNorm.h"

using namespace mlir;

namespace weft {

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

Part mambaPart(const MambaSizes &sizes, const std::string &name) {
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &in) {
            return buildMamba(graph, sizes, name, x, in.starts);
          },
          mambaStates(sizes, name)};
}

Part mamba2Part(const Mamba2Sizes &sizes, const std::string &name) {
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &in) {
            return buildMamba2(graph, sizes, name, x, in.starts);
          },
          mamba2States(sizes, name)};
}

Part attentionPart(const CausalAttention &layer) {
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &in) { return layer.build(graph, x, in.positions); },
          layer.states()};
}

static std::vector<StateSpec> statesOf(const std::vector<Part> &parts) {
  std::vector<StateSpec> states;
  for (const Part &part : parts)
    llvm::append_range(states, part.states);
  return states;
}

Part inTurn(std::vector<Part> parts) {
  std::vector<StateSpec> states = statesOf(parts);
  return {[parts = std::move(parts)](GraphBuilder &graph, Value x, const HybridInputs &in) {
            for (const Part &part : parts)
              x = part.build(graph, x, in);
            return x;
          },
          std::move(states)};
}

static Value scaled(GraphBuilder &graph, Value x, double factor) {
  if (factor == 1)
    return x;
  return graph.map({x}, [&](OpBuilder &b, Location l, ValueRange s) {
    Scalars of{b, l};
    return of.mul(s[0], of.constant(factor));
  });
}

Part scaledBy(double factor, Part part) {
  std::vector<StateSpec> states = part.states;
  return {[factor, part = std::move(part)](GraphBuilder &graph, Value x, const HybridInputs &in) {
            return scaled(graph, part.build(graph, x, in), factor);
          },
          std::move(states)};
}

Part sumOf(std::vector<Part> parts) {
  std::vector<StateSpec> states = statesOf(parts);
  return {[parts = std::move(parts)](GraphBuilder &graph, Value x, const HybridInputs &in) {
            Value sum = parts.front().build(graph, x, in);
            for (const Part &part : llvm::drop_begin(parts))
              sum = graph.add(sum, part.build(graph, x, in));
            return sum;
          },
          std::move(states)};
}

static Value buildNorm(GraphBuilder &graph, NormKind kind, Value x, const std::string &name, double epsilon) {
  if (kind == NormKind::Rms)
    return graph.rmsNorm(x, name, epsilon);
  if (kind == NormKind::RmsFromOne)
    return graph.rmsNormFromOne(x, name, epsilon);
  if (kind == NormKind::LayerWithoutWeight)
    return graph.layerNorm(x, "", epsilon, /*hasBias=*/false);
  if (kind == NormKind::LayerFromOne)
    return graph.layerNormFromOne(x, name, epsilon);
  return graph.layerNorm(x, name, epsilon, /*hasBias=*/kind == NormKind::Layer);
}

Part normPart(const std::string &name, double epsilon, NormKind kind) {
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &) { return buildNorm(graph, kind, x, name, epsilon); }};
}

Part learnedPositionsPart(const std::string &table, int64_t rows, int64_t width, int64_t offset) {
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &in) {
    GraphBuilder::Scope scope(graph, table);
    // Padding has no position, and texts end where the table does: neither may be read beyond it.
    Value places = graph.map(graph.sizes(in.positions), graph.ops().getI64Type(), {in.positions},
                             {graph.dimsMap(2, {0, 1})}, [&](OpBuilder &b, Location l, ValueRange s) -> Value {
                               auto constant = [&](int64_t value) -> Value {
                                 return arith::ConstantOp::create(b, l, b.getI64IntegerAttr(value));
                               };
                               Value least = arith::MaxSIOp::create(b, l, s[0], constant(0));
                               Value place = arith::MinSIOp::create(b, l, least, constant(rows - offset - 1));
                               return offset ? arith::AddIOp::create(b, l, place, constant(offset)).getResult() : place;
                             });
    Value weight = graph.parameter(table + ".weight", {rows, width});
    return graph.add(x, graph.embedding(graph.mergeLeading(places), weight));
  }};
}

Part linearPart(const std::string &name, int64_t width) {
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &) {
    return graph.linear(x, name, width, /*hasBias=*/false);
  }};
}

Part added(Part part, double factor) {
  std::vector<StateSpec> states = part.states;
  return {[factor, part = std::move(part)](GraphBuilder &graph, Value x, const HybridInputs &in) {
            return graph.add(x, scaled(graph, part.build(graph, x, in), factor));
          },
          std::move(states)};
}

Part residual(const std::string &norm, double epsilon, Part part, double factor, NormKind kind) {
  return added(inTurn({normPart(norm, epsilon, kind), std::move(part)}), factor);
}

static Value buildMlp(GraphBuilder &graph, const MlpSpec &spec, Value x) {
  llvm::SmallVector<Value> inputs;
  auto linear = [&](Value y, const std::string &name, int64_t out) {
    return spec.inByOut ? graph.linearInByOut(y, name, out, spec.bias) : graph.linear(y, name, out, spec.bias);
  };
  if (!spec.gateUp.empty()) {
    Value both = linear(x, spec.gateUp, 2 * spec.width);
    inputs = {graph.lastSlice(both, 0, spec.width), graph.lastSlice(both, spec.width, spec.width)};
  } else {
    if (!spec.gate.empty())
      inputs.push_back(linear(x, spec.gate, spec.width));
    inputs.push_back(linear(x, spec.up, spec.width));
  }
  bool isGated = inputs.size() > 1;
  Value wide = graph.map(inputs, [&](OpBuilder &b, Location l, ValueRange s) {
    Scalars of{b, l};
    Value gate = spec.gateFactor == 1 ? s[0] : of.mul(s[0], of.constant(spec.gateFactor));
    Value y = buildActivation(b, l, spec.activation, gate);
    if (spec.squared)
      y = of.mul(y, y);
    return isGated ? of.mul(y, s[1]) : y;
  });
  return linear(wide, spec.down, spec.hidden);
}

Part mlpPart(const MlpSpec &spec) {
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &) { return buildMlp(graph, spec, x); }};
}

//===----------------------------------------------------------------------===//
// config.json
//===----------------------------------------------------------------------===//

void readHybridSizes(Config &config, HybridSizes &sizes) {
  sizes.vocabulary = config.size({"vocab_size"}, sizes.vocabulary);
  sizes.hidden = config.size({"hidden_size"}, sizes.hidden);
  sizes.intermediate = config.size({"intermediate_size"}, sizes.intermediate);
  sizes.layers = config.integer({"num_hidden_layers"}, sizes.layers, 1, kMaxLayers);
  sizes.heads = config.size({"num_attention_heads"}, sizes.heads);
  sizes.keyHeads = config.size({"num_key_value_heads"}, sizes.keyHeads ? sizes.keyHeads : sizes.heads);
  sizes.width = config.size({"head_dim"}, sizes.width ? sizes.width : std::max<int64_t>(1, sizes.hidden / sizes.heads));
  sizes.longest = config.integer({"max_position_embeddings"}, sizes.longest, 1, int64_t(1) << 24);
  sizes.epsilon = config.number({sizes.epsilonField}, sizes.epsilon);
  sizes.activation = config.activation(sizes.activationField, sizes.usualActivation);
  if (sizes.heads % sizes.keyHeads == 0)
    return;
  config.refuse("W0207",
                "num_attention_heads is " + std::to_string(sizes.heads) + ", no multiple of the " +
                    std::to_string(sizes.keyHeads) + " heads of num_key_value_heads",
                "correct num_attention_heads or num_key_value_heads");
  sizes.keyHeads = 1;
}

CausalAttention attentionOf(const HybridSizes &sizes, const std::string &name) {
  CausalAttention attention;
  attention.name = name;
  attention.hidden = sizes.hidden;
  attention.heads = sizes.heads;
  attention.keyHeads = sizes.keyHeads;
  attention.width = sizes.width;
  attention.epsilon = sizes.epsilon;
  return attention;
}

void readRotation(Config &config, CausalAttention &attention, double share, double theta) {
  RotaryFields fields = readRotaryFields(config, attention.width, {.share = share, .theta = theta});
  attention.theta = fields.theta;
  attention.rotary = fields.dims;
  attention.frequencies = std::move(fields.frequencies);
  attention.turnScale = fields.turnScale;
}

Mamba2Sizes readMamba2Sizes(Config &config, const HybridSizes &sizes, const Mamba2Sizes &defaults) {
  Mamba2Sizes mamba = defaults;
  mamba.hidden = sizes.hidden;
  mamba.epsilon = sizes.epsilon;
  mamba.activation = sizes.activation;
  mamba.state = config.size({"mamba_d_state"}, defaults.state);
  mamba.taps = config.integer({"mamba_d_conv"}, defaults.taps, 1, 1024);
  mamba.heads = config.size({"mamba_n_heads"}, defaults.heads);
  mamba.groups = config.size({"mamba_n_groups"}, defaults.groups);
  mamba.inner = config.integer({"mamba_expand"}, 2, 1, 1024) * sizes.hidden;
  mamba.bias = config.flag("mamba_proj_bias", false);
  mamba.convBias = config.flag("mamba_conv_bias", true);
  std::vector<double> limits = config.numbers("time_step_limit", {defaults.leastStep, defaults.greatestStep});
  mamba.leastStep = limits[0];
  mamba.greatestStep = limits[1];
  int64_t share = std::max<int64_t>(1, mamba.inner / mamba.heads);
  bool isAutomatic = config.isText("mamba_d_head") && config.text("mamba_d_head", "") == "auto";
  mamba.headDim = isAutomatic ? share : config.size({"mamba_d_head"}, share);
  return mamba;
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

static Value run(GraphBuilder &graph, const HybridSizes &sizes, const HybridModel &model, Value starts) {
  int64_t width = model.tableWidth ? model.tableWidth : sizes.hidden;
  Value table = graph.parameter(model.table + ".weight", {sizes.vocabulary, width});
  Value x = scaled(graph, graph.embedding(graph.tokenIds("input_ids"), table), model.embeddingFactor);
  HybridInputs inputs{starts, buildPositions(graph, starts), x};
  for (const Part &part : model.before)
    x = part.build(graph, x, inputs);
  for (auto [index, layer] : llvm::enumerate(model.layers)) {
    if (graph.failed())
      break;
    GraphBuilder::Scope scope(graph, "layers." + std::to_string(index));
    x = layer.build(graph, x, inputs);
  }
  if (!model.finalNorm.empty())
    x = buildNorm(graph, model.finalNormKind, x, model.finalNorm, sizes.epsilon);
  for (const Part &part : model.after)
    x = part.build(graph, x, inputs);
  return x;
}

CausalModel describeHybrid(const HybridSizes &sizes, HybridModel model) {
  CausalModel described;
  described.vocabulary = sizes.vocabulary;
  described.hidden = model.outWidth ? model.outWidth : sizes.hidden;
  described.longestContext = sizes.longest;
  described.wordEmbeddings = model.table + ".weight";
  described.tied = false;
  described.endToken = 2;
  described.states = statesOf(model.layers);
  described.states.push_back(textPositions());
  described.run = [sizes, model = std::move(model)](GraphBuilder &graph, Value starts) {
    return run(graph, sizes, model, starts);
  };
  return described;
}

} // namespace weft
