// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/conformance/AttentionCase.h"

#include "test/reference/attention.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace weft::test {
namespace {

constexpr int64_t kWindow = 3; ///< a query sees the keys i - 3 ... i + 3
constexpr double kCap = 2.0;
constexpr double kSlope = 0.125;

std::string number(int64_t value) { return std::to_string(value); }

/// Fills each `@{name}`.
std::string fill(std::string text, std::initializer_list<std::pair<std::string, std::string>> values) {
  for (const auto &[name, value] : values) {
    std::string mark = "@{" + name + "}";
    text = replaced(std::move(text), {{mark, value}});
  }
  return text;
}

/// The arguments that both regions take after the indices.
std::string extraArguments(const AttentionCase &c) {
  return std::string(c.hasPadding() || c.hasLength() || c.hasPositions() ? ", %p: i64" : "") +
         (c.hasBias() ? ", %bias: f32" : "");
}

std::string scoreBody(ScoreKind kind) {
  switch (kind) {
  case ScoreKind::SoftCap:
    return R"(
      %cap = arith.constant 2.0 : f32
      %small = arith.divf %s, %cap : f32
      %curve = math.tanh %small : f32
      %r = arith.mulf %curve, %cap : f32)";
  case ScoreKind::Alibi: // s - (h + 1) · slope · |i - j|
    return R"(
      %slope = arith.constant -0.125 : f32
      %distance = arith.subi %j, %i : index
      %whole = arith.index_cast %distance : index to i64
      %signed = arith.sitofp %whole : i64 to f32
      %far = math.absf %signed : f32
      %one = arith.constant 1 : index
      %head = arith.addi %h, %one : index
      %headWhole = arith.index_cast %head : index to i64
      %headNumber = arith.sitofp %headWhole : i64 to f32
      %steep = arith.mulf %headNumber, %slope : f32
      %less = arith.mulf %steep, %far : f32
      %r = arith.addf %s, %less : f32)";
  default:
    return "\n      %r = arith.addf %s, %bias : f32";
  }
}

std::string scoreRegion(const AttentionCase &c) {
  if (c.score == ScoreKind::Same)
    return "";
  return "\n    score {\n    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index" + extraArguments(c) +
         "):" + scoreBody(c.score) + "\n      weft.yield %r : f32\n    }";
}

std::string maskBody(MaskKind kind) {
  switch (kind) {
  case MaskKind::Causal:
    return "\n      %r = arith.cmpi sle, %j, %i : index";
  case MaskKind::Length:
    return R"(
      %length = arith.index_cast %p : i64 to index
      %r = arith.cmpi slt, %j, %length : index)";
  case MaskKind::Position:
    return R"(
      %last = arith.index_cast %p : i64 to index
      %near = arith.constant 50 : index
      %before = arith.subi %last, %j : index
      %past = arith.cmpi sle, %j, %last : index
      %isNear = arith.cmpi slt, %before, %near : index
      %r = arith.andi %past, %isNear : i1)";
  case MaskKind::Window:
    return R"(
      %w = arith.constant 3 : index
      %right = arith.addi %i, %w : index
      %left = arith.addi %j, %w : index
      %before = arith.cmpi sle, %j, %right : index
      %after = arith.cmpi sge, %left, %i : index
      %r = arith.andi %before, %after : i1)";
  case MaskKind::Chunks: // chunks of 20 see each other only
    return R"(
      %chunk = arith.constant 20 : index
      %mine = arith.divui %i, %chunk : index
      %yours = arith.divui %j, %chunk : index
      %r = arith.cmpi eq, %mine, %yours : index)";
  case MaskKind::Prefix: // the first 17 keys are seen by all
    return R"(
      %prefix = arith.constant 17 : index
      %shared = arith.cmpi slt, %j, %prefix : index
      %past = arith.cmpi sle, %j, %i : index
      %r = arith.ori %shared, %past : i1)";
  case MaskKind::PaddingCausal:
    return R"(
      %zero = arith.constant 0 : i64
      %real = arith.cmpi ne, %p, %zero : i64
      %past = arith.cmpi sle, %j, %i : index
      %r = arith.andi %real, %past : i1)";
  default:
    return "\n      %zero = arith.constant 0 : i64\n      %r = arith.cmpi ne, %p, %zero : i64";
  }
}

std::string maskRegion(const AttentionCase &c) {
  if (c.mask == MaskKind::None)
    return "";
  return "\n    mask {\n    ^bb0(%b: index, %h: index, %i: index, %j: index" + extraArguments(c) +
         "):" + maskBody(c.mask) + "\n      weft.yield %r : i1\n    }";
}

constexpr const char *kModule = R"(module attributes {weft.model = "attention", weft.dim_bounds = {
    batch = array<i64: 0, 16>, @{bound}keys = array<i64: 0, 8192>}} {
func.func @attend(
    %q: @{qtype} {weft.name = "query", weft.dims = @{qdims}},
    %k: @{ktype} {weft.name = "key", weft.dims = @{kdims}},
    %v: @{vtype} {weft.name = "value", weft.dims = @{kdims}}@{extras}@{factorarguments})
    -> (@{otype} {weft.name = "output", weft.dims = @{qdims}}@{lseresult}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %sequence = arith.constant @{sequence} : index
  %batch = tensor.dim %q, %c0 : @{qtype}
  %queries = tensor.dim %q, %sequence : @{qtype}
  %init = tensor.empty(@{sizes}) : @{otype}
  %lse = tensor.empty(@{sizes}) : @{ltype}
  %attended@{results} = weft.attention {scale = @{scale} : f32@{products}, indexing_maps = [
      affine_map<(b, h, i, j, d, e) -> (@{qmap}, d)>, affine_map<(b, h, i, j, d, e) -> (@{kmap}, d)>,
      affine_map<(b, h, i, j, d, e) -> (@{kmap}, e)>@{extramaps}@{factormaps},
      affine_map<(b, h, i, j, d, e) -> (@{qmap}, e)>@{lsemap}]}
    ins(%q, %k, %v@{extranames} : @{qtype}, @{ktype}, @{vtype}@{extratypes})@{factors}
    outs(%init@{lsename} : @{otype}@{lsetype})@{score}@{mask} -> @{otype}@{lsetype}
  return @{returned} : @{otype}@{lsetype}
}
})";

std::string nameOf(ElementType type) {
  switch (type) {
  case ElementType::BF16:
    return "bf16";
  case ElementType::F16:
    return "f16";
  case ElementType::I8:
    return "i8";
  default:
    return "f32";
  }
}

std::string tensorType(const AttentionCase &c, const std::string &sequence, int64_t heads, int64_t dim,
                       ElementType element) {
  std::string inner = c.sequenceFirst ? sequence + "x" + number(heads) : number(heads) + "x" + sequence;
  return "tensor<?x" + inner + "x" + number(dim) + "x" + nameOf(element) + ">";
}

std::string queryExtent(const AttentionCase &c) { return c.queries ? number(c.queries) : "?"; }

/// The name of the dimension of queries, where it is one.
std::string queryName(const AttentionCase &c) { return c.queries ? "\"\"" : "\"queries\""; }

std::string biasType(const AttentionCase &c) {
  return std::string(c.score == ScoreKind::BiasOfBatch ? "tensor<?x" : "tensor<") + number(c.heads) + "x" +
         queryExtent(c) + "x?xf32>";
}

std::string fillExtras(const AttentionCase &c, const std::string &text) {
  bool ofBatch = c.score == ScoreKind::BiasOfBatch;
  std::string arguments, maps, names, types;
  if (c.hasPadding()) {
    arguments = ",\n    %mask: tensor<?x?xi64> {weft.name = \"padding\", weft.dims = [\"batch\", \"keys\"]}";
    maps = ", affine_map<(b, h, i, j, d, e) -> (b, j)>", names = ", %mask", types = ", tensor<?x?xi64>";
  }
  if (c.hasLength()) {
    arguments = ",\n    %mask: tensor<?xi64> {weft.name = \"length\", weft.dims = [\"batch\"]}";
    maps = ", affine_map<(b, h, i, j, d, e) -> (b)>", names = ", %mask", types = ", tensor<?xi64>";
  }
  if (c.hasPositions()) {
    std::string type = "tensor<?x" + queryExtent(c) + "xi64>";
    arguments = ",\n    %mask: " + type + " {weft.name = \"position\", weft.dims = [\"batch\", " + queryName(c) + "]}";
    maps = ", affine_map<(b, h, i, j, d, e) -> (b, i)>", names = ", %mask", types = ", " + type;
  }
  if (c.hasBias()) {
    arguments += ",\n    %extra: " + biasType(c) + " {weft.name = \"bias\", weft.dims = [" +
                 (ofBatch ? "\"batch\", " : "") + "\"\", " + queryName(c) + ", \"keys\"]}";
    maps += std::string(", affine_map<(b, h, i, j, d, e) -> (") + (ofBatch ? "b, " : "") + "h, i, j)>";
    names += ", %extra", types += ", " + biasType(c);
  }
  return fill(text, {{"extras", arguments}, {"extramaps", maps}, {"extranames", names}, {"extratypes", types}});
}

/// The factors of 8-bit keys and values.
std::string fillFactors(const AttentionCase &c, const std::string &text) {
  if (c.stored != ElementType::I8)
    return fill(text, {{"factors", ""}, {"factorarguments", ""}, {"factormaps", ""}});
  std::string type =
      c.sequenceFirst ? "tensor<?x?x" + number(c.keyHeads) + "xf32>" : "tensor<?x" + number(c.keyHeads) + "x?xf32>";
  std::string dims = c.sequenceFirst ? R"(["batch", "keys", ""])" : R"(["batch", "", "keys"])", arguments;
  for (const char *name : {"key", "value"})
    arguments += fill(",\n    %@{name}: @{type} {weft.name = \"@{name}_scale\", weft.dims = @{dims}}",
                      {{"name", name}, {"type", type}, {"dims", dims}});
  std::string map = ", affine_map<(b, h, i, j, d, e) -> (@{kmap})>";
  return fill(text, {{"factors", " key_scale(%key : " + type + ") value_scale(%value : " + type + ")"},
                     {"factorarguments", arguments},
                     {"factormaps", map + map}});
}

} // namespace

float AttentionCase::scale() const { return std::ldexp(1.0f, -std::ilogb(double(headDim)) / 2); }

std::string AttentionCase::text() const {
  int64_t group = heads / keyHeads;
  std::string keyHead = group == 1 ? "h" : "h floordiv " + number(group);
  std::string lseType = "tensor<?x" + number(heads) + "x" + queryExtent(*this) + "xf32>", scaleText(32, '\0');
  scaleText.resize(std::snprintf(scaleText.data(), scaleText.size(), "%.9e", scale()));
  std::string text = fillFactors(*this, fillExtras(*this, kModule));
  std::string lseResult =
      ", " + lseType + " {weft.name = \"lse\", weft.dims = [\"batch\", \"\", " + queryName(*this) + "]}";
  text = fill(text, {{"qtype", tensorType(*this, queryExtent(*this), heads, headDim, computed)},
                     {"ktype", tensorType(*this, "?", keyHeads, headDim, stored)},
                     {"vtype", tensorType(*this, "?", keyHeads, valueDim, stored)},
                     {"otype", tensorType(*this, queryExtent(*this), heads, valueDim, computed)},
                     {"ltype", lseType},
                     {"bound", queries ? "" : "queries = array<i64: 0, 1024>, "},
                     {"sizes", queries ? "%batch" : "%batch, %queries"},
                     {"qdims", sequenceFirst ? "[\"batch\", " + queryName(*this) + ", \"\", \"\"]"
                                             : "[\"batch\", \"\", " + queryName(*this) + ", \"\"]"},
                     {"kdims", sequenceFirst ? R"(["batch", "keys", "", ""])" : R"(["batch", "", "keys", ""])"},
                     {"qmap", sequenceFirst ? "b, i, h" : "b, h, i"},
                     {"kmap", sequenceFirst ? "b, j, " + keyHead : "b, " + keyHead + ", j"}});
  text = fill(text, {{"sequence", sequenceFirst ? "1" : "2"},
                     {"heads", number(heads)},
                     {"scale", scaleText},
                     {"products", rounded ? ", product_type = bf16" : ""}});
  text = fill(text, {{"score", scoreRegion(*this)}, {"mask", maskRegion(*this)}, {"results", lse ? ":2" : ""}});
  return fill(text, {{"lseresult", lse ? lseResult : ""},
                     {"lsemap", lse ? ", affine_map<(b, h, i, j, d, e) -> (b, h, i)>" : ""},
                     {"lsename", lse ? ", %lse" : ""},
                     {"lsetype", lse ? ", " + lseType : ""},
                     {"returned", lse ? "%attended#0, %attended#1" : "%attended"}});
}

bool roundsProducts(const AttentionCase &c, const std::string &variant) {
  bool isDevice = variant.starts_with("sm_");
  return (isDevice && c.stored == ElementType::F16) ||
         ((isDevice || roundsRows(variant)) && (c.rounded || c.stored == ElementType::BF16));
}

std::vector<int64_t> layoutOf(const AttentionCase &c, int64_t batch, int64_t sequence, int64_t heads, int64_t dim) {
  return c.sequenceFirst ? std::vector<int64_t>{batch, sequence, heads, dim}
                         : std::vector<int64_t>{batch, heads, sequence, dim};
}

namespace {

/// The nearest bf16 to a number, or (exact for the numbers that a test makes: few bits, no extremes) f16.
uint16_t narrowed(float value, ElementType type) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if (type == ElementType::BF16)
    return uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
  double magnitude = std::abs(double(value)), unit = std::ldexp(1.0, std::max(std::ilogb(magnitude), -14) - 10);
  if (magnitude == 0)
    return 0;
  int exponent = std::max(std::ilogb(magnitude), -14) + 14;
  // A mantissa that rounds up to 2^11 carries into the exponent.
  auto mantissa = uint32_t(std::nearbyint(magnitude / unit));
  return uint16_t((value < 0 ? 0x8000u : 0u) + (uint32_t(exponent) << 10) + mantissa);
}

float widened(uint16_t bits, ElementType type) {
  if (type == ElementType::BF16)
    return std::bit_cast<float>(uint32_t(bits) << 16);
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  double magnitude = exponent ? std::ldexp(1024.0 + mantissa, exponent - 25) : std::ldexp(mantissa, -24);
  return float(bits & 0x8000 ? -magnitude : magnitude);
}

/// The array in another type; f32 stays. 8-bit integers are the nearest to 32 times the number.
Array stored(const Array &array, ElementType type) {
  Array result{array.name, type, array.shape, {}};
  auto append = [&](auto value) {
    auto *bytes = reinterpret_cast<const std::byte *>(&value);
    result.bytes.insert(result.bytes.end(), bytes, bytes + sizeof(value));
  };
  for (float value : floatsOf(array))
    if (type == ElementType::F32)
      append(value);
    else if (type == ElementType::I8)
      append(int8_t(std::clamp(std::nearbyint(value * 32), -127.0f, 127.0f)));
    else
      append(narrowed(value, type));
  return result;
}

/// 8-bit keys or values [.., dim] as numbers, times their factors [..].
Array scaled(const Array &array, const Array &factors) {
  std::vector<float> values = floatsOf(asFloats(array)), each = floatsOf(factors);
  int64_t dim = array.shape.back();
  for (size_t i = 0; i < values.size(); ++i)
    values[i] *= each[i / dim];
  return Array::of<float>(array.name, array.shape, values);
}

/// The factors of the tokens and heads of an array [.., dim].
Array factorsOf(const Array &array, const std::string &name, Numbers &numbers) {
  std::vector<int64_t> shape(array.shape.begin(), array.shape.end() - 1);
  std::vector<float> factors(elementsOf(shape));
  for (float &factor : factors)
    factor = float(16 + numbers.below(33)) / 1024;
  return Array::of<float>(name, shape, factors);
}

} // namespace

Array asFloats(const Array &array) {
  std::vector<float> values;
  size_t width = array.type == ElementType::F32 ? 4 : array.type == ElementType::I8 ? 1 : 2;
  for (size_t at = 0; at < array.bytes.size(); at += width) {
    uint16_t half = 0;
    float value = 0;
    if (width == 4)
      std::memcpy(&value, &array.bytes[at], width);
    else if (width == 1)
      value = float(int8_t(array.bytes[at]));
    else
      std::memcpy(&half, &array.bytes[at], width), value = widened(half, array.type);
    values.push_back(value);
  }
  return Array::of<float>(array.name, array.shape, values);
}

/// Positions of keys one after the other, and now and then one that is none.
static std::vector<int64_t> positionsOf(int64_t count, int64_t keys, Numbers &numbers) {
  constexpr int64_t kNone[] = {-1, -77, INT64_MIN, INT64_MAX, int64_t(1) << 40};
  std::vector<int64_t> positions(count);
  for (int64_t i = 0; i < count; ++i)
    positions[i] = numbers.below(9) == 0 ? kNone[numbers.below(5)] : keys / 3 + i % (keys + 1);
  return positions;
}

Arrays makeInputs(const AttentionCase &c, AttentionExtents extents, Numbers &numbers) {
  auto [batch, queries, keys] = extents;
  Arrays inputs = {numbers.array("query", layoutOf(c, batch, queries, c.heads, c.headDim)),
                   numbers.array("key", layoutOf(c, batch, keys, c.keyHeads, c.headDim)),
                   numbers.array("value", layoutOf(c, batch, keys, c.keyHeads, c.valueDim))};
  if (c.rounded)
    for (Array &input : inputs)
      input = asFloats(stored(input, ElementType::BF16));
  inputs[0] = stored(inputs[0], c.computed);
  inputs[1] = stored(inputs[1], c.stored);
  inputs[2] = stored(inputs[2], c.stored);
  if (c.hasPadding()) {
    std::vector<int64_t> padding(batch * keys);
    // The last item of a batch of several sees nothing; the others miss about every fourth key.
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t j = 0; j < keys; ++j)
        padding[b * keys + j] = b + 1 == batch && batch > 1 ? 0 : numbers.below(4) != 0;
    inputs.push_back(Array::of<int64_t>("padding", {batch, keys}, padding));
  }
  if (c.hasLength()) {
    std::vector<int64_t> lengths(batch);
    for (int64_t &length : lengths)
      length = numbers.below(keys + 1);
    inputs.push_back(Array::of<int64_t>("length", {batch}, lengths));
  }
  if (c.hasPositions())
    inputs.push_back(Array::of<int64_t>("position", {batch, queries}, positionsOf(batch * queries, keys, numbers)));
  if (c.score == ScoreKind::BiasOfBatch)
    inputs.push_back(numbers.array("bias", {batch, c.heads, queries, keys}));
  if (c.score == ScoreKind::BiasOfHeads)
    inputs.push_back(numbers.array("bias", {c.heads, queries, keys}));
  if (c.stored == ElementType::I8) {
    inputs.push_back(factorsOf(inputs[1], "key_scale", numbers));
    inputs.push_back(factorsOf(inputs[2], "value_scale", numbers));
  }
  return inputs;
}

namespace {

/// [batch, sequence, heads, dim] and [batch, heads, sequence, dim] into one another.
template <class T>
std::vector<T> swapInner(const std::vector<T> &from, int64_t batch, int64_t outer, int64_t inner, int64_t dim) {
  std::vector<T> to(from.size());
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i)
        std::copy_n(from.begin() + ((b * outer + o) * inner + i) * dim, dim,
                    to.begin() + ((b * inner + i) * outer + o) * dim);
  return to;
}

std::vector<double> headsFirst(const AttentionCase &c, const Array &array) {
  const std::vector<int64_t> &s = array.shape;
  return c.sequenceFirst ? swapInner(widen(array), s[0], s[1], s[2], s[3]) : widen(array);
}

/// The changes of score and mask, as functions of the indices.
struct Regions {
  reference::Score score;
  reference::Mask mask;
};

Regions regionsOf(const AttentionCase &c, AttentionExtents extents, const Arrays &inputs) {
  Regions regions;
  auto [batch, queries, keys] = extents;
  const Array &last = inputs[inputs.size() - (c.stored == ElementType::I8 ? 3 : 1)];
  std::vector<int64_t> padding;
  if (c.hasPadding())
    padding.assign(inputs[3].values<int64_t>().begin(), inputs[3].values<int64_t>().end());
  auto real = [=](int64_t b, int64_t j) { return padding.empty() || padding[b * keys + j] != 0; };
  if (c.hasPadding())
    regions.mask = [=](int64_t b, int64_t, int64_t, int64_t j) { return real(b, j); };
  if (c.hasLength()) {
    std::vector<int64_t> lengths(inputs[3].values<int64_t>().begin(), inputs[3].values<int64_t>().end());
    regions.mask = [=](int64_t b, int64_t, int64_t, int64_t j) { return j < lengths[b]; };
  }
  if (c.hasPositions()) {
    std::vector<int64_t> positions(inputs[3].values<int64_t>().begin(), inputs[3].values<int64_t>().end());
    regions.mask = [=](int64_t b, int64_t, int64_t i, int64_t j) {
      int64_t position = positions[b * queries + i];
      return j <= position && position < j + 50;
    };
  }
  if (c.mask == MaskKind::Causal || c.mask == MaskKind::PaddingCausal)
    regions.mask = [=](int64_t b, int64_t, int64_t i, int64_t j) { return j <= i && real(b, j); };
  if (c.mask == MaskKind::Window)
    regions.mask = [](int64_t, int64_t, int64_t i, int64_t j) { return std::abs(i - j) <= kWindow; };
  if (c.mask == MaskKind::Chunks)
    regions.mask = [](int64_t, int64_t, int64_t i, int64_t j) { return i / 20 == j / 20; };
  if (c.mask == MaskKind::Prefix)
    regions.mask = [](int64_t, int64_t, int64_t i, int64_t j) { return j < 17 || j <= i; };
  if (c.hasBias()) {
    std::vector<double> bias = widen(last);
    int64_t ofBatch = c.score == ScoreKind::BiasOfBatch;
    regions.score = [=, heads = c.heads](double s, int64_t b, int64_t h, int64_t i, int64_t j) {
      return s + bias[((ofBatch * b * heads + h) * queries + i) * keys + j];
    };
  }
  if (c.score == ScoreKind::SoftCap)
    regions.score = [](double s, int64_t, int64_t, int64_t, int64_t) { return kCap * std::tanh(s / kCap); };
  if (c.score == ScoreKind::Alibi)
    regions.score = [](double s, int64_t, int64_t h, int64_t i, int64_t j) {
      return s - double(h + 1) * kSlope * double(std::abs(i - j));
    };
  return regions;
}

/// The same formula in f32, three loops and std::exp.
class PlainAttention {
public:
  PlainAttention(const AttentionCase &c, AttentionExtents extents, const Regions &regions)
      : c(c), extents(extents), regions(regions) {}

  void run(const std::vector<float> &query, const std::vector<float> &key, const std::vector<float> &value,
           AttentionValues &values) {
    values.plainOutput.assign(extents.batch * c.heads * extents.queries * c.valueDim, 0.0f);
    values.plainLse.resize(extents.batch * c.heads * extents.queries);
    for (int64_t b = 0; b < extents.batch; ++b)
      for (int64_t h = 0; h < c.heads; ++h)
        for (int64_t i = 0; i < extents.queries; ++i) {
          int64_t row = (b * c.heads + h) * extents.queries + i;
          int64_t first = (b * c.keyHeads + h / (c.heads / c.keyHeads)) * extents.keys;
          std::vector<float> weights = scores(&query[row * c.headDim], &key[first * c.headDim], b, h, i);
          values.plainLse[row] = softmax(weights);
          for (int64_t j = 0; j < extents.keys; ++j)
            for (int64_t e = 0; e < c.valueDim; ++e)
              values.plainOutput[row * c.valueDim + e] += weights[j] * value[(first + j) * c.valueDim + e];
        }
  }

private:
  static constexpr float kHidden = -std::numeric_limits<float>::infinity();

  std::vector<float> scores(const float *query, const float *keys, int64_t b, int64_t h, int64_t i) const {
    std::vector<float> scores(extents.keys, kHidden);
    for (int64_t j = 0; j < extents.keys; ++j) {
      if (regions.mask && !regions.mask(b, h, i, j))
        continue;
      float sum = 0;
      for (int64_t d = 0; d < c.headDim; ++d)
        sum += query[d] * keys[j * c.headDim + d];
      scores[j] = sum * c.scale();
      if (regions.score)
        scores[j] = float(regions.score(scores[j], b, h, i, j));
    }
    return scores;
  }

  /// Scores into weights; returns the log-sum-exp.
  static float softmax(std::vector<float> &scores) {
    float max = kHidden, sum = 0;
    for (float score : scores)
      max = std::max(max, score);
    for (float &score : scores)
      sum += score = max == kHidden ? 0.0f : std::exp(score - max);
    for (float &score : scores)
      score = sum == 0 ? 0.0f : score / sum;
    return sum == 0 ? kHidden : max + std::log(sum);
  }

  const AttentionCase &c;
  AttentionExtents extents;
  const Regions &regions;
};

std::vector<float> narrow(const std::vector<double> &values) { return {values.begin(), values.end()}; }

} // namespace

AttentionValues expectedOf(const AttentionCase &c, AttentionExtents extents, const Arrays &inputs) {
  auto [batch, queries, keys] = extents;
  bool factors = c.stored == ElementType::I8;
  Array keyArray = factors ? scaled(inputs[1], inputs[inputs.size() - 2]) : asFloats(inputs[1]),
        valueArray = factors ? scaled(inputs[2], inputs[inputs.size() - 1]) : asFloats(inputs[2]);
  std::vector<double> query = headsFirst(c, asFloats(inputs[0])), key = headsFirst(c, keyArray),
                      value = headsFirst(c, valueArray);
  Regions regions = regionsOf(c, extents, inputs);
  reference::AttentionShape shape{batch, c.heads, c.keyHeads, queries, keys, c.headDim, c.valueDim};
  reference::AttentionResult result =
      reference::attention(shape, query, key, value, c.scale(), regions.score, regions.mask);
  AttentionValues values{std::move(result.output), std::move(result.lse), {}, {}};
  PlainAttention(c, extents, regions).run(narrow(query), narrow(key), narrow(value), values);
  if (c.sequenceFirst) {
    values.output = swapInner(values.output, batch, c.heads, queries, c.valueDim);
    values.plainOutput = swapInner(values.plainOutput, batch, c.heads, queries, c.valueDim);
  }
  return values;
}

} // namespace weft::test
