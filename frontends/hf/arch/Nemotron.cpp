// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nemotron-4 and Minitron (Parmar et al. 2024, arXiv:2402.16819): layer norms of 1 + weight, an MLP of squared relus.
#include "frontends/hf/arch/Decoder.h"

namespace weft {

CausalModel readNemotron(Config &config) {
  HybridSizes sizes;
  sizes.vocabulary = 256000;
  sizes.hidden = 6144;
  sizes.intermediate = 24576;
  sizes.heads = 48;
  sizes.keyHeads = 0;
  sizes.longest = 4096;
  sizes.epsilon = 1e-5;
  sizes.epsilonField = "norm_eps";
  sizes.usualActivation = "relu2";
  Decoder decoder = readDecoder(config, sizes, /*theta=*/10000, /*share=*/0.5);
  decoder.mlp.gate = "";
  decoder.norms.kind = NormKind::LayerFromOne;
  CausalModel described = describeDecoder(config, decoder);
  described.endToken = 3;
  return described;
}

} // namespace weft
