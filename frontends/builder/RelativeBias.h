// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// T5's relative positions (Raffel et al. 2020, arXiv:1910.10683): a bias for each head that depends on the distance
// between query and key.
#ifndef WEFT_FRONTENDS_BUILDER_RELATIVEBIAS_H
#define WEFT_FRONTENDS_BUILDER_RELATIVEBIAS_H

#include "frontends/builder/GraphBuilder.h"

namespace weft {

/// Half of the buckets are for keys before the query and half for those after it. Of each half, the first half has one
/// distance each, and the others grow by a factor up to `longest`, which and what is beyond share the last.
struct RelativeBuckets {
  int64_t count = 32;    ///< at least 4, even
  int64_t longest = 128; ///< more than count / 4
};

/// For each query and key the entry of the parameter `name`.weight [buckets, heads]: [heads, sequence, sequence].
mlir::Value buildRelativeBias(GraphBuilder &graph, const std::string &name, const RelativeBuckets &buckets,
                              int64_t heads);

} // namespace weft

#endif // WEFT_FRONTENDS_BUILDER_RELATIVEBIAS_H
