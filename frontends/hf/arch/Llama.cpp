// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Llama 2 and 3 (Touvron et al. 2023, arXiv:2307.09288; Llama team 2024, arXiv:2407.21783), and models of their form.
#include "frontends/hf/arch/Decoder.h"

namespace weft {

CausalModel readLlama(Config &config) {
  HybridSizes sizes;
  sizes.intermediate = 11008;
  sizes.keyHeads = 0;
  sizes.longest = 2048;
  return describeDecoder(config, readDecoder(config, sizes));
}

} // namespace weft
