// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "frontends/hf/RotaryFields.h"

#include <algorithm>

namespace weft {

RotaryFields readRotaryFields(Config &config, int64_t width, const RotaryRules &rules) {
  Config rope = config.child("rope_parameters");
  double share = rope.number({"partial_rotary_factor"}, config.number({"partial_rotary_factor"}, rules.share));
  double theta = rope.number({"rope_theta"}, config.number({"rope_theta"}, rules.theta));
  std::string type = rope.text("rope_type", "default");
  if (rope.failed())
    config.fail(rope.takeError());
  if (type != "default" || (!rules.takesOldScaling && config.has("rope_scaling")))
    config.refuse("W0206", "the rotary positions are scaled",
                  std::string("the supported rope_type is default") +
                      (rules.takesOldScaling ? "" : ", without scaling"));
  if (theta < 1.0)
    config.refuse("W0203", "the base of the rotary positions is below 1", "correct rope_theta");
  auto dims = static_cast<int64_t>(static_cast<double>(width) * std::min(share, 2.0));
  if (dims >= 2 && dims % 2 == 0 && dims <= width)
    return {theta, dims};
  config.refuse("W0207",
                "the rotary positions turn " + std::to_string(dims) + " of the " + std::to_string(width) +
                    " elements of a head",
                "correct partial_rotary_factor" + rules.widthFields + ": the count must be even");
  return {theta, 0};
}

} // namespace weft
