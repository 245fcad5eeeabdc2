// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The architectures that the importer knows, by config.json's model_type.
#include "frontends/hf/arch/Architectures.h"

namespace weft {

llvm::ArrayRef<Architecture> architectures() {
  static const Architecture kTable[] = {
      {"albert", "Albert", "albert", readAlbert},
      {"bert", "Bert", "bert", readBert},
      {"camembert", "Camembert", "roberta", readXlmRoberta},
      {"distilbert", "DistilBert", "distilbert", readDistilBert},
      {"electra", "Electra", "electra", readElectra},
      {"falcon_mamba", "FalconMamba", "backbone", nullptr, readFalconMamba},
      {"mamba", "Mamba", "backbone", nullptr, readMamba},
      {"mamba2", "Mamba2", "backbone", nullptr, readMamba2},
      {"modernbert", "ModernBert", "model", readModernBert},
      {"mpnet", "MPNet", "mpnet", readMPNet},
      {"recurrent_gemma", "RecurrentGemma", "model", nullptr, readRecurrentGemma},
      {"roberta", "Roberta", "roberta", readRoberta},
      {"rwkv", "Rwkv", "rwkv", nullptr, readRwkv},
      {"xlm-roberta", "XLMRoberta", "roberta", readXlmRoberta},
      {"xlstm", "xLSTM", "backbone", nullptr, readXLstm},
  };
  return kTable;
}

} // namespace weft
