// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The JSON beside a kernel. Every field is one that some release of Triton from 3.5 to 3.9 reads, but for `signature`,
// which says what to hand to triton.compiler.CompiledKernel, and `weft`, who made it.
#include "compiler/emit/ModelDescription.h"
#include "compiler/emit/PtxEmitter.h"

#include <nlohmann/json.hpp>

namespace weft {

constexpr int kWarp = 32;
constexpr int kScratchAlignment = 128;

/// p0, p1, …: parameters have no names in PTX.
static nlohmann::ordered_json signatureOf(const Kernel &kernel) {
  auto signature = nlohmann::ordered_json::object();
  for (const std::string &type : kernel.parameters)
    signature["p" + std::to_string(signature.size())] = type;
  return signature;
}

std::string metadataText(const Kernel &kernel) {
  const Target *target = findTarget(kernel.target);
  assert(target && "kernels are of targets in the table");
  nlohmann::ordered_json metadata;
  metadata["name"] = kernel.name;
  metadata["target"] = {{"backend", "cuda"}, {"arch", target->capability}, {"warp_size", kWarp}};
  metadata["warp_size"] = kWarp;
  metadata["num_warps"] = (kernel.threads + kWarp - 1) / kWarp;
  metadata["num_ctas"] = 1;
  metadata["cluster_dims"] = {1, 1, 1};
  metadata["shared"] = kernel.sharedBytes;
  metadata["tmem_size"] = 0;
  metadata["global_scratch_size"] = kernel.scratchBytes;
  metadata["global_scratch_align"] = kernel.scratchBytes ? kScratchAlignment : 1;
  metadata["profile_scratch_size"] = 0;
  metadata["profile_scratch_align"] = 1;
  metadata["launch_cooperative_grid"] = false;
  metadata["launch_cluster"] = false;
  metadata["launch_pdl"] = false;
  metadata["tensordesc_meta"] = nlohmann::ordered_json::array();
  metadata["signature"] = signatureOf(kernel);
  metadata["weft"] = compilerVersion();
  return metadata.dump(1) + "\n";
}

} // namespace weft
