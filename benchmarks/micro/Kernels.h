// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels as MLIR text, and one of them compiled into this process and ready to be called.
#ifndef WEFT_BENCHMARKS_MICRO_KERNELS_H
#define WEFT_BENCHMARKS_MICRO_KERNELS_H

#include "weft/Compiler.h"

namespace weft::micro {

/// A dense array of f32.
struct Operand {
  std::string name;
  std::vector<int64_t> shape;
};

/// The peak loop that a kernel's speed is a share of.
enum class Bound { MultiplyAdds, HalfProducts, ByteProducts, Reads };

struct Kernel {
  std::string name;
  std::string text; ///< one entry, "run"
  std::vector<Operand> weights;
  std::vector<Operand> inputs;
  Operand output;
  double work = 0; ///< floating-point operations of a call; bytes where reads bound it
  Bound bound = Bound::MultiplyAdds;
  std::string weightForm = "keep";
  ElementType dtype = ElementType::F32;
};

/// x [m, k] times the transpose of a constant weight [n, k]. `form`: f32, bf16, or one of weightForms().
Kernel product(int64_t m, int64_t n, int64_t k, const std::string &form = "f32");

/// softmax(q kᵀ / sqrt(dim)) v over arrays [1, length, heads, dim].
Kernel attention(int64_t heads, int64_t length, int64_t dim, bool causal);

/// One query of `heads` heads against a context whose keys every `heads / keyHeads` of them share.
Kernel decoding(int64_t heads, int64_t keyHeads, int64_t context, int64_t dim);

Kernel layerNorm(int64_t rows, int64_t width);

/// A compiled kernel with its inputs and its output.
class Call {
public:
  static Result<Call> prepare(const Kernel &kernel);
  Result<void> operator()() { return session.run("run", inputs, outputs); }

private:
  explicit Call(Session session) : session(std::move(session)) {}

  Session session;
  std::vector<std::vector<float>> memory;
  std::vector<Buffer> inputs, outputs;
};

} // namespace weft::micro

#endif // WEFT_BENCHMARKS_MICRO_KERNELS_H
