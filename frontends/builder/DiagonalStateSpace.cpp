// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// State-space models of constant complex decays, S4D and S5: as scans, and as convolutions with the response to an
// impulse. Modes come in conjugate pairs of which one is kept, so outputs are twice the real part.
#include "frontends/builder/Mixers.h"
#include "frontends/builder/Scalars.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace weft {
namespace {

struct Complex {
  Value real, imaginary;
};

Complex multiply(Scalars s, Complex a, Complex b) {
  return {s.sub(s.mul(a.real, b.real), s.mul(a.imaginary, b.imaginary)),
          s.add(s.mul(a.real, b.imaginary), s.mul(a.imaginary, b.real))};
}

Complex divide(Scalars s, Complex a, Complex b) {
  Value size = s.add(s.mul(b.real, b.real), s.mul(b.imaginary, b.imaginary));
  Complex product = multiply(s, a, {b.real, s.neg(b.imaginary)});
  return {s.div(product.real, size), s.div(product.imaginary, size)};
}

Complex exponential(Scalars s, Complex a) {
  Value size = s.exp(a.real);
  return {s.mul(size, math::CosOp::create(s.builder, s.location, a.imaginary)),
          s.mul(size, math::SinOp::create(s.builder, s.location, a.imaginary))};
}

/// e^a − 1, precise for small a too: e^x − 1 times cos y, less 2 sin²(y / 2).
Complex exponentialMinusOne(Scalars s, Complex a) {
  Value grown = math::ExpM1Op::create(s.builder, s.location, a.real);
  Value cosine = math::CosOp::create(s.builder, s.location, a.imaginary);
  Value half = math::SinOp::create(s.builder, s.location, s.mul(a.imaginary, s.constant(0.5)));
  Value real = s.sub(s.mul(grown, cosine), s.mul(s.constant(2.0), s.mul(half, half)));
  return {real, exponential(s, a).imaginary};
}

/// A tensor of real and one of imaginary parts, of one computation.
struct ComplexTensor {
  Value real, imaginary;
};

ComplexTensor mapComplex(GraphBuilder &graph, llvm::ArrayRef<OpFoldResult> sizes, llvm::ArrayRef<Value> inputs,
                         llvm::ArrayRef<AffineMap> maps, llvm::function_ref<Complex(Scalars, ValueRange)> body) {
  llvm::SmallVector<OpFoldResult> copy(sizes);
  Type f32 = graph.ops().getF32Type();
  Value real = graph.map(copy, f32, inputs, maps,
                         [&](OpBuilder &b, Location l, ValueRange v) { return body(Scalars{b, l}, v).real; });
  Value imaginary = graph.map(copy, f32, inputs, maps,
                              [&](OpBuilder &b, Location l, ValueRange v) { return body(Scalars{b, l}, v).imaginary; });
  return {real, imaginary};
}

/// y + x · D: x, y [tokens, channels].
Value addSkip(GraphBuilder &graph, Value y, Value x, Value skip) {
  AffineMap all = graph.dimsMap(2, {0, 1});
  return graph.map(graph.sizes(x), graph.ops().getF32Type(), {y, x, skip}, {all, all, graph.dimsMap(2, {1})},
                   [](OpBuilder &b, Location l, ValueRange v) -> Value {
                     Scalars s{b, l};
                     return s.add(v[0], s.mul(v[1], v[2]));
                   });
}

/// 1 at the last of so many steps, 0 before: an impulse for time that runs backwards.
Value buildImpulse(GraphBuilder &graph, int64_t taps) {
  return graph.map({graph.ops().getIndexAttr(taps)}, graph.ops().getF32Type(), {}, {},
                   [&](OpBuilder &b, Location l, ValueRange) -> Value {
                     Value last = arith::ConstantIndexOp::create(b, l, taps - 1);
                     Value index = linalg::IndexOp::create(b, l, 0);
                     Value isLast = arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, index, last);
                     return arith::UIToFPOp::create(b, l, b.getF32Type(), isLast);
                   });
}

/// [taps, n] → [n, taps], as a convolution takes its weight.
Value transpose(GraphBuilder &graph, Value x) {
  llvm::SmallVector<OpFoldResult> sizes(llvm::reverse(graph.sizes(x)));
  return graph.map(sizes, graph.ops().getF32Type(), {x}, {graph.dimsMap(2, {1, 0})},
                   [](OpBuilder &, Location, ValueRange v) { return v[0]; });
}

/// x [batch, sequence, n] convolved over time with weight [n, taps].
Value convolve(GraphBuilder &graph, Value x, Value weight, int64_t taps, const std::string &state, Value reset) {
  CausalConvSpec spec;
  spec.name = state;
  spec.x = x;
  spec.taps = taps;
  spec.weight = weight;
  spec.state = state;
  spec.reset = reset;
  return graph.causalConv(spec);
}

} // namespace

//===----------------------------------------------------------------------===//
// S4D
//===----------------------------------------------------------------------===//

std::vector<StateSpec> DiagonalStateSpace::states() const {
  if (mode.taps > 0)
    return {{name + ".past", {"batch", "", ""}, {0, mode.taps - 1, channels}}};
  return {{name + ".state", {"batch", "", ""}, {0, modes, channels}},
          {name + ".imaginary_state", {"batch", "", ""}, {0, modes, channels}}};
}

namespace {

/// The recurrence of unit inputs: S = decay · S + x, y = Re(output · S); both [modes, channels].
struct Discrete {
  ComplexTensor decay, output;
};

Discrete discretize(GraphBuilder &graph, const DiagonalStateSpace &layer) {
  int64_t channels = layer.channels, modes = layer.modes;
  Value parts = graph.parameter(layer.name + ".C", {channels, modes, 2});
  llvm::SmallVector<Value> inputs{graph.parameter(layer.name + ".log_dt", {channels}),
                                  graph.parameter(layer.name + ".log_A_real", {channels, modes}),
                                  graph.parameter(layer.name + ".A_imag", {channels, modes}), graph.column(parts, 0),
                                  graph.column(parts, 1)};
  AffineMap both = graph.dimsMap(2, {1, 0});
  llvm::SmallVector<AffineMap> maps{graph.dimsMap(2, {1}), both, both, both, both};
  llvm::SmallVector<OpFoldResult> sizes{graph.ops().getIndexAttr(modes), graph.ops().getIndexAttr(channels)};
  auto rate = [](Scalars s, ValueRange v) { return Complex{s.neg(s.exp(v[1])), v[2]}; };
  auto exponent = [=](Scalars s, ValueRange v) {
    Value step = s.exp(v[0]);
    Complex a = rate(s, v);
    return Complex{s.mul(step, a.real), s.mul(step, a.imaginary)};
  };
  ComplexTensor decay =
      mapComplex(graph, sizes, llvm::ArrayRef(inputs).take_front(3), llvm::ArrayRef(maps).take_front(3),
                 [=](Scalars s, ValueRange v) { return exponential(s, exponent(s, v)); });
  ComplexTensor output = mapComplex(graph, sizes, inputs, maps, [=](Scalars s, ValueRange v) {
    Complex held = divide(s, exponentialMinusOne(s, exponent(s, v)), rate(s, v));
    Complex result = multiply(s, {v[3], v[4]}, held);
    return Complex{s.mul(s.constant(2.0), result.real), s.mul(s.constant(2.0), result.imaginary)};
  });
  return {decay, output};
}

/// The scan of `x`, which is indexed by `dims`.
RecurrenceSpec buildScan(const std::string &name, const Discrete &model, Value x, const std::string &dims) {
  RecurrenceSpec spec;
  spec.name = name;
  spec.inputs = {{x, dims},
                 {model.decay.real, "ne"},
                 {model.decay.imaginary, "ne"},
                 {model.output.real, "ne"},
                 {model.output.imaginary, "ne"}};
  spec.step = [](OpBuilder &, Location, ValueRange in) {
    RecurrenceStep step{in[3], {}, in[0], in[1]};
    step.imaginary = {in[4], {}, {}, in[2]};
    return step;
  };
  return spec;
}

} // namespace

Value DiagonalStateSpace::build(GraphBuilder &graph, Value x, Value reset) const {
  GraphBuilder::Scope scope(graph, name);
  Discrete model = discretize(graph, *this);
  Value y;
  if (mode.taps > 0) {
    RecurrenceSpec response = buildScan(name, model, buildImpulse(graph, mode.taps), "t");
    response.outputDims = "te";
    response.reverse = true;
    Value weight = transpose(graph, graph.recurrence(response));
    y = convolve(graph, graph.splitTokens(x), weight, mode.taps, name + ".past", reset);
  } else {
    RecurrenceSpec spec = buildScan(name, model, graph.splitTokens(x), "bte");
    spec.outputDims = "bte";
    spec.state = name + ".state";
    spec.imaginaryState = name + ".imaginary_state";
    spec.reset = reset;
    y = graph.recurrence(spec);
  }
  return addSkip(graph, graph.mergeLeading(y), x, graph.parameter(name + ".D", {channels}));
}

//===----------------------------------------------------------------------===//
// S5
//===----------------------------------------------------------------------===//

std::vector<StateSpec> SharedStateSpace::states() const {
  if (mode.taps == 0)
    return {{name + ".state", {"batch", ""}, {0, modes}}, {name + ".imaginary_state", {"batch", ""}, {0, modes}}};
  std::vector<StateSpec> result;
  for (const char *part : {".past_rr", ".past_ii", ".past_ri", ".past_ir"})
    result.push_back({name + part, {"batch", "", ""}, {0, mode.taps - 1, modes}});
  return result;
}

namespace {

/// decay and what an input is multiplied by while it is held, [modes].
struct Modes {
  ComplexTensor decay, gain;
};

Modes discretize(GraphBuilder &graph, const SharedStateSpace &layer) {
  auto vector = [&](const char *part) { return graph.parameter(layer.name + part, {layer.modes}); };
  llvm::SmallVector<Value> inputs{vector(".log_step"), vector(".Lambda_re"), vector(".Lambda_im")};
  llvm::SmallVector<AffineMap> maps(3, graph.dimsMap(1, {0}));
  llvm::SmallVector<OpFoldResult> sizes{graph.ops().getIndexAttr(layer.modes)};
  auto exponent = [](Scalars s, ValueRange v) {
    Value step = s.exp(v[0]);
    return Complex{s.mul(step, v[1]), s.mul(step, v[2])};
  };
  ComplexTensor decay =
      mapComplex(graph, sizes, inputs, maps, [=](Scalars s, ValueRange v) { return exponential(s, exponent(s, v)); });
  ComplexTensor gain = mapComplex(graph, sizes, inputs, maps, [=](Scalars s, ValueRange v) {
    return divide(s, exponentialMinusOne(s, exponent(s, v)), {v[1], v[2]});
  });
  return {decay, gain};
}

/// All modes after each step: S = decay · S + gain · input. Inputs are indexed by `dims`, outputs by the same and e.
ComplexTensor scanModes(GraphBuilder &graph, const SharedStateSpace &layer, const Modes &model, ComplexTensor input,
                        const std::string &dims, RecurrenceSpec spec) {
  spec.name = layer.name;
  spec.inputs = {{model.decay.real, "e"},
                 {model.decay.imaginary, "e"},
                 {model.gain.real, "e"},
                 {model.gain.imaginary, "e"},
                 {input.real, dims}};
  bool isComplex = static_cast<bool>(input.imaginary);
  if (isComplex)
    spec.inputs.push_back({input.imaginary, dims});
  spec.step = [=](OpBuilder &, Location, ValueRange in) {
    RecurrenceStep step{{}, in[2], in[4], in[0]};
    step.imaginary = {{}, in[3], isComplex ? in[5] : Value(), in[1]};
    return step;
  };
  spec.outputs = [](OpBuilder &, Location, ValueRange in) { return llvm::SmallVector<Value>{in[0], in[1]}; };
  spec.outputCount = 2;
  llvm::SmallVector<Value> parts = graph.recurrences(spec);
  return {parts[0], parts[1]};
}

/// The same by convolution with each mode's response to an impulse.
ComplexTensor convolveModes(GraphBuilder &graph, const SharedStateSpace &layer, const Modes &model, ComplexTensor input,
                            Value reset) {
  int64_t taps = layer.mode.taps;
  RecurrenceSpec spec;
  spec.outputDims = "te";
  spec.reverse = true;
  ComplexTensor response = scanModes(graph, layer, model, {buildImpulse(graph, taps), {}}, "t", spec);
  Value real = transpose(graph, response.real), imaginary = transpose(graph, response.imaginary);
  auto part = [&](Value x, Value weight, const char *state) {
    return convolve(graph, x, weight, taps, layer.name + state, reset);
  };
  Value rr = part(input.real, real, ".past_rr"), ii = part(input.imaginary, imaginary, ".past_ii");
  Value ri = part(input.real, imaginary, ".past_ri"), ir = part(input.imaginary, real, ".past_ir");
  Value difference = graph.map(
      {rr, ii}, [](OpBuilder &b, Location l, ValueRange v) -> Value { return Scalars{b, l}.sub(v[0], v[1]); });
  return {difference, graph.add(ri, ir)};
}

} // namespace

Value SharedStateSpace::build(GraphBuilder &graph, Value x, Value reset) const {
  GraphBuilder::Scope scope(graph, name);
  Modes model = discretize(graph, *this);
  auto into = [&](const char *part) {
    return graph.splitTokens(graph.project(x, graph.parameter(name + part, {modes, channels})));
  };
  ComplexTensor driven{into(".B_re"), into(".B_im")}, state;
  if (mode.taps > 0) {
    state = convolveModes(graph, *this, model, driven, reset);
  } else {
    RecurrenceSpec spec;
    spec.outputDims = "bte";
    spec.state = name + ".state";
    spec.imaginaryState = name + ".imaginary_state";
    spec.reset = reset;
    state = scanModes(graph, *this, model, driven, "bte", spec);
  }
  auto outOf = [&](Value part, const char *weight) {
    return graph.project(graph.mergeLeading(part), graph.parameter(name + weight, {channels, modes}));
  };
  Value y = graph.map({outOf(state.real, ".C_re"), outOf(state.imaginary, ".C_im")},
                      [](OpBuilder &b, Location l, ValueRange v) -> Value {
                        Scalars s{b, l};
                        return s.mul(s.constant(2.0), s.sub(v[0], v[1]));
                      });
  return addSkip(graph, y, x, graph.parameter(name + ".D", {channels}));
}

} // namespace weft
