// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mistral (Jiang et al. 2023, arXiv:2310.06825): queries see a window.
#include "frontends/hf/arch/Decoder.h"
#include "frontends/hf/arch/Experts.h"

namespace weft {

CausalModel readMistral(Config &config) {
  HybridSizes sizes;
  sizes.longest = 131072;
  Decoder decoder = readDecoder(config, sizes);
  decoder.attention.bias = decoder.attention.outBias = decoder.mlp.bias = false;
  decoder.attention.window = config.isNull("sliding_window") ? 0 : readWindow(config, 4096);
  return describeDecoder(config, decoder);
}

} // namespace weft
