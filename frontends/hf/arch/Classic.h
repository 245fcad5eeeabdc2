// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What decoders from before Llama have in common: layer norms with biases, an MLP without a gate, heads that all have
// keys of their own, and sizes under names of many kinds.
#ifndef WEFT_FRONTENDS_HF_ARCH_CLASSIC_H
#define WEFT_FRONTENDS_HF_ARCH_CLASSIC_H

#include "frontends/hf/arch/Decoder.h"

namespace weft {

/// Sizes by any of their names, attention "attn" and an MLP whose names the reader sets, both with biases, without
/// positions. A reader sets the defaults of its class in `sizes`; an intermediate of 0 is four times hidden, no
/// `activationField` is gelu. W0207: heads
/// that do not divide hidden.
Decoder readClassic(Config &config, HybridSizes sizes, const char *activationField = "activation_function",
                    const char *usualActivation = "gelu_new");

/// Texts end where the table `name` of positions does, whose first `offset` rows no token has.
void learnPositions(Decoder &decoder, const std::string &name, int64_t offset = 0);

/// The first `rotary_dim` channels of each head turn, neighbours against each other. W0207: a count that is odd, or
/// above the width of heads.
void readRotaryDim(Config &config, Decoder &decoder);

/// What ALiBi takes off each head's scores for a step (Press et al. 2021, arXiv:2108.12409): 2^(−8 k / n) for k = 1
/// to n where n is a power of two; for other n those of the next lower power, and then every second of the next higher.
std::vector<float> alibiSlopes(int64_t heads);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_ARCH_CLASSIC_H
