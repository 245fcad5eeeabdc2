// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of test/lowering/nvptx/tile-*.mlir on the simulated GPU, which finds reads of what nothing wrote, races,
// missing fences and deadlocks, against float64. Outputs hold NaN before: what is not stored is seen.
#include "test/conformance/Halves.h"
#include "test/conformance/Numbers.h"
#include "test/conformance/TileKernel.h"
#include "test/reference/attention.h"

#include <cmath>

namespace weft::test {
namespace {

constexpr uint16_t kNan = 0x7fc0;

/// Numbers of bf16: as bits, and as they are.
struct Bf16 {
  std::vector<uint16_t> bits;
  std::vector<double> values;

  Bf16(Numbers &numbers, int64_t count) {
    for (float value : numbers.normals(count)) {
      bits.push_back(bitsOf(kStored[0], value));
      values.push_back(fromBits(kStored[0], bits.back()));
    }
  }
};

std::vector<float> floats(const std::vector<uint16_t> &bits) {
  std::vector<float> values;
  for (uint16_t one : bits)
    values.push_back(fromBits(kStored[0], one));
  return values;
}

uint32_t blocks(int64_t extent, int64_t tile) { return static_cast<uint32_t>((extent + tile - 1) / tile); }

/// y = x · wᵀ; `map`: by tensor maps, in tiles of 128 × 256, else by pointers, of 128 × 128.
void expectProduct(TileKernel &kernel, bool map, int64_t m, int64_t n, int64_t k) {
  Numbers numbers(static_cast<uint32_t>(m * 131 + n * 17 + k));
  Bf16 x(numbers, m * k), w(numbers, n * k);
  uint64_t xAt = kernel.upload(x.bits), wAt = kernel.upload(w.bits);
  uint64_t yAt = kernel.upload(std::vector<float>(m * n, NAN));
  Arguments arguments;
  auto extents = [&](int64_t rows) { return std::vector{static_cast<uint32_t>(k), static_cast<uint32_t>(rows)}; };
  if (map)
    arguments.addMap(kernel.tensorMap(xAt, extents(m), {64, 128}).data())
        .addMap(kernel.tensorMap(wAt, extents(n), {64, 256}).data());
  else
    arguments.add(xAt).add(wAt);
  arguments.add(yAt).add(uint64_t(m)).add(uint64_t(n)).add(uint64_t(k));
  kernel.launch({blocks(n, map ? 256 : 128), blocks(m, 128), 1}, arguments);
  std::vector<double> expected(m * n, 0);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t l = 0; l < k; ++l)
        expected[i * n + j] += x.values[i * k + l] * w.values[j * k + l];
  RelativeError error;
  error.add(kernel.download<float>(yAt, m * n), expected);
  EXPECT_LE(error.value(), 1e-6) << m << " x " << n << " x " << k;
}

/// Sizes that are tiles, more by one, primes (K and N in multiples of 8: rows of 16 bytes) and single.
constexpr int64_t kProducts[][3] = {{128, 256, 64}, {129, 264, 200}, {1, 8, 8}, {61, 136, 40}};

TEST(TileProduct, IsThatOfFloat64OnSm80) {
  TileKernel kernel("lowering/nvptx/tile-product-sm80.mlir", "sm_80");
  for (auto [m, n, k] : kProducts)
    expectProduct(kernel, false, m, n, k);
}

TEST(TileProduct, IsThatOfFloat64OnSm90a) {
  TileKernel kernel("lowering/nvptx/tile-product-sm90a.mlir", "sm_90a");
  for (auto [m, n, k] : kProducts)
    expectProduct(kernel, true, m, n, k);
}

/// y = x · w, w as [k, n], in tiles of 64 × 64; numbers of T from `stored`, or of f32.
template <typename T> void expectProductOfRows(TileKernel &kernel, double bound, int64_t m, int64_t n, int64_t k) {
  Numbers numbers(static_cast<uint32_t>(m + n + k));
  auto stored = [&](int64_t count) {
    std::vector<T> values;
    for (float value : numbers.normals(count))
      if constexpr (std::is_same_v<T, float>)
        values.push_back(value);
      else
        values.push_back(bitsOf(kStored[0], value));
    return values;
  };
  auto number = [](T value) -> double {
    if constexpr (std::is_same_v<T, float>)
      return value;
    else
      return fromBits(kStored[0], value);
  };
  std::vector<T> x = stored(m * k), w = stored(k * n);
  uint64_t y = kernel.upload(std::vector<float>(m * n, NAN));
  Arguments arguments;
  arguments.add(kernel.upload(x)).add(kernel.upload(w)).add(y);
  arguments.add(uint64_t(m)).add(uint64_t(n)).add(uint64_t(k));
  kernel.launch({blocks(n, 64), blocks(m, 64), 1}, arguments);
  std::vector<double> expected(m * n, 0);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t l = 0; l < k; ++l)
        expected[i * n + j] += number(x[i * k + l]) * number(w[l * n + j]);
  RelativeError error;
  error.add(kernel.download<float>(y, m * n), expected);
  EXPECT_LE(error.value(), bound) << m << " x " << n << " x " << k;
}

TEST(TileProduct, ExchangesRowsAndColumnsOf16Bits) {
  TileKernel kernel("lowering/nvptx/tile-product-rows.mlir", "sm_80", {{"TYPE", "bf16"}, {"SPLIT", ""}});
  for (auto [m, n, k] : kProducts)
    expectProductOfRows<uint16_t>(kernel, 1e-6, m, n, k);
}

/// f32 within the bound that products in f32 have.
TEST(TileProduct, SplitsF32) {
  TileKernel kernel("lowering/nvptx/tile-product-rows.mlir", "sm_80", {{"TYPE", "f32"}, {"SPLIT", "{split}"}});
  for (auto [m, n, k] : kProducts)
    expectProductOfRows<float>(kernel, 2e-6, m, n, k);
}

TEST(TileProduct, CutsF32ToTf32) {
  TileKernel kernel("lowering/nvptx/tile-product-rows.mlir", "sm_80", {{"TYPE", "f32"}, {"SPLIT", ""}});
  expectProductOfRows<float>(kernel, 2e-3, 61, 136, 40);
}

/// The kernel of 16-bit numbers with 8-bit ones: exact.
TEST(TileProduct, IsExactOf8Bits) {
  TileKernel kernel("lowering/nvptx/tile-product-sm80.mlir", "sm_80",
                    {{"x32xbf16, swizzle = 64", "x32xi8, swizzle = 32"},
                     {"128x128xf32", "128x128xi32"},
                     {"0.0 : f32", "0 : i32"},
                     {"%zero : f32", "%zero : i32"}});
  Numbers numbers(8);
  const int64_t m = 61, n = 136, k = 80;
  auto bytes = [&](int64_t count) {
    std::vector<int8_t> values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(static_cast<int8_t>(numbers.below(256) - 128));
    return values;
  };
  std::vector<int8_t> x = bytes(m * k), w = bytes(n * k);
  uint64_t y = kernel.upload(std::vector<int32_t>(m * n, -1));
  Arguments arguments;
  arguments.add(kernel.upload(x)).add(kernel.upload(w)).add(y).add(uint64_t(m)).add(uint64_t(n)).add(uint64_t(k));
  kernel.launch({blocks(n, 128), blocks(m, 128), 1}, arguments);
  std::vector<int32_t> expected(m * n, 0);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t l = 0; l < k; ++l)
        expected[i * n + j] += x[i * k + l] * w[j * k + l];
  EXPECT_EQ(kernel.download<int32_t>(y, m * n), expected);
}

/// Causal, [heads, tokens, width].
void expectAttention(TileKernel &kernel, bool map, int64_t width, int64_t heads, int64_t keyHeads, int64_t tokens) {
  Numbers numbers(static_cast<uint32_t>(width + heads * 7 + tokens));
  Bf16 q(numbers, heads * tokens * width), k(numbers, keyHeads * tokens * width), v(numbers, keyHeads * tokens * width);
  uint64_t at[] = {kernel.upload(q.bits), kernel.upload(k.bits), kernel.upload(v.bits)};
  size_t count = q.bits.size();
  uint64_t out = kernel.upload(std::vector<uint16_t>(count, kNan));
  float scale = static_cast<float>(1 / std::log(2.0) / std::sqrt(double(width)));
  Arguments arguments;
  auto mapOf = [&](uint64_t address, int64_t of, uint16_t rows) {
    std::vector<uint32_t> extents{uint32_t(width), uint32_t(tokens), uint32_t(of)};
    arguments.addMap(kernel.tensorMap(address, extents, {64, rows, 1}).data());
  };
  if (map) {
    mapOf(at[0], heads, 128), mapOf(at[1], keyHeads, 128), mapOf(at[2], keyHeads, 128), mapOf(out, heads, 64);
    arguments.add(uint64_t(tokens)).add(int32_t(heads / keyHeads)).add(scale);
  } else {
    arguments.add(at[0]).add(at[1]).add(at[2]).add(out).add(uint64_t(tokens)).add(scale);
  }
  kernel.launch({blocks(tokens, map ? 128 : 64), uint32_t(heads), 1}, arguments);
  reference::AttentionShape shape{1, heads, keyHeads, tokens, tokens, width, width};
  auto causal = [](int64_t, int64_t, int64_t i, int64_t j) { return j <= i; };
  auto expected = reference::attention(shape, q.values, k.values, v.values, 1 / std::sqrt(double(width)), {}, causal);
  RelativeError error;
  error.add(floats(kernel.download<uint16_t>(out, count)), expected.output);
  EXPECT_LE(error.value(), 4e-3) << "width " << width << ", heads " << heads << ", tokens " << tokens;
}

TEST(TileAttention, IsThatOfFloat64OnSm80) {
  for (int64_t width : {64, 128}) {
    TileKernel kernel("lowering/nvptx/tile-attention-sm80.mlir", "sm_80", {{"WIDTH", std::to_string(width)}});
    for (int64_t tokens : {1, 64, 65, 131})
      expectAttention(kernel, false, width, 2, 2, tokens);
  }
}

TEST(TileAttention, IsThatOfFloat64OnSm90a) {
  TileKernel kernel("lowering/nvptx/tile-attention-sm90a.mlir", "sm_90a");
  for (int64_t tokens : {1, 128, 129, 307})
    expectAttention(kernel, true, 128, 2, 1, tokens);
}

} // namespace
} // namespace weft::test
