// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Zamba2 (Glorioso et al. 2024, arXiv:2411.15242): layers of Mamba-2, before some of which a transformer block that
// layers share sees the hidden states and the embeddings side by side. Each use of a block has low-rank adapters of its
// own.
#include "frontends/hf/arch/Hybrid.h"

using namespace mlir;

namespace weft {
namespace {

struct Zamba2Sizes : HybridSizes {
  int64_t blocks = 1;  ///< shared transformers
  int64_t rank = 128;  ///< of the adapters
  bool adapts = false; ///< the attention too, not only the MLP
  bool mlpBias = false;
  CausalAttention attention;
};

/// x · firstᵀ · secondᵀ.
Value adapt(GraphBuilder &graph, const std::string &name, Value x, int64_t rank, int64_t out) {
  Value low = graph.linear(x, name + ".0", rank, /*hasBias=*/false);
  return graph.linear(low, name + ".1", out, /*hasBias=*/false);
}

/// hidden and embeddings [tokens, n] → [tokens, 2 · n].
Value besideEmbeddings(GraphBuilder &graph, Value x, Value embeddings) {
  llvm::SmallVector<OpFoldResult> sizes(graph.sizes(x));
  int64_t hidden = cast<RankedTensorType>(x.getType()).getShape().back();
  sizes.back() = graph.ops().getIndexAttr(2 * hidden);
  Value joined = graph.insertLast(x, graph.empty(sizes, graph.ops().getF32Type()), 0);
  return graph.insertLast(embeddings, joined, hidden);
}

Value buildMlp(GraphBuilder &graph, const Zamba2Sizes &sizes, const std::string &name, const std::string &use,
               Value x) {
  Value wide = graph.linear(x, name + ".gate_up_proj", 2 * sizes.intermediate, sizes.mlpBias);
  Value own = adapt(graph, name + ".gate_up_proj_adapter_list." + use, x, sizes.rank, 2 * sizes.intermediate);
  Value gated = graph.gated(graph.add(wide, own), sizes.activation);
  return graph.linear(gated, name + ".down_proj", sizes.hidden, sizes.mlpBias);
}

/// The shared block `name` for the `use`-th time, in `layer`, and the layer's projection of what it gives.
Part sharedBlock(const Zamba2Sizes &sizes, const std::string &name, const std::string &layer, int64_t use) {
  CausalAttention attention = sizes.attention;
  attention.name = name + ".self_attn";
  attention.state = layer + ".shared_transformer.self_attn";
  std::string number = std::to_string(use);
  if (sizes.adapts)
    attention.adapter = [=](GraphBuilder &graph, const char *projection, Value x) {
      std::string list = attention.name + ".linear_" + projection[0] + "_adapter_list." + number;
      return adapt(graph, list, x, sizes.rank, 2 * sizes.hidden);
    };
  Part inner = attentionPart(attention);
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &in) {
            Value both = besideEmbeddings(graph, x, in.embeddings);
            Value y = inner.build(graph, graph.rmsNorm(both, name + ".input_layernorm", sizes.epsilon), in);
            y = graph.rmsNorm(y, name + ".pre_ff_layernorm", sizes.epsilon);
            y = buildMlp(graph, sizes, name + ".feed_forward", number, y);
            return graph.linear(y, layer + ".linear", sizes.hidden, /*hasBias=*/false);
          },
          inner.states};
}

/// x + mixer(norm(x + block(x))); without a block, x + mixer(norm(x)).
Part mambaLayer(const Zamba2Sizes &sizes, const Part &mixer, const std::string &norm,
                const std::optional<Part> &block) {
  std::vector<StateSpec> states = mixer.states;
  if (block)
    llvm::append_range(states, block->states);
  return {[=](GraphBuilder &graph, Value x, const HybridInputs &in) {
            Value seen = block ? graph.add(x, block->build(graph, x, in)) : x;
            return graph.add(x, mixer.build(graph, graph.rmsNorm(seen, norm, sizes.epsilon), in));
          },
          std::move(states)};
}

/// Before which layers a shared block stands.
std::vector<bool> readHybrids(Config &config, int64_t layers) {
  std::vector<bool> hybrids(layers);
  std::optional<std::vector<std::string>> types = config.texts("layers_block_type");
  if (!types || static_cast<int64_t>(types->size()) != layers) {
    config.refuse("W0207", "layers_block_type does not name " + std::to_string(layers) + " layers",
                  "correct layers_block_type or num_hidden_layers");
    return hybrids;
  }
  for (int64_t layer = 0; layer < layers && !config.failed(); ++layer) {
    hybrids[layer] = (*types)[layer] == "hybrid";
    if (!hybrids[layer] && (*types)[layer] != "linear_attention" && (*types)[layer] != "mamba")
      config.refuse("W0206", "layers_block_type holds \"" + (*types)[layer] + "\"",
                    "the known ones are linear_attention and hybrid");
  }
  return hybrids;
}

Zamba2Sizes readSizes(Config &config) {
  Zamba2Sizes sizes;
  sizes.hidden = 2560;
  sizes.layers = 54;
  sizes.keyHeads = 0;
  sizes.longest = 4096;
  sizes.epsilon = 1e-5;
  readHybridSizes(config, sizes);
  sizes.intermediate = config.size({"intermediate_size"}, 4 * sizes.hidden);
  sizes.activation = config.activation("hidden_act", "gelu");
  sizes.width = std::max<int64_t>(1, 2 * sizes.hidden / sizes.heads);
  sizes.blocks = config.size({"num_mem_blocks"}, 1);
  sizes.rank = config.size({"adapter_rank"}, 128);
  sizes.adapts = config.flag("use_shared_attention_adapter", false);
  sizes.mlpBias = config.flag("add_bias_linear", false);
  sizes.attention = attentionOf(sizes, "");
  sizes.attention.scale = 1 / std::sqrt(static_cast<double>(sizes.width) / 2);
  if (config.flag("use_mem_rope", false))
    readRotation(config, sizes.attention);
  if (config.flag("use_long_context", false))
    config.refuse("W0206", "the rotary positions are scaled (use_long_context)",
                  "models without use_long_context are supported");
  return sizes;
}

Mamba2Sizes readMixer(Config &config, const Zamba2Sizes &sizes) {
  Mamba2Sizes mamba;
  mamba.hidden = sizes.hidden;
  mamba.inner = config.integer({"mamba_expand"}, 2, 1, 1024) * sizes.hidden;
  mamba.state = config.size({"mamba_d_state"}, 64);
  mamba.taps = config.integer({"mamba_d_conv"}, 4, 1, 1024);
  mamba.heads = config.size({"n_mamba_heads"}, 8);
  mamba.headDim = std::max<int64_t>(1, mamba.inner / mamba.heads);
  mamba.groups = config.size({"mamba_ngroups"}, 1);
  mamba.bias = sizes.mlpBias;
  mamba.leastStep = config.number({"time_step_min"}, 0.001);
  checkMamba2(config, mamba, {"n_mamba_heads", "mamba_headdim", "mamba_ngroups", "mamba_expand · hidden_size"});
  return mamba;
}

} // namespace

CausalModel readZamba2(Config &config) {
  Zamba2Sizes sizes = readSizes(config);
  Mamba2Sizes mamba = readMixer(config, sizes);
  std::vector<bool> hybrids = readHybrids(config, sizes.layers);
  std::vector<std::string> blocks; // by their first layers, where the files hold them
  HybridModel model;
  for (int64_t index = 0, uses = 0; index < sizes.layers; ++index) {
    std::string layer = "layers." + std::to_string(index);
    std::string decoder = hybrids[index] ? layer + ".mamba_decoder" : layer;
    std::optional<Part> block;
    if (hybrids[index]) {
      if (static_cast<int64_t>(blocks.size()) < sizes.blocks)
        blocks.push_back(layer + ".shared_transformer");
      block = sharedBlock(sizes, blocks[uses % sizes.blocks], layer, uses);
      ++uses;
    }
    model.layers.push_back(
        mambaLayer(sizes, mamba2Part(mamba, decoder + ".mamba"), decoder + ".input_layernorm", block));
  }
  CausalModel described = describeHybrid(sizes, std::move(model));
  described.tied = config.flag("tie_word_embeddings", true);
  return described;
}

} // namespace weft
