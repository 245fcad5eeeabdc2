// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The architectures that the importer knows, by config.json's model_type.
#include "frontends/hf/arch/Architectures.h"

namespace weft {

llvm::ArrayRef<Architecture> architectures() {
  static const Architecture kTable[] = {
      {"albert", "Albert", "albert", readAlbert},
      {"bamba", "Bamba", "model", nullptr, readBamba},
      {"bert", "Bert", "bert", readBert},
      {"camembert", "Camembert", "roberta", readXlmRoberta},
      {"cohere", "Cohere", "model", nullptr, readCohere},
      {"cohere2", "Cohere2", "model", nullptr, readCohere2},
      {"dbrx", "Dbrx", "transformer", nullptr, readDbrx},
      {"deepseek_v2", "DeepseekV2", "model", nullptr, readDeepSeekV2},
      {"deepseek_v3", "DeepseekV3", "model", nullptr, readDeepSeekV3},
      {"distilbert", "DistilBert", "distilbert", readDistilBert},
      {"electra", "Electra", "electra", readElectra},
      {"falcon_h1", "FalconH1", "model", nullptr, readFalconH1},
      {"falcon_mamba", "FalconMamba", "backbone", nullptr, readFalconMamba},
      {"gemma", "Gemma", "model", nullptr, readGemma},
      {"gemma2", "Gemma2", "model", nullptr, readGemma2},
      {"gemma3_text", "Gemma3", "model", nullptr, readGemma3},
      {"glm", "Glm", "model", nullptr, readGlm},
      {"glm4", "Glm4", "model", nullptr, readGlm4},
      {"gpt_oss", "GptOss", "model", nullptr, readGptOss},
      {"granite", "Granite", "model", nullptr, readGranite},
      {"granitemoe", "GraniteMoe", "model", nullptr, readGraniteMoe},
      {"granitemoehybrid", "GraniteMoeHybrid", "model", nullptr, readGraniteHybrid},
      {"granitemoeshared", "GraniteMoeShared", "model", nullptr, readGraniteMoeShared},
      {"jamba", "Jamba", "model", nullptr, readJamba},
      {"jetmoe", "JetMoe", "model", nullptr, readJetMoe},
      {"lfm2", "Lfm2", "model", nullptr, readLfm2},
      {"llama", "Llama", "model", nullptr, readLlama},
      {"mamba", "Mamba", "backbone", nullptr, readMamba},
      {"mamba2", "Mamba2", "backbone", nullptr, readMamba2},
      {"mistral", "Mistral", "model", nullptr, readMistral},
      {"mixtral", "Mixtral", "model", nullptr, readMixtral},
      {"modernbert", "ModernBert", "model", readModernBert},
      {"mpnet", "MPNet", "mpnet", readMPNet},
      {"nemotron", "Nemotron", "model", nullptr, readNemotron},
      {"nemotron_h", "NemotronH", "backbone", nullptr, readNemotronH},
      {"olmo", "Olmo", "model", nullptr, readOlmo},
      {"olmo2", "Olmo2", "model", nullptr, readOlmo2},
      {"olmoe", "Olmoe", "model", nullptr, readOlmoe},
      {"phi", "Phi", "model", nullptr, readPhi},
      {"phi3", "Phi3", "model", nullptr, readPhi3},
      {"phimoe", "Phimoe", "model", nullptr, readPhimoe},
      {"qwen2", "Qwen2", "model", nullptr, readQwen2},
      {"qwen2_moe", "Qwen2Moe", "model", nullptr, readQwen2Moe},
      {"qwen3", "Qwen3", "model", nullptr, readQwen3},
      {"qwen3_moe", "Qwen3Moe", "model", nullptr, readQwen3Moe},
      {"qwen3_next", "Qwen3Next", "model", nullptr, readQwen3Next},
      {"recurrent_gemma", "RecurrentGemma", "model", nullptr, readRecurrentGemma},
      {"roberta", "Roberta", "roberta", readRoberta},
      {"rwkv", "Rwkv", "rwkv", nullptr, readRwkv},
      {"smollm3", "SmolLM3", "model", nullptr, readSmolLm3},
      {"stablelm", "StableLm", "model", nullptr, readStableLm},
      {"starcoder2", "Starcoder2", "model", nullptr, readStarcoder2},
      {"switch_transformers", "SwitchTransformersEncoder", "", readSwitch, nullptr, /*bareOnly=*/true},
      {"xlm-roberta", "XLMRoberta", "roberta", readXlmRoberta},
      {"xlstm", "xLSTM", "backbone", nullptr, readXLstm},
      {"zamba2", "Zamba2", "model", nullptr, readZamba2},
  };
  return kTable;
}

} // namespace weft
