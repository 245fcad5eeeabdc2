// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "benchmarks/micro/Kernels.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace weft::micro {
namespace {

using Words = std::vector<std::pair<std::string, std::string>>;

/// The text with each $WORD replaced, the first of the list first.
std::string fill(std::string text, const Words &words) {
  for (const auto &[word, value] : words)
    for (size_t at = 0; (at = text.find("$" + word, at)) != std::string::npos; at += value.size())
      text.replace(at, word.size() + 1, value);
  return text;
}

constexpr const char *kProduct = R"(
#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n, k)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @run(%x: $X {weft.name = "x", weft.dims = ["m", ""]})
    -> ($Y {weft.name = "y", weft.dims = ["m", ""]}) attributes {weft.entry} {
  %first = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %first : $X
  %w = weft.parameter "w" : $W
  %e = tensor.empty(%m) : $Y
  %start = linalg.fill ins(%zero : f32) outs(%e : $Y) -> $Y
  %y = linalg.matmul indexing_maps = [#x, #w, #y] ins(%x, %w : $X, $W) outs(%start : $Y) -> $Y
  return %y : $Y
})";

constexpr const char *kAttention = R"(
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>
#y = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
func.func @run(%q: $T {weft.name = "q", weft.dims = ["", "s", "", ""]},
               %k: $T {weft.name = "k", weft.dims = ["", "s", "", ""]},
               %v: $T {weft.name = "v", weft.dims = ["", "s", "", ""]})
    -> ($T {weft.name = "y", weft.dims = ["", "s", "", ""]}) attributes {weft.entry} {
  %one = arith.constant 1 : index
  %s = tensor.dim %q, %one : $T
  %e = tensor.empty(%s) : $T
  %y = weft.attention {scale = $SCALE : f32, indexing_maps = [#q, #k, #v, #y]}
    ins(%q, %k, %v : $T, $T, $T) outs(%e : $T)$MASK -> $T
  return %y : $T
})";

constexpr const char *kCausal = R"( mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %seen = arith.cmpi sle, %j, %i : index
      weft.yield %seen : i1
    })";

constexpr const char *kDecoding = R"(
#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h floordiv $GROUP, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h floordiv $GROUP, j, e)>
#y = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @run(%q: $Q {weft.name = "q", weft.dims = ["", "", "", ""]},
               %k: $K {weft.name = "k", weft.dims = ["", "", "s", ""]},
               %v: $K {weft.name = "v", weft.dims = ["", "", "s", ""]})
    -> ($Q {weft.name = "y", weft.dims = ["", "", "", ""]}) attributes {weft.entry} {
  %e = tensor.empty() : $Q
  %y = weft.attention {scale = $SCALE : f32, indexing_maps = [#q, #k, #v, #y]}
    ins(%q, %k, %v : $Q, $K, $K) outs(%e : $Q) -> $Q
  return %y : $Q
})";

constexpr const char *kLayerNorm = R"(
func.func @run(%x: $X {weft.name = "x", weft.dims = ["m", ""]}, %s: $V {weft.name = "s"}, %b: $V {weft.name = "b"})
    -> ($X {weft.name = "y", weft.dims = ["m", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %m = tensor.dim %x, %zero : $X
  %e = tensor.empty(%m) : $X
  %y = weft.layer_norm {epsilon = 1.0e-5 : f32} ins(%x, %s, %b : $X, $V, $V) outs(%e : $X) -> $X
  return %y : $X
})";

/// "1x?x8" as a tensor of f32.
std::string tensor(const std::string &extents) { return "tensor<" + extents + "xf32>"; }

std::string number(int64_t value) { return std::to_string(value); }

std::string scaleOf(int64_t dim) { return std::to_string(1 / std::sqrt(double(dim))); }

std::vector<float> valuesOf(const Operand &operand, uint32_t seed) {
  size_t count = 1;
  for (int64_t extent : operand.shape)
    count *= extent;
  std::vector<float> values(count);
  for (float &value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / static_cast<float>(1 << 23) - 1.0f;
  }
  return values;
}

/// A file of the safetensors format: the header's length, the header, the numbers.
void writeWeights(const std::filesystem::path &path, const std::vector<Operand> &weights) {
  std::string header, numbers;
  for (const Operand &weight : weights) {
    std::vector<float> values = valuesOf(weight, 1);
    std::string shape;
    for (int64_t extent : weight.shape)
      shape += (shape.empty() ? "" : ",") + number(extent);
    size_t begin = numbers.size();
    numbers.append(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(float));
    header += (header.empty() ? "{\"" : ",\"") + weight.name + R"(":{"dtype":"F32","shape":[)" + shape +
              R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(numbers.size()) + "]}";
  }
  header += "}";
  uint64_t length = header.size();
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char *>(&length), sizeof(length)) << header << numbers;
}

/// A folder of our own, gone with the object.
struct Scratch {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("weft-micro-" + number(getpid()));
  Scratch() { std::filesystem::create_directories(path); }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

Buffer bufferOf(const Operand &operand, std::vector<float> &memory) {
  return {operand.name, ElementType::F32, operand.shape, memory.data(), memory.size() * sizeof(float)};
}

Result<Session> compiled(const Kernel &kernel) {
  Scratch scratch;
  std::filesystem::path source = scratch.path / "kernel.mlir";
  std::ofstream(source) << kernel.text;
  if (!kernel.weights.empty())
    writeWeights(scratch.path / "kernel.safetensors", kernel.weights);
  Context context;
  Result<Graph> graph = import(context, source);
  if (!graph)
    return graph.takeError();
  CompileOptions options = {.targets = {"cpu:native"}, .weights = kernel.weightForm};
  options.dtype = kernel.dtype;
  Result<Executable> executable = compile(*graph, options);
  if (!executable)
    return executable.takeError();
  return executable->session({.threads = 1});
}

} // namespace

Kernel product(int64_t m, int64_t n, int64_t k, const std::string &form) {
  Kernel kernel;
  kernel.name = "product/" + form + "/" + number(m) + "x" + number(n) + "x" + number(k);
  kernel.text = fill(
      kProduct,
      {{"X", tensor("?x" + number(k))}, {"W", tensor(number(n) + "x" + number(k))}, {"Y", tensor("?x" + number(n))}});
  kernel.weights = {{"w", {n, k}}};
  kernel.inputs = {{"x", {m, k}}};
  kernel.output = {"y", {m, n}};
  kernel.work = 2.0 * m * n * k;
  double stored = sizeof(float);
  if (form == "bf16") {
    kernel.dtype = ElementType::BF16;
    kernel.bound = Bound::HalfProducts;
    stored = 2;
  } else if (form != "f32") {
    kernel.weightForm = form;
    kernel.bound = Bound::ByteProducts;
    // A factor of 16 bits for each 32 numbers, or one for a column.
    stored = form == "int4" ? 18.0 / 32 : form == "q8_0" ? 34.0 / 32 : 1;
  }
  if (m == 1) {
    kernel.bound = Bound::Reads;
    kernel.work = stored * n * k;
  }
  return kernel;
}

Kernel attention(int64_t heads, int64_t length, int64_t dim, bool causal) {
  Kernel kernel;
  kernel.name = std::string("attention/f32/") + (causal ? "causal" : "full") + "/H" + number(heads) + "S" +
                number(length) + "D" + number(dim);
  kernel.text = fill(kAttention, {{"MASK", causal ? kCausal : ""},
                                  {"SCALE", scaleOf(dim)},
                                  {"T", tensor("1x?x" + number(heads) + "x" + number(dim))}});
  std::vector<int64_t> shape = {1, length, heads, dim};
  kernel.inputs = {{"q", shape}, {"k", shape}, {"v", shape}};
  kernel.output = {"y", shape};
  double pairs = causal ? 0.5 * length * (length + 1) : double(length) * length;
  kernel.work = 4.0 * heads * pairs * dim;
  return kernel;
}

Kernel decoding(int64_t heads, int64_t keyHeads, int64_t context, int64_t dim) {
  Kernel kernel;
  kernel.name = "decode/f32/" + number(heads) + "on" + number(keyHeads) + "D" + number(dim) + "/" + number(context);
  kernel.text = fill(kDecoding, {{"GROUP", number(heads / keyHeads)},
                                 {"SCALE", scaleOf(dim)},
                                 {"Q", tensor("1x" + number(heads) + "x1x" + number(dim))},
                                 {"K", tensor("1x" + number(keyHeads) + "x?x" + number(dim))}});
  std::vector<int64_t> cache = {1, keyHeads, context, dim};
  kernel.inputs = {{"q", {1, heads, 1, dim}}, {"k", cache}, {"v", cache}};
  kernel.output = {"y", {1, heads, 1, dim}};
  kernel.work = 2.0 * keyHeads * context * dim * sizeof(float);
  kernel.bound = Bound::Reads;
  return kernel;
}

Kernel layerNorm(int64_t rows, int64_t width) {
  Kernel kernel;
  kernel.name = "layer_norm/f32/" + number(rows) + "x" + number(width);
  kernel.text = fill(kLayerNorm, {{"X", tensor("?x" + number(width))}, {"V", tensor(number(width))}});
  kernel.inputs = {{"x", {rows, width}}, {"s", {width}}, {"b", {width}}};
  kernel.output = {"y", {rows, width}};
  kernel.work = double(rows) * width * sizeof(float);
  kernel.bound = Bound::Reads;
  return kernel;
}

Result<Call> Call::prepare(const Kernel &kernel) {
  Result<Session> session = compiled(kernel);
  if (!session)
    return session.takeError();
  Call call(std::move(*session));
  for (const Operand &input : kernel.inputs)
    call.memory.push_back(valuesOf(input, 2 + call.memory.size()));
  call.memory.push_back(valuesOf(kernel.output, 0));
  for (size_t i = 0; i < kernel.inputs.size(); ++i)
    call.inputs.push_back(bufferOf(kernel.inputs[i], call.memory[i]));
  call.outputs = {bufferOf(kernel.output, call.memory.back())};
  return call;
}

} // namespace weft::micro
