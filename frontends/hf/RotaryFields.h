// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the heads of attention turn with their positions, by config.json.
#ifndef WEFT_FRONTENDS_HF_ROTARYFIELDS_H
#define WEFT_FRONTENDS_HF_ROTARYFIELDS_H

#include "frontends/builder/Rotary.h"
#include "frontends/hf/Config.h"

namespace weft {

struct RotaryFields {
  double theta;                        ///< base of the wave lengths, at least 1
  int64_t dims;                        ///< elements of a head that turn, even; 0: refused
  std::vector<float> frequencies = {}; ///< dims / 2, by which they turn in a step; empty: those of theta
  double turnScale = 1;                ///< of the elements that turn
  double scoreFactor = 1;              ///< of scores, by `mscale_all_dim` where the positions are scaled
  int64_t longest = 0;                 ///< where longer texts would have other frequencies for all tokens: 0: nowhere
};

/// YaRN and by how much it lengthens what turns.
struct YarnFields {
  YarnSpec spec;
  double turnScale = 1;
};

/// What a family has where the file does not say.
struct RotaryRules {
  double share = 1;                                   ///< of a head's elements turn
  double theta = 10000;                               ///< see RotaryFields
  bool takesOldScaling = false;                       ///< whether `rope_scaling` may stand there, unread
  bool takesYarn = false;                             ///< whether positions may be scaled by YaRN
  bool takesScaling = false;                          ///< and by linear, dynamic, llama3 or longrope
  const char *layerType = nullptr;                    ///< of the layers whose object among several is read
  std::optional<YarnFields> yarn = {};                ///< what scales them where the file has neither object
  std::string widthFields = " or the width of heads"; ///< after partial_rotary_factor: what else decides the count
};

/// Reads `rope_parameters`, or its older names beside the other fields, for heads of `width` elements. W0206: positions
/// that are scaled in a way that is not computed; W0203: a base below 1, numbers that YaRN cannot be of; W0207: a count
/// that is odd, below 2 or above the width.
RotaryFields readRotaryFields(Config &config, int64_t width, const RotaryRules &rules);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_ROTARYFIELDS_H
