// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers that mix the tokens of a sequence and carry a state, one struct for each family: sizes, the states that an
// entry needs to go on from call to call, and the layer itself.
//
//   Retention layer{.name = "layers.0.retention", .hidden = 256, .heads = 4, .keys = 32, .values = 64};
//   graph.beginEntry("prefill", inputs, layer.states());
//   x = graph.add(x, layer.build(graph, graph.rmsNorm(x, "layers.0.norm", 1e-6)));
//
// Hidden states are [tokens, hidden] with tokens = batch · sequence. An entry without a layer's states begins each
// sequence at 0. `reset` [batch, sequence] is not 0 where a sequence starts anew. docs/scans.md shows each family as a
// weft.recurrence.
#ifndef WEFT_FRONTENDS_BUILDER_MIXERS_H
#define WEFT_FRONTENDS_BUILDER_MIXERS_H

#include "frontends/builder/GraphBuilder.h"

namespace weft {

/// Retention of RetNet (Sun et al. 2023, arXiv:2307.08621): S = γ · S + k · v with γ = 1 − 2^(−5−h) for head h.
/// Parameters: `name`.{q,k}_proj.weight [heads · keys, hidden], .{v,g}_proj.weight [heads · values, hidden],
/// .out_proj.weight [hidden, heads · values].
struct Retention {
  std::string name;
  int64_t hidden = 0, heads = 1;
  int64_t keys = 0, values = 0; ///< of a head; keys are even where they rotate
  /// Queries and keys turn by an angle for each position and pair (n, n + keys / 2). The product of two turns depends
  /// on the distance only, so that it is a complex decay, and no position is needed.
  bool rotary = true;
  /// Pair n of d / 2 forgets by ((2n + 0.4 d) / (1.4 d))^(1 / scaleBase) each position too, as xPos does (Sun et al.
  /// 2022, arXiv:2212.10554), with 512 there; 0: it does not.
  double scaleBase = 0;
  double epsilon = 1e-6; ///< of the norm of each head's output

  std::vector<StateSpec> states() const;
  mlir::Value build(GraphBuilder &graph, mlir::Value x, mlir::Value reset = {}) const;
};

/// Gated linear attention (Yang et al. 2023, arXiv:2312.06635): a decay for each key channel,
/// σ(x · W₁ · W₂ + b)^(1 / temper). Parameters: `name`.{q,k}_proj.weight [heads · keys, hidden], .{v,g}_proj.weight
/// [heads · values, hidden], .gk_proj.0.weight [rank, hidden], .gk_proj.1.{weight [heads · keys, rank], bias},
/// .g_norm.weight [values], .o_proj.weight [hidden, heads · values].
struct GatedLinearAttention {
  std::string name;
  int64_t hidden = 0, heads = 1;
  int64_t keys = 0, values = 0; ///< of a head
  int64_t rank = 16;
  double temper = 16.0;
  double epsilon = 1e-5;

  std::vector<StateSpec> states() const;
  mlir::Value build(GraphBuilder &graph, mlir::Value x, mlir::Value reset = {}) const;
};

/// TransNormer's NormAttention (Qin et al. 2022, arXiv:2210.10340): φ(q) · Σ φ(k) · v without a decay and without a
/// denominator, and a root mean square norm in its place. Parameters: `name`.{q,k,v}_proj.weight [hidden, hidden],
/// .norm.weight [hidden], .out_proj.weight [hidden, hidden].
struct NormAttention {
  std::string name;
  int64_t hidden = 0, heads = 1;
  Activation feature = Activation::EluPlusOne; ///< φ
  double epsilon = 1e-6;

  std::vector<StateSpec> states() const;
  mlir::Value build(GraphBuilder &graph, mlir::Value x, mlir::Value reset = {}) const;
};

/// The text's position of each token, from 0 where `starts` [batch, sequence] is not 0, or else from what the state of
/// textPositions() holds: [batch, sequence], i64. An entry that has the state counts on in it.
mlir::Value buildPositions(GraphBuilder &graph, mlir::Value starts);
/// How many tokens of its text each sequence has had, of at most as many as the dimension "context" has.
StateSpec textPositions();

/// Softmax attention of each token to the tokens of its text so far. An entry with the states keeps keys and values in
/// slots for all positions, one without them attends to the tokens of the call. Parameters:
/// `name`.{q_proj.weight [heads · width, inner], k_proj.weight and v_proj.weight [keyHeads · width, inner],
/// o_proj.weight [hidden, heads · width]}, and biases.
struct CausalAttention {
  std::string name;
  int64_t hidden = 0; ///< of the result; x has `inner` channels, `hidden` where that is 0
  int64_t inner = 0;
  int64_t heads = 1, keyHeads = 1, width = 0; ///< channels of a head
  double scale = 0;                           ///< of the scores; 0: 1 / √width
  double cap = 0;                             ///< of the scores, softly; 0: none
  double keyFactor = 1;                       ///< of keys, before they turn
  int64_t rotary = 0;                         ///< first channels of a head that turn
  bool neighbours = false;                    ///< channel 2i turns against 2i + 1, not against i + rotary / 2
  double theta = 10000;
  std::vector<float> frequencies = {}; ///< rotary / 2, by which they turn in a step; empty: those of theta
  double turnScale = 1;                ///< of the channels that turn
  int64_t window = 0;                  ///< of the last so many tokens; 0: of all
  bool bias = false, outBias = false;
  std::string state = {};        ///< the states are named for this; empty: for `name`
  std::string out = "o_proj";    ///< the last projection
  std::string fused = {};        ///< the projection that gives queries, keys and values; empty: three
  int64_t fusedGroups = 1;       ///< parts of `fused`'s results, each with its queries, keys, values
  bool fusedValuesFirst = false; ///< values before keys in each part
  bool inByOut = false;          ///< the file holds the projections' weights as [in, out]
  /// [heads], taken off a score for each step between key and query; empty: nothing. `roundsSlopes` as in
  /// AttentionSpec.
  std::vector<float> slopes = {};
  bool roundsSlopes = false;
  std::string queryNorm = {}, keyNorm = {}; ///< root mean square norms of each head, with their weights; empty: none
  bool normsAllHeads = false;               ///< one norm of all heads' channels together
  double clip = 0;                          ///< bound of normed queries and keys, and of values; 0: none
  double epsilon = 1e-6;
  bool normsFromOne = false; ///< these norms' weights are stored as their distance from 1
  /// `q_proj` gives each head a query and a gate, whose sigmoid scales the head's result. Not with `fused`, `clip` or
  /// `normsAllHeads`.
  bool gated = false;
  /// Parameter [heads]: the score of a key of each head that every query sees and whose value is 0 (Xiao et al. 2023,
  /// arXiv:2309.17453); empty: there is none.
  std::string sinks = {};
  /// Adds to the projection `q_proj`, `k_proj` or `v_proj` of x [tokens, inner]; none: nothing.
  std::function<mlir::Value(GraphBuilder &, const char *projection, mlir::Value x)> adapter = {};

  std::vector<StateSpec> states() const;
  /// `positions` are those of buildPositions.
  mlir::Value build(GraphBuilder &graph, mlir::Value x, mlir::Value positions) const;
  /// Without the projections: queries [batch, sequence, heads, width], keys and values [batch, sequence, keyHeads,
  /// width] → shaped like the queries.
  mlir::Value attend(GraphBuilder &graph, mlir::Value query, mlir::Value key, mlir::Value value,
                     mlir::Value positions) const;
};

/// TransNormer's DiagAttention: softmax attention within blocks of the sequence, to the tokens so far. Of the calls
/// before, the last `block` keys and values and the number of tokens are kept. Parameters:
/// `name`.{q,k,v,out}_proj.weight [hidden, hidden].
struct DiagonalAttention {
  std::string name;
  int64_t hidden = 0, heads = 1;
  int64_t block = 64;

  std::vector<StateSpec> states() const;
  mlir::Value build(GraphBuilder &graph, mlir::Value x, mlir::Value reset = {}) const;
};

/// Gated DeltaNet (Yang et al. 2024, arXiv:2412.06464) as Qwen3-Next's linear layers have it: convolved q, k and v, q
/// and k of length 1, decay exp(−e^A_log · softplus(a + dt_bias)), rate σ(b), a gated norm. Parameters:
/// `name`.{q,k}_proj.weight [keyHeads · keys, hidden], .{v,g}_proj.weight [valueHeads · values, hidden],
/// .{a,b}_proj.weight [valueHeads, hidden], .{q,k,v}_conv1d.weight [channels, 1, taps], .A_log and .dt_bias
/// [valueHeads], .o_norm.weight [values], .o_proj.weight [hidden, valueHeads · values]. With `fused`, as in the files
/// of Qwen3-Next, .in_proj_qkvz.weight of each key head its query, its key, its values and their gates,
/// .in_proj_ba.weight of each key head its values' b and a, .conv1d.weight of all queries, keys and values,
/// .norm.weight, .out_proj.weight.
struct GatedDeltaNet {
  std::string name;
  int64_t hidden = 0;
  int64_t keyHeads = 1, valueHeads = 1; ///< each key head serves valueHeads / keyHeads value heads
  int64_t keys = 0, values = 0;         ///< of a head
  int64_t taps = 4;
  double epsilon = 1e-6;
  bool fused = false;

  std::vector<StateSpec> states() const;
  mlir::Value build(GraphBuilder &graph, mlir::Value x, mlir::Value reset = {}) const;
};

/// The recurrent block of Griffin and RecurrentGemma (De et al. 2024, arXiv:2402.19427): of two projections one is
/// convolved and goes through the real-gated linear recurrent unit, the other gates it. The unit's decay and input are
/// gated by block-diagonal products: a = exp(−8 · softplus(Λ) · σ(Wₐ · x + bₐ)), h = a · h + √(1 − a²) · σ(Wₓ · x + bₓ)
/// · x, and a text's first step has neither decay nor √. Parameters: `name`.linear_{x,y}.{weight [width, hidden],
/// bias}, .conv_1d.{weight [width, 1, taps], bias}, .rg_lru.recurrent_param [width],
/// .rg_lru.{input,recurrent}_gate_{weight [blocks, width / blocks, width / blocks] (in by out), bias [blocks, width /
/// blocks]}, .linear_out.{weight [hidden, width], bias}.
struct RealGatedRecurrence {
  std::string name;
  int64_t hidden = 0, width = 0, blocks = 1;
  int64_t taps = 4;
  Activation activation = Activation::GeluTanh; ///< of the projection that gates

  std::vector<StateSpec> states() const;
  mlir::Value build(GraphBuilder &graph, mlir::Value x, mlir::Value reset = {}) const;
  /// The same in a model that counts its tokens: `starts` [batch, sequence] is not 0 at the first step of each text,
  /// the first of all included. Needs the states but for the count.
  mlir::Value mix(GraphBuilder &graph, mlir::Value x, mlir::Value starts) const;
  /// What marks the steps of position 0 so, i8, of `positions` [batch, sequence], f32.
  static mlir::Value startsOf(GraphBuilder &graph, mlir::Value positions);
};

/// How a state-space model of constant decays is computed: step by step, or as a convolution with its response to an
/// impulse, cut off after so many steps.
struct DiagonalMode {
  int64_t taps = 0; ///< 0: step by step
};

/// S4D (Gu et al. 2022, arXiv:2206.11893): `states` complex modes for each channel, held by the impulse (ZOH).
/// y = 2 Re(C · S) + D · x of x [tokens, channels]. Parameters: `name`.log_dt [channels], .log_A_real and .A_imag
/// [channels, modes], .C [channels, modes, 2], .D [channels].
struct DiagonalStateSpace {
  std::string name;
  int64_t channels = 0, modes = 32;
  DiagonalMode mode = {};

  std::vector<StateSpec> states() const;
  mlir::Value build(GraphBuilder &graph, mlir::Value x, mlir::Value reset = {}) const;
};

/// S5 (Smith et al. 2022, arXiv:2208.04933): all channels drive the same complex modes, with ZOH.
/// y = 2 Re(C · S) + D · x. Parameters: `name`.{Lambda_re, Lambda_im, log_step} [modes], .{B_re, B_im}
/// [modes, channels], .{C_re, C_im} [channels, modes], .D [channels].
struct SharedStateSpace {
  std::string name;
  int64_t channels = 0, modes = 32;
  DiagonalMode mode = {};

  std::vector<StateSpec> states() const;
  mlir::Value build(GraphBuilder &graph, mlir::Value x, mlir::Value reset = {}) const;
};

/// Vision Mamba's block (Zhu et al. 2024, arXiv:2401.09417): one projection in and out, and between them a convolution
/// and a scan in each direction. Sees the whole sequence, so there is no state. Parameters: `name`.{in_proj,
/// out_proj}.weight; forwards .conv1d.{weight, bias}, .x_proj.weight, .dt_proj.{weight, bias}, .A_log, .D; backwards
/// the same with conv1d_b, x_proj_b, dt_proj_b, A_b_log, D_b.
struct BidirectionalMamba {
  std::string name;
  int64_t hidden = 0, inner = 0, state = 16, rank = 1, taps = 4;

  mlir::Value build(GraphBuilder &graph, mlir::Value x) const;
};

/// Aaren (Feng et al. 2024, arXiv:2405.13956): softmax attention of one learned query to all tokens so far, as a scan
/// over maximum, sum and weighted value. Parameters: `name`.query [heads · d], .{k,v}_proj.weight [heads · d, hidden],
/// .out_proj.weight [hidden, heads · d], with heads · d = hidden.
struct PrefixAttention {
  std::string name;
  int64_t hidden = 0, heads = 1;

  std::vector<StateSpec> states() const;
  mlir::Value build(GraphBuilder &graph, mlir::Value x, mlir::Value reset = {}) const;
};

} // namespace weft

#endif // WEFT_FRONTENDS_BUILDER_MIXERS_H
