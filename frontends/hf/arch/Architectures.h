// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an architecture's file tells the importer, and the table of all of them. README.md says how to add one.
#ifndef WEFT_FRONTENDS_HF_ARCH_ARCHITECTURES_H
#define WEFT_FRONTENDS_HF_ARCH_ARCHITECTURES_H

#include "frontends/builder/GraphBuilder.h"
#include "frontends/hf/Config.h"

#include <functional>

namespace weft {

/// norm(activation(dense(x))); without a dense name, x itself; without a norm name, no norm.
struct Transform {
  std::string dense = {};
  int64_t width = 0;
  Activation activation = Activation::Tanh;
  std::string norm = {};
  double epsilon = 0;
  bool denseBias = true, normBias = true;
};

/// Where the heads of an architecture keep their weights. An empty name: there is no such head.
struct Heads {
  std::string pooler = {}; ///< of the base model's pooler_output, tanh

  Transform maskedLM = {};           ///< before the product with the vocabulary
  std::string decoder = {};          ///< its weight; where absent from the files, and tied, the word embeddings
  std::string wordEmbeddings = {};   ///< their parameter
  bool tied = true;                  ///< config.json may say that decoder and embeddings differ
  std::string decoderBias = {};      ///< "" for none
  std::string decoderBiasAlias = {}; ///< another name under which files hold it

  Transform pooled = {};   ///< of the sentence's vector, before the sequence classifier
  bool meanPooled = false; ///< that vector: the mean over unmasked tokens, otherwise the first token
  std::string sequenceClassifier = "classifier";

  Transform perToken = {}; ///< before the token and answer classifiers
  std::string tokenClassifier = "classifier";
  std::string answers = "qa_outputs";

  Transform discriminator = {}; ///< before `replacedTokens`
  std::string replacedTokens = {};
};

/// An encoder whose config.json is read: sizes that its inputs need, its body and its heads.
struct EncoderModel {
  int64_t vocabulary = 0;
  int64_t tokenTypes = 0; ///< 0: no input token_type_ids
  int64_t maxTokens = 0;  ///< the longest sequence
  int64_t hidden = 0;
  /// Builds the hidden states [tokens, hidden] from the inputs of the entry.
  std::function<mlir::Value(GraphBuilder &)> encode = {};
  Heads heads = {};
};

/// A model that reads its text once, from left to right, whose config.json is read.
struct CausalModel {
  int64_t vocabulary = 0;
  int64_t hidden = 0;
  int64_t longestContext = 0; ///< positions of its caches, their dimension "context"; 0: it has none
  int64_t longestText = 0;    ///< tokens that a text may have; 0: any number
  /// What a session keeps of a text between two calls.
  std::vector<StateSpec> states = {};
  /// Builds the hidden states [tokens, hidden], after the last norm, from `input_ids` and those states that the entry
  /// has. `starts` [batch, sequence] is not 0 where a text starts; null: nowhere.
  std::function<mlir::Value(GraphBuilder &, mlir::Value starts)> run = {};
  std::string wordEmbeddings = {};     ///< their parameter
  std::string head = "lm_head.weight"; ///< where absent from the files, and tied, the word embeddings
  bool tied = true;                    ///< config.json may say that head and embeddings differ
  std::string headBias = {};           ///< a parameter, added to the logits; empty: none
  double scoreFactor = 1;              ///< of the logits
  double scoreCap = 0;                 ///< logits are capped softly at this; 0: not
  int64_t endToken = 0;                ///< ends a text, where no file says
};

/// A row has one of the two readers.
struct Architecture {
  const char *modelType;    ///< config.json's model_type: "bert"
  const char *classPrefix;  ///< of the names in `architectures`: "Bert" in "BertForMaskedLM"
  const char *tensorPrefix; ///< of the base model's tensors in a file with a head: "bert" of "bert.encoder…"
  EncoderModel (*read)(Config &config);
  CausalModel (*readCausal)(Config &config) = nullptr;
  bool bareOnly = false; ///< there is no class with a head
};

/// All architectures; to add one, declare its reader below and add a line to the table.
llvm::ArrayRef<Architecture> architectures();

EncoderModel readAlbert(Config &config);
EncoderModel readBert(Config &config);
EncoderModel readDistilBert(Config &config);
EncoderModel readElectra(Config &config);
EncoderModel readModernBert(Config &config);
EncoderModel readMPNet(Config &config);
EncoderModel readRoberta(Config &config);
EncoderModel readSwitch(Config &config);
EncoderModel readXlmRoberta(Config &config);

CausalModel readBamba(Config &config);
CausalModel readBloom(Config &config);
CausalModel readCodeGen(Config &config);
CausalModel readCohere(Config &config);
CausalModel readCohere2(Config &config);
CausalModel readDbrx(Config &config);
CausalModel readDeepSeekV2(Config &config);
CausalModel readDeepSeekV3(Config &config);
CausalModel readFalcon(Config &config);
CausalModel readFalconH1(Config &config);
CausalModel readFalconMamba(Config &config);
CausalModel readGemma(Config &config);
CausalModel readGemma2(Config &config);
CausalModel readGemma3(Config &config);
CausalModel readGlm(Config &config);
CausalModel readGlm4(Config &config);
CausalModel readGpt2(Config &config);
CausalModel readGptJ(Config &config);
CausalModel readGptNeo(Config &config);
CausalModel readGptNeoX(Config &config);
CausalModel readGptOss(Config &config);
CausalModel readGranite(Config &config);
CausalModel readGraniteHybrid(Config &config);
CausalModel readGraniteMoe(Config &config);
CausalModel readGraniteMoeShared(Config &config);
CausalModel readJamba(Config &config);
CausalModel readJetMoe(Config &config);
CausalModel readLfm2(Config &config);
CausalModel readLlama(Config &config);
CausalModel readMamba(Config &config);
CausalModel readMamba2(Config &config);
CausalModel readMistral(Config &config);
CausalModel readMixtral(Config &config);
CausalModel readMpt(Config &config);
CausalModel readNemotron(Config &config);
CausalModel readNemotronH(Config &config);
CausalModel readOlmo(Config &config);
CausalModel readOlmo2(Config &config);
CausalModel readOlmoe(Config &config);
CausalModel readOpt(Config &config);
CausalModel readPhi(Config &config);
CausalModel readPhi3(Config &config);
CausalModel readPhimoe(Config &config);
CausalModel readQwen2(Config &config);
CausalModel readQwen2Moe(Config &config);
CausalModel readQwen3(Config &config);
CausalModel readQwen3Moe(Config &config);
CausalModel readQwen3Next(Config &config);
CausalModel readRecurrentGemma(Config &config);
CausalModel readRwkv(Config &config);
CausalModel readSmolLm3(Config &config);
CausalModel readStableLm(Config &config);
CausalModel readStarcoder2(Config &config);
CausalModel readXLstm(Config &config);
CausalModel readZamba2(Config &config);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_ARCH_ARCHITECTURES_H
