// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layers of the builder that go along a sequence and carry a state: caches, convolution over time, recurrence.
#include "frontends/builder/GraphBuilder.h"
#include "frontends/builder/Scalars.h"

#include "dialects/weft/CacheOps.h"
#include "dialects/weft/RecurrenceOps.h"
#include "dialects/weft/SequenceOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace weft {

/// One tap sees one step: activation(weight[c] · x[…, c] + bias[c]).
static Value scaleChannels(GraphBuilder &graph, const CausalConvSpec &spec, int64_t channels) {
  AffineMap all = graph.dimsMap(3, {0, 1, 2}), channel = graph.dimsMap(3, {2});
  Value weight = graph.mergeLast(graph.mergeLast(graph.parameter(spec.name + ".weight", {channels, 1, 1})));
  llvm::SmallVector<Value> inputs{spec.x, weight};
  llvm::SmallVector<AffineMap> maps{all, channel};
  if (spec.hasBias) {
    inputs.push_back(graph.parameter(spec.name + ".bias", {channels}));
    maps.push_back(channel);
  }
  return graph.map(graph.sizes(spec.x), graph.ops().getF32Type(), inputs, maps,
                   [&](OpBuilder &b, Location l, ValueRange s) {
                     Value y = arith::MulFOp::create(b, l, s[0], s[1]);
                     if (spec.hasBias)
                       y = arith::AddFOp::create(b, l, y, s[2]);
                     return buildActivation(b, l, spec.activation, y);
                   });
}

Value GraphBuilder::causalConv(const CausalConvSpec &spec) {
  Scope scope(*this, spec.name);
  int64_t channels = cast<RankedTensorType>(spec.x.getType()).getDimSize(2);
  Value weight = spec.weight;
  if (!weight && spec.taps == 1)
    return scaleChannels(*this, spec, channels);
  if (!weight)
    weight = mergeLast(parameter(spec.name + ".weight", {channels, 1, spec.taps}));
  Value bias = spec.hasBias && !spec.weight ? parameter(spec.name + ".bias", {channels}) : Value();
  bool carries = !spec.state.empty() && hasState(spec.state);
  Value state = carries ? this->state(spec.state) : Value();
  Sizes result(sizes(spec.x));
  Value init = empty(result, builder.getF32Type());
  llvm::SmallVector<Type> types{init.getType()};
  if (carries)
    types.push_back(state.getType());
  auto conv = CausalConvOp::create(builder, location, types, spec.x, weight, bias, ValueRange{}, spec.reset, Value(),
                                   init, state, ArrayAttr(), spec.reverse);
  if (spec.activation != Activation::Identity) {
    OpBuilder::InsertionGuard guard(builder);
    Block *body = builder.createBlock(&conv.getOutput(), {}, builder.getF32Type(), location);
    YieldOp::create(builder, location, buildActivation(builder, location, spec.activation, body->getArgument(0)));
  }
  if (carries)
    setState(spec.state, conv->getResult(1));
  return known(conv->getResult(0), result);
}

Value GraphBuilder::cacheUpdate(llvm::StringRef name, Value rows, Value positions, bool ring) {
  Value before = state(name);
  auto update = CacheUpdateOp::create(builder, location, before.getType(), rows, positions, keyTable(), before,
                                      /*dimension=*/1, ring);
  setState(name, update.getResult());
  return known(update.getResult(), Sizes(sizes(before)));
}

Value GraphBuilder::delayed(Value x) {
  // Two taps of which the older counts, over one channel.
  auto taps = RankedTensorType::get({1, 2}, builder.getF32Type());
  Value weight = arith::ConstantOp::create(builder, location, DenseElementsAttr::get(taps, {1.0f, 0.0f}));
  Sizes old(sizes(x)), channel{old[0], old[1], builder.getIndexAttr(1)};
  llvm::SmallVector<ReassociationIndices> groups{{0}, {1, 2}};
  auto type = typeOf(channel, builder.getF32Type());
  Value input = tensor::ExpandShapeOp::create(builder, location, type, x, groups, channel);
  Value init = empty(channel, builder.getF32Type());
  auto conv = CausalConvOp::create(builder, location, TypeRange{type}, input, weight, Value(), ValueRange{}, Value(),
                                   Value(), init, Value(), ArrayAttr(), /*reverse=*/false);
  return mergeLast(known(conv->getResult(0), channel));
}

Value GraphBuilder::tapsOfShift(int64_t channels) {
  Value &taps = shiftTaps[channels];
  if (!taps)
    taps = map({builder.getIndexAttr(channels), builder.getIndexAttr(2)}, builder.getF32Type(), {}, {},
               [](OpBuilder &b, Location l, ValueRange) -> Value {
                 Value zero = arith::ConstantIndexOp::create(b, l, 0);
                 Value isOlder =
                     arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, linalg::IndexOp::create(b, l, 1), zero);
                 return arith::UIToFPOp::create(b, l, b.getF32Type(), isOlder);
               });
  return taps;
}

Value GraphBuilder::shifted(Value x, llvm::StringRef state, Value reset) {
  Sizes result(sizes(x));
  Value taps = tapsOfShift(cast<RankedTensorType>(x.getType()).getDimSize(2));
  Value init = empty(result, builder.getF32Type());
  llvm::SmallVector<Type> types{init.getType()};
  Value carried = hasState(state) ? this->state(state) : Value();
  if (carried)
    types.push_back(carried.getType());
  auto conv = CausalConvOp::create(builder, location, types, x, taps, Value(), ValueRange{}, reset, Value(), init,
                                   carried, ArrayAttr(), /*reverse=*/false);
  if (carried)
    setState(state, conv->getResult(1));
  return known(conv->getResult(0), result);
}

static void buildCombination(OpBuilder &builder, Location location, ScanOp op, const ScanSpec &spec) {
  OpBuilder::InsertionGuard guard(builder);
  llvm::SmallVector<Type> scalars(2 * spec.inputs.size(), builder.getF32Type());
  llvm::SmallVector<Location> locations(scalars.size(), location);
  Block *body = builder.createBlock(&op.getCombine(), {}, scalars, locations);
  YieldOp::create(builder, location, spec.combine(builder, location, body->getArguments()));
}

llvm::SmallVector<Value> GraphBuilder::scan(const ScanSpec &spec) {
  Scope scope(*this, spec.name);
  size_t count = spec.inputs.size(), rank = 0;
  for (Value input : spec.inputs)
    rank = std::max(rank, sizes(input).size());
  auto leading = [&](Value value) { return builder.getMultiDimIdentityMap(rank).getMajorSubMap(sizes(value).size()); };
  llvm::SmallVector<Value> inits, carried;
  llvm::SmallVector<AffineMap> maps;
  for (Value input : spec.inputs) {
    inits.push_back(empty(Sizes(sizes(input)), builder.getF32Type()));
    maps.push_back(leading(input));
  }
  if (!spec.states.empty() && hasState(spec.states.front()))
    for (const std::string &name : spec.states)
      carried.push_back(state(name));
  bool isKept = !carried.empty();
  for (size_t index = 0; spec.fromZero && !isKept && index < count; ++index) {
    Sizes state(sizes(spec.inputs[index]));
    state.erase(state.begin() + 1);
    carried.push_back(fill(state, builder.getF32FloatAttr(0.0f)));
  }
  if (spec.reset)
    maps.push_back(leading(spec.reset));
  llvm::SmallVector<Type> types(ValueRange(inits).getTypes());
  llvm::append_range(types, ValueRange(carried).getTypes());
  auto op = ScanOp::create(builder, location, types, spec.inputs, spec.reset, inits, carried, /*dimension=*/1,
                           builder.getAffineMapArrayAttr(maps), spec.associative, /*reverse=*/false);
  buildCombination(builder, location, op, spec);
  for (auto [index, name] : llvm::enumerate(spec.states))
    if (isKept)
      setState(name, op->getResult(count + index));
  llvm::SmallVector<Value> outputs;
  for (auto [index, input] : llvm::enumerate(spec.inputs))
    outputs.push_back(known(op->getResult(index), Sizes(sizes(input))));
  return outputs;
}

namespace {

/// What the letters of a recurrence's dimensions stand for.
class RecurrenceSpace {
public:
  RecurrenceSpace(GraphBuilder &graph, const RecurrenceSpec &spec) : graph(graph), spec(spec) {
    for (const Indexed &input : spec.inputs)
      for (auto [letter, size] : llvm::zip_equal(input.dims, graph.sizes(input.value)))
        extents.try_emplace(letter, size);
  }

  AffineMap map(llvm::StringRef dims) const {
    MLIRContext *context = graph.ops().getContext();
    llvm::SmallVector<AffineExpr> results;
    for (char letter : dims)
      results.push_back(letter == 'g' ? getAffineDimExpr(RecurrenceOp::Head, context).floorDiv(spec.headsPerGroup)
                                      : getAffineDimExpr(llvm::StringRef(kLetters).find(letter), context));
    return AffineMap::get(RecurrenceOp::NumDims, 0, results, context);
  }

  llvm::SmallVector<OpFoldResult> sizes(llvm::StringRef dims) const {
    llvm::SmallVector<OpFoldResult> result;
    for (char letter : dims)
      result.push_back(extents.at(letter));
    return result;
  }

  /// The dimensions of the state: those of b, h, n and e that the recurrence has.
  std::string stateDims() const {
    std::string result;
    for (char letter : {'b', 'h', 'n', 'e'})
      if (extents.count(letter))
        result += letter;
    return result;
  }

private:
  static constexpr const char *kLetters = "bhtne";
  GraphBuilder &graph;
  const RecurrenceSpec &spec;
  std::map<char, OpFoldResult> extents;
};

} // namespace

/// The regions of the op: scalars of the inputs, and of o before them.
static void buildRegions(OpBuilder &builder, Location location, RecurrenceOp op, const RecurrenceSpec &spec) {
  OpBuilder::InsertionGuard guard(builder);
  Type f32 = builder.getF32Type();
  llvm::SmallVector<Type> types;
  for (const Indexed &input : spec.inputs)
    types.push_back(cast<RankedTensorType>(input.value.getType()).getElementType());
  llvm::SmallVector<Location> locations(types.size(), location);
  Block *body = builder.createBlock(&op.getStep(), {}, types, locations);
  RecurrenceStep step = spec.step(builder, location, body->getArguments());
  auto parts = [](Value real, Value imaginary) {
    assert((real || !imaginary) && "a number with an imaginary part has a real part");
    llvm::SmallVector<Value, 2> result;
    for (Value part : {real, imaginary})
      if (part)
        result.push_back(part);
    return result;
  };
  StepOp::create(builder, location, parts(step.query, step.imaginary.query), parts(step.key, step.imaginary.key),
                 parts(step.value, step.imaginary.value), parts(step.decay, step.imaginary.decay), step.lowRank);
  if (!spec.output && !spec.outputs)
    return;
  unsigned partCount = op.isComplex() ? 2 : 1;
  types.insert(types.begin(), partCount, f32);
  locations.append(partCount, location);
  body = builder.createBlock(&op.getOutput(), {}, types, locations);
  llvm::SmallVector<Value> results =
      spec.outputs ? spec.outputs(builder, location, body->getArguments())
                   : llvm::SmallVector<Value>{spec.output(builder, location, body->getArguments())};
  YieldOp::create(builder, location, results);
}

llvm::SmallVector<Value> GraphBuilder::recurrences(const RecurrenceSpec &spec) {
  Scope scope(*this, spec.name);
  RecurrenceSpace space(*this, spec);
  llvm::SmallVector<Value> inputs;
  llvm::SmallVector<AffineMap> maps;
  for (const Indexed &input : spec.inputs) {
    inputs.push_back(input.value);
    maps.push_back(space.map(input.dims));
  }
  if (spec.reset)
    maps.push_back(space.map("bt"));
  Sizes result(space.sizes(spec.outputDims));
  llvm::SmallVector<Value> inits, states;
  for (int64_t output = 0; output < spec.outputCount; ++output)
    inits.push_back(empty(result, builder.getF32Type()));
  maps.append(inits.size(), space.map(spec.outputDims));
  llvm::SmallVector<std::string> stateNames;
  for (const std::string &name : {spec.state, spec.imaginaryState})
    if (!name.empty() && hasState(name)) {
      stateNames.push_back(name);
      states.push_back(state(name));
      maps.push_back(space.map(space.stateDims()));
    }
  llvm::SmallVector<Type> types(ValueRange(inits).getTypes());
  llvm::append_range(types, ValueRange(states).getTypes());
  auto op = RecurrenceOp::create(builder, location, types, inputs, spec.reset, inits, states,
                                 builder.getAffineMapArrayAttr(maps), spec.reverse);
  buildRegions(builder, location, op, spec);
  for (auto [index, name] : llvm::enumerate(stateNames))
    setState(name, op->getResult(inits.size() + index));
  llvm::SmallVector<Value> outputs(op->getResults().take_front(inits.size()));
  for (Value output : outputs)
    known(output, result);
  return outputs;
}

Value GraphBuilder::positions(Value like, llvm::StringRef state, Value reset) {
  RecurrenceSpec spec;
  spec.name = "positions";
  spec.inputs = {{like, "bt"}};
  spec.outputDims = "bt";
  spec.step = [](OpBuilder &b, Location l, ValueRange) {
    RecurrenceStep step;
    step.value = Scalars{b, l}.constant(1.0);
    return step;
  };
  spec.output = [](OpBuilder &b, Location l, ValueRange in) -> Value {
    Scalars s{b, l};
    return s.sub(in[0], s.constant(1.0));
  };
  spec.state = state;
  spec.reset = reset;
  return recurrence(spec);
}

} // namespace weft
