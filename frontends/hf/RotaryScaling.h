// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Positions that are scaled so that texts may be longer than those of the training, but for YaRN: by rope_type.
#ifndef WEFT_FRONTENDS_HF_ROTARYSCALING_H
#define WEFT_FRONTENDS_HF_ROTARYSCALING_H

#include "frontends/hf/RotaryFields.h"

namespace weft {

/// Whether `type` is one of these.
bool isScaledRotation(const std::string &type);

/// Changes the frequencies of `fields`, which has theta and dims, by the object `rope`; `config` is around it:
///   linear    all are divided by `factor` (Chen et al. 2023, arXiv:2306.15595)
///   llama3    slow ones are divided by `factor`, those between are mixed (Llama team 2024, arXiv:2407.21783)
///   dynamic   those of theta, as long as a text is no longer than `max_position_embeddings`
///   longrope  each is divided by its own factor (Ding et al. 2024, arXiv:2402.13753); those of short texts, for longer
///   ones
///             have others for all of their tokens, so that keys in a cache would no longer fit: texts end there
/// W0203, W0207: numbers that cannot be, or are missing.
void scaleRotation(Config &config, Config &rope, const std::string &type, RotaryFields &fields);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_ROTARYSCALING_H
