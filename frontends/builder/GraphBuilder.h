// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers, one call each, into an entry function of weft, linalg, tensor, arith and math ops:
//
//   GraphBuilder graph(context, parameters, "bert");
//   graph.bound("batch", 1, 64);
//   graph.bound("sequence", 1, 512);
//   graph.beginEntry("encode", {{"input_ids", {"batch", "sequence"}, vocabulary}});
//   Value x = graph.embedding(graph.tokenIds("input_ids"), graph.parameter("embeddings.weight", {vocabulary, 384}));
//   graph.output("last_hidden_state", graph.splitTokens(graph.linear(x, "dense", 384)), {"batch", "sequence", ""});
//   graph.endEntry();
//   Result<OwningOpRef<ModuleOp>> module = graph.finish();
//
// Hidden states are [tokens, n] with tokens = batch · sequence. The first failure (a weight that is missing or has
// another shape) is kept and returned by finish(); building goes on with the shape that was asked for, so that layers
// need no error paths.
#ifndef WEFT_FRONTENDS_BUILDER_GRAPHBUILDER_H
#define WEFT_FRONTENDS_BUILDER_GRAPHBUILDER_H

#include "frontends/builder/Activation.h"
#include "frontends/builder/ParameterSource.h"
#include "frontends/diagnostic/Diagnostic.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weft {

/// An integer input of an entry.
constexpr const char *kBlockTable = "block_table";

struct InputSpec {
  std::string name;
  std::vector<std::string> dims;
  int64_t indexLimit = 0; ///< every value lies in [0, indexLimit)
  std::optional<int64_t> defaultValue = {};
};

/// What lives from call to call: f32, owned by a session, zeros at first. Entries of one model that name the same state
/// share it.
struct StateSpec {
  std::string name;
  std::vector<std::string> dims; ///< "" where the extent is fixed
  std::vector<int64_t> shape;    ///< the extents; of a named dimension any number
  /// Not empty: i64 that counts taken places of the first dimension, of which a call takes as many as the second has;
  /// one that needs more than are free is refused before it runs.
  std::vector<std::string> fills = {};
};

/// Extents of named dimensions that are fixed for one entry: {{"sequence", 1}}.
using FixedDims = std::map<std::string, int64_t>;

/// One attention over whole sequences. query, key and value are [batch, sequence, heads, head dimension]; each head of
/// key and value serves `headsPerGroup` heads of the query.
struct AttentionSpec {
  std::string name; ///< of the layer, for the location
  mlir::Value query, key, value;
  int64_t headsPerGroup = 1;
  double scale = 1.0;
  double cap = 0;               ///< scores are capped softly at this, cap · tanh(s / cap); 0: not
  mlir::Value paddingMask = {}; ///< [batch, sequence], integer: 0 hides a key
  mlir::Value bias = {};        ///< [heads, sequence, sequence], added to the scores
  /// [heads], with `past` or `last`: each step by which a key precedes its query takes so much off the score (ALiBi,
  /// Press et al. 2021, arXiv:2108.12409).
  mlir::Value slopes = {};
  /// A key's slope · position is rounded to bfloat16, and the position before; the rest of the score is not. Slopes
  /// are multiplied by `scale` then, and `past` holds positions. Without a window.
  bool roundsSlopes = false;
  std::optional<int64_t> reach = {}; ///< key j is seen from query i only where |i − j| ≤ reach
  /// [batch, sequence], integer: query i sees only the keys of 0 to past[i] steps before it.
  mlir::Value past = {};
  /// [batch, keys], integer, with `past` and in place of the keys' order: by how many steps each key precedes query 0.
  mlir::Value ages = {};
  int64_t lead = 0; ///< steps by which the first key precedes the first query; i is counted from the first key
  /// [batch, sequence], integer: query i sees only the keys 0 to last[i], and with a window the last so many of these.
  mlir::Value last = {};
  int64_t window = 0; ///< 0: none
  /// [batch, blocks], integer: keys and values are pages, [page, keys of one, heads, …]; which are whose.
  mlir::Value table = {};
};

/// One depthwise convolution over time, with the parameters `name`.weight [channels, 1, taps] and `name`.bias.
struct CausalConvSpec {
  std::string name;
  mlir::Value x; ///< [batch, sequence, channels]
  int64_t taps = 4;
  bool hasBias = true;
  Activation activation = Activation::Identity;
  std::string state = {};  ///< [batch, taps − 1, channels]; where the entry has none of this name, it starts at 0
  mlir::Value reset = {};  ///< [batch, sequence]: not 0 where a sequence starts anew
  mlir::Value weight = {}; ///< [channels, taps], in place of the parameters
  bool reverse = false;    ///< time runs from the last step to the first
};

/// A tensor and, by letter, what each of its dimensions is in a recurrence: b (batch), h (head), t (time), n (key
/// dimension), e (value dimension), g (group of heads). "btgn"
struct Indexed {
  mlir::Value value;
  std::string dims;
};

/// The numbers of one step of a recurrence, of scalars; one that is null is 1, without a low_rank it is 0.
struct RecurrenceStep {
  struct Parts {
    mlir::Value query = {}, key = {}, value = {}, decay = {};
  };
  mlir::Value query = {}, key = {}, value, decay = {};
  std::vector<mlir::Value> lowRank = {}; ///< a and b
  Parts imaginary = {};                  ///< of the numbers that are complex, which make S complex
};

/// One recurrence over a sequence with a state [n, e] for each head: weft.recurrence says what it computes.
struct RecurrenceSpec {
  std::string name; ///< for the location
  std::vector<Indexed> inputs;
  int64_t headsPerGroup = 1;
  std::string outputDims = "bthe";
  /// The numbers of a step, of the inputs' elements.
  std::function<RecurrenceStep(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)> step;
  /// The output, of o (its real and imaginary part where S is complex) and then the inputs' elements; none: o.
  std::function<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)> output = {};
  std::string state = {};          ///< [batch, h, n, e], without the dimensions that no input has; as in CausalConvSpec
  mlir::Value reset = {};          ///< as in CausalConvSpec
  std::string imaginaryState = {}; ///< like `state`, of a complex S
  bool reverse = false;            ///< as in CausalConvSpec
  /// Several outputs of `outputDims`, in place of `output`.
  std::function<llvm::SmallVector<mlir::Value>(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)> outputs = {};
  int64_t outputCount = 1;
};

/// All prefixes of an associative combination along the sequence: weft.scan says what it computes.
struct ScanSpec {
  std::string name; ///< for the location
  /// One for each accumulator: [batch, sequence, …], each with the first dimensions of the one that has most.
  std::vector<mlir::Value> inputs;
  /// The accumulators of two parts of a sequence together: of the earlier part, then of the later.
  std::function<llvm::SmallVector<mlir::Value>(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)> combine;
  bool associative = false;             ///< it is, though there is no proof
  std::vector<std::string> states = {}; ///< one for each accumulator, [batch, …]; as in CausalConvSpec
  bool fromZero = false;                ///< states that the entry does not have are 0 too, rather than absent
  mlir::Value reset = {};               ///< as in CausalConvSpec; may have more of the dimensions
};

class GraphBuilder {
public:
  using Value = mlir::Value;
  /// Builds the body of an elementwise op from its scalars.
  using Body = llvm::function_ref<Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

  GraphBuilder(mlir::MLIRContext &context, const ParameterSource &parameters, llvm::StringRef model);

  //===--- Program --------------------------------------------------------===//

  /// Inclusive bounds of a named dimension; before beginEntry.
  void bound(llvm::StringRef dim, int64_t min, int64_t max);
  void beginEntry(llvm::StringRef name, llvm::ArrayRef<InputSpec> inputs, llvm::ArrayRef<StateSpec> states = {},
                  const FixedDims &fixed = {});
  Value input(llvm::StringRef name) const;
  bool hasInput(llvm::StringRef name) const;
  /// The extent of a named dimension, an index.
  mlir::OpFoldResult dim(llvm::StringRef name) const;
  bool hasState(llvm::StringRef name) const { return states.count(name.str()) != 0; }
  /// What the state holds at this point of the entry.
  Value state(llvm::StringRef name) const;
  /// `value` [the state's shape] is what the state holds from now on.
  void setState(llvm::StringRef name, Value value);
  /// Adds a result; a dimension without a name is "".
  void output(llvm::StringRef name, Value value, std::vector<std::string> dims);
  void endEntry();
  /// The verified module, or the first failure.
  Result<mlir::OwningOpRef<mlir::ModuleOp>> finish();

  void fail(Diagnostic diagnostic);
  bool failed() const { return failure.has_value(); }

  /// Ops built while a Scope lives carry its name as their location.
  class Scope {
  public:
    Scope(GraphBuilder &graph, llvm::StringRef name);
    ~Scope() { graph.location = outer; }
    Scope(const Scope &) = delete;

  private:
    GraphBuilder &graph;
    mlir::Location outer;
  };

  //===--- Parameters -----------------------------------------------------===//

  bool hasParameter(llvm::StringRef name) const { return parameters.find(std::string_view(name)).has_value(); }
  /// The weight of this name as f32; checked against the files. The same name gives the same value.
  Value parameter(llvm::StringRef name, llvm::ArrayRef<int64_t> shape);
  /// The weight `name` of tensors that the files hold: as many as `shape` [n, …] has first entries, each without that
  /// dimension, or one of [n, …] or with its first two dimensions merged. With `turned` the last two dimensions of
  /// what the files hold, whose shape this is, are exchanged in the value.
  Value stackedParameter(llvm::StringRef name, llvm::ArrayRef<std::string> sources, llvm::ArrayRef<int64_t> shape,
                         bool turned = false);

  //===--- Layers ---------------------------------------------------------===//

  /// x · weightᵀ + bias with the parameters `module`.weight [out, in] and `module`.bias [out].
  Value linear(Value x, llvm::StringRef module, int64_t out, bool hasBias = true);
  /// The same where the file holds the weight as [in, out].
  Value linearInByOut(Value x, llvm::StringRef module, int64_t out, bool hasBias = true);
  /// x [m, k] · weightᵀ, weight [n, k]; or by a weight [k, n].
  Value project(Value x, Value weight, bool inByOut = false);
  /// x [m, blocks · k] by a block-diagonal weight [blocks, k, n], or transposed [blocks, n, k]: [m, blocks · n].
  Value projectBlocks(Value x, Value weight, bool transposed = false);
  /// x [m, n] + vector [n].
  Value addRow(Value x, Value vector);
  /// Over the last dimension, with `module`.weight and `module`.bias; without a name, with neither.
  Value layerNorm(Value x, llvm::StringRef module, double epsilon, bool hasBias = true);
  /// Over the last dimension, with `module`.weight; without a name, without a scale.
  Value rmsNorm(Value x, llvm::StringRef module, double epsilon);
  /// The same with the scale 1 + `module`.weight.
  /// Layer normalisation with 1 + `name`.weight and `name`.bias.
  Value layerNormFromOne(Value x, llvm::StringRef name, double epsilon);
  Value rmsNormFromOne(Value x, llvm::StringRef module, double epsilon);
  /// The same with a scale [n] that is at hand; null: without one.
  Value rmsNorm(Value x, Value scale, double epsilon);
  /// scale · x / √(Σ x² + epsilon) over the last dimension.
  Value l2Norm(Value x, double epsilon, double scale = 1.0);
  /// Rows of table [rows, n] chosen by ids [t].
  Value embedding(Value ids, Value table);
  /// → [batch, sequence, heads, head dimension].
  Value attention(const AttentionSpec &spec) { return attentionWithSum(spec, /*sum=*/false).first; }
  /// The same and, [batch, sequence, heads], the logarithm of the sum of exponentials: −∞ where no key is seen.
  std::pair<Value, Value> attentionWithSum(const AttentionSpec &spec, bool sum = true);
  /// Two such means of disjoint keys as one of all.
  Value joinAttention(std::pair<Value, Value> a, std::pair<Value, Value> b);
  /// `rows` [batch, sequence, …] into the slots of the state [batch, slots, …] that `positions` [batch, sequence] name,
  /// with `ring` modulo their number: what the state holds then. weft.cache_update says more.
  Value cacheUpdate(llvm::StringRef state, Value rows, Value positions, bool ring = false);
  /// The input `block_table` [batch, blocks] of an entry whose caches lie in pages: a page's number for each block of a
  /// text's positions. Null where they lie in one piece.
  Value keyTable() const { return hasInput(kBlockTable) ? input(kBlockTable) : Value(); }
  /// → [batch, sequence, channels].
  Value causalConv(const CausalConvSpec &spec);
  /// How many steps of its sequence are before each: [batch, sequence], f32, exact up to 2²⁴. `like` has these extents;
  /// `state` [batch] counts from call to call, where the entry has it; `reset` as in CausalConvSpec.
  Value positions(Value like, llvm::StringRef state, Value reset);
  /// x [batch, sequence] a step later: 0, then all but the last of the sequence.
  Value delayed(Value x);
  /// x [batch, sequence, n] a step later, with the last of the call before in the state; 0 where a sequence starts.
  Value shifted(Value x, llvm::StringRef state, Value reset);
  /// → what each accumulator holds after each step, shaped like the inputs.
  llvm::SmallVector<Value> scan(const ScanSpec &spec);
  /// → the dimensions of `outputDims`.
  Value recurrence(const RecurrenceSpec &spec) { return recurrences(spec).front(); }
  /// All of its outputs.
  llvm::SmallVector<Value> recurrences(const RecurrenceSpec &spec);
  Value activate(Value x, Activation kind);
  /// activation(first half of the columns) · second half.
  Value gated(Value x, Activation kind);
  Value add(Value a, Value b);

  //===--- Views ----------------------------------------------------------===//

  /// a · b, once in an entry.
  mlir::OpFoldResult product(mlir::OpFoldResult a, mlir::OpFoldResult b);
  /// An [batch, sequence] input as [tokens].
  Value tokenIds(llvm::StringRef input) { return mergeLeading(this->input(input)); }
  /// [tokens, …] → [batch, sequence, …].
  Value splitTokens(Value x) { return splitLeading(x, dim("batch"), dim("sequence")); }
  /// [a, b, …] → [a · b, …].
  Value mergeLeading(Value x);
  /// [a · b, …] → [a, b, …].
  Value splitLeading(Value x, mlir::OpFoldResult a, mlir::OpFoldResult b);
  /// [tokens, heads · d] → [batch, sequence, heads, d].
  Value splitHeads(Value x, int64_t heads);
  /// [batch, sequence, heads, d] → [tokens, heads · d].
  Value mergeHeads(Value x);
  /// The last dimension n as [a, n / a], and back.
  Value splitLast(Value x, int64_t a);
  Value mergeLast(Value x);
  /// [tokens, n] → [batch, n].
  Value firstToken(Value x);
  Value lastToken(Value x);
  /// `count` entries of the last dimension.
  Value lastSlice(Value x, int64_t from, int64_t count);
  /// `count` entries of the first dimension.
  Value firstSlice(Value x, int64_t from, int64_t count);
  /// `into` with `part` over the entries of its last dimension that begin at `from`.
  Value insertLast(Value part, Value into, int64_t from);
  /// The parts beside each other over the last dimension. W0206 where more than 16 of a width that divides all of them
  /// would be needed.
  Value joinLast(llvm::ArrayRef<Value> parts);
  /// One entry of the last dimension, which goes: [tokens, n] → [tokens].
  Value column(Value x, int64_t index);

  //===--- Elementwise and reductions -------------------------------------===//

  /// A tensor of these extents, of any values.
  Value empty(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type element);
  /// A tensor of one value everywhere.
  Value fill(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::TypedAttr value);
  /// These numbers: [n].
  Value constant(llvm::ArrayRef<float> numbers);
  /// out[d…] = body(input[map(d)]…) over the extents of the result.
  Value map(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type element, llvm::ArrayRef<Value> inputs,
            llvm::ArrayRef<mlir::AffineMap> maps, Body body);
  /// The same, elementwise over tensors of one shape.
  Value map(llvm::ArrayRef<Value> inputs, Body body);
  /// acc[outMap(d)] = body(input[map(d)]…, acc) from the values of `init`. Dimensions that outMap lacks are reduced.
  Value reduce(Value init, mlir::AffineMap outMap, llvm::ArrayRef<Value> inputs, llvm::ArrayRef<mlir::AffineMap> maps,
               Body body);
  /// The extents of a value that this builder made.
  llvm::ArrayRef<mlir::OpFoldResult> sizes(Value value) const;
  /// An affine map from `dims` dimensions onto the dimensions named.
  mlir::AffineMap dimsMap(unsigned dims, llvm::ArrayRef<unsigned> results);

  /// The builder itself and the present location, for what the calls above do not cover.
  mlir::OpBuilder &ops() { return builder; }
  mlir::Location loc() const { return location; }
  /// Remembers the extents of a value built by hand.
  Value known(Value value, llvm::ArrayRef<mlir::OpFoldResult> sizes);

private:
  Value layerNorm(Value x, Value scale, Value bias, double epsilon);
  Value onePlus(Value x);
  using Sizes = llvm::SmallVector<mlir::OpFoldResult, 4>;
  struct Output {
    std::string name;
    Value value;
    std::vector<std::string> dims;
  };

  mlir::RankedTensorType typeOf(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type element);
  /// Taps [channels, 2] of which the older is 1 and the newer 0.
  Value tapsOfShift(int64_t channels);
  mlir::NamedAttrList describe(llvm::StringRef name, llvm::ArrayRef<std::string> dims);
  void addArgument(unsigned index, llvm::ArrayRef<std::string> dims);
  void checkParameter(const StoredTensor &stored, llvm::ArrayRef<int64_t> shape);
  /// The tensor that the files hold for this name; nothing, and a failure, where there is none.
  std::optional<StoredTensor> findTensor(llvm::StringRef name);
  Value createParameter(llvm::StringRef name, llvm::ArrayRef<int64_t> shape, mlir::ArrayAttr sources,
                        mlir::DenseI64ArrayAttr order = {});
  Value slopedScore(Value score, const AttentionSpec &spec, mlir::Block &block);
  void buildScoreRegion(mlir::Region &region, const AttentionSpec &spec, mlir::TypeRange extras);
  void buildMaskRegion(mlir::Region &region, const AttentionSpec &spec, mlir::TypeRange extras);

  const ParameterSource &parameters;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OpBuilder builder;
  mlir::Location location;
  std::optional<Diagnostic> failure;

  std::map<std::string, std::pair<int64_t, int64_t>> bounds;
  mlir::func::FuncOp entry;
  std::map<std::string, Value> inputs, states, parameterValues;
  std::map<std::string, mlir::OpFoldResult> dims;
  std::vector<StateSpec> stateSpecs; ///< of the entry, in the order of its arguments
  std::vector<Output> outputs;
  llvm::DenseMap<Value, Sizes> extents;
  std::map<std::pair<void *, void *>, Value> products;
  std::map<int64_t, Value> shiftTaps; ///< by channels
};

} // namespace weft

#endif // WEFT_FRONTENDS_BUILDER_GRAPHBUILDER_H
