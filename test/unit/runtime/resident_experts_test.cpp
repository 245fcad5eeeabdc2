// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which experts of a weight are held, fetched and given back, on weights whose pages come and go on paper only; and
// the same through the C interface and on a mapped file.
#include "runtime/core/File.h"
#include "runtime/core/ResidentExperts.h"
#include "test/unit/runtime/Artifact.h"

#include <map>

using namespace weft::runtime;
using weft::test::OpenSession;

namespace {
constexpr int64_t kExperts = 4, kRows = 2, kColumns = 16, kExpertBytes = kRows * kColumns * 4;

/// Ranges that were asked for and given back, in order: "+" and "-" with the weight's and the expert's number.
std::string log;
const char *firstWeight = nullptr;
std::map<std::string, bool> taken; // experts whose pages the system has taken

std::string nameOf(const char *begin) {
  int64_t expert = (begin - firstWeight) / kExpertBytes;
  return std::string(1, static_cast<char>('a' + expert / kExperts)) + std::to_string(expert % kExperts);
}
void fetch(const char *begin, size_t bytes) {
  EXPECT_EQ(bytes, size_t(kExpertBytes));
  log += " +" + nameOf(begin);
}
void drop(const char *begin, size_t bytes) {
  log += " -" + (bytes == size_t(kExpertBytes) ? nameOf(begin) : nameOf(begin).substr(0, 1));
}
bool isPresent(const char *begin, size_t) { return !taken[nameOf(begin)]; }
constexpr PageCalls kPaper = {fetch, drop, isPresent};

/// Weights a, b, … of four experts each.
struct Held {
  explicit Held(int64_t limit, int32_t weights = 1) : count(weights), data(size_t(weights * kExperts * kRows * 16)) {
    log.clear();
    taken.clear();
    firstWeight = reinterpret_cast<const char *>(data.data());
    for (int32_t i = 0; i < weights; ++i) {
      parameters.push_back({"w", WEFT_F32, 3, shape});
      pointers.push_back(weight(i));
    }
    weft_abi_model code = {};
    code.parameter_count = weights;
    code.parameters = parameters.data();
    EXPECT_TRUE(experts.start(code, pointers.data(), limit, kPaper));
  }
  const void *weight(int32_t index) const { return data.data() + index * kExperts * kRows * kColumns; }

  /// What is fetched and given back when these experts get rows, after regions that read those before.
  std::string choose(std::vector<int> chosen, int32_t index = 0, bool readersDone = true) {
    std::vector<int32_t> offsets = {0};
    for (int e = 0; e < kExperts; ++e)
      offsets.push_back(offsets.back() + (std::find(chosen.begin(), chosen.end(), e) != chosen.end() ? 3 : 0));
    log.clear();
    experts.chosen(weight(index), kExpertBytes, offsets.data(), kExperts, readersDone);
    return log;
  }

  int32_t count;
  int64_t shape[3] = {kExperts, kRows, kColumns};
  std::vector<float> data;
  std::vector<weft_abi_parameter> parameters;
  std::vector<const void *> pointers;
  ResidentExperts experts;
};
} // namespace

// Opening has read the whole weight: what the first choice does not name goes.
TEST(ResidentExperts, FirstChoiceDropsTheRest) {
  Held held(2);
  EXPECT_EQ(held.choose({1, 3}), " -a +a1 +a3");
}

TEST(ResidentExperts, LeastRecentlyChosenGoes) {
  Held held(3);
  held.choose({0, 1});
  EXPECT_EQ(held.choose({2}), " +a2");
  EXPECT_EQ(held.choose({0}), "");
  EXPECT_EQ(held.choose({3}), " +a3 -a1");
  EXPECT_EQ(held.choose({1}), " +a1 -a2");
  weft_experts_info info = held.experts.info();
  EXPECT_EQ(info.hits, 1u);
  EXPECT_EQ(info.misses, 5u);
  EXPECT_EQ(info.evictions, 2u);
}

TEST(ResidentExperts, EveryWeightHoldsSoMany) {
  Held held(1, 2);
  held.choose({0}, 0);
  held.choose({0}, 1);
  EXPECT_EQ(held.choose({0}, 0), "");
  EXPECT_EQ(held.choose({2}, 1), " +b2 -b0");
  EXPECT_EQ(held.choose({0}, 0), "");
}

// More at once than the limit: none of them goes before the regions that read them are over.
TEST(ResidentExperts, CrowdStaysUntilItIsRead) {
  Held held(1, 2);
  EXPECT_EQ(held.choose({0, 1, 2}, 0), " -a +a0 +a1 +a2");
  EXPECT_EQ(held.choose({3}, 1, /*readersDone=*/false), " -b +b3");
  EXPECT_EQ(held.choose({3}, 1, /*readersDone=*/true), " -a0 -a1");
  EXPECT_EQ(held.choose({2}, 0), "");
}

TEST(ResidentExperts, CrowdGoesWithTheCall) {
  Held held(2);
  held.choose({0, 1, 2, 3});
  log.clear();
  held.experts.callEnded();
  EXPECT_EQ(log, " -a0 -a1");
  held.experts.callEnded();
  EXPECT_EQ(held.experts.info().evictions, 2u);
}

// The system may take pages of experts that are held: those of the last step are asked for three choices ahead.
TEST(ResidentExperts, LastChoiceIsFetchedAhead) {
  Held held(2, 4);
  for (int32_t weight : {0, 1, 2, 3})
    held.choose({weight}, weight);
  EXPECT_EQ(held.choose({0}, 0), "");
  EXPECT_EQ(held.choose({1}, 1), "");
  taken["b1"] = true;
  EXPECT_EQ(held.choose({2}, 2), " +b1"); // 3, 0, 1
  taken["c2"] = taken["c3"] = true;       // c3 was not chosen
  EXPECT_EQ(held.choose({3}, 3), " +c2");
  EXPECT_EQ(held.experts.info().prefetches, 2u);
  EXPECT_EQ(held.experts.info().misses, 4u);
}

// Where a step chooses others than the step before, its choice foretells nothing.
TEST(ResidentExperts, NothingIsFetchedAheadWhereChoicesChange) {
  Held held(4, 4);
  for (int round : {0, 1})
    for (int32_t weight : {0, 1, 2, 3})
      held.choose({round}, weight);
  taken["b1"] = true;
  held.choose({2}, 0);
  held.choose({2}, 1);
  taken["c1"] = taken["d1"] = true;
  EXPECT_EQ(held.choose({2}, 2), " +c2");
  EXPECT_EQ(held.experts.info().prefetches, 0u);
}

TEST(ResidentExperts, WhatIsNoWeightIsPassedOver) {
  Held held(1);
  int32_t offsets[kExperts + 2] = {0, 1, 1, 1, 1, 2};
  const char *inside = static_cast<const char *>(held.weight(0)) + 64;
  held.experts.chosen(inside, kExpertBytes, offsets, kExperts, true);
  held.experts.chosen(held.weight(0), kExpertBytes, offsets, kExperts + 1, true);
  held.experts.chosen(held.weight(0), 64, offsets, kExperts, true);
  EXPECT_EQ(log, "");
  EXPECT_EQ(held.experts.info().misses, 0u);
}

// Offsets come from data. They are compared and lead nowhere.
TEST(ResidentExperts, AnyOffsets) {
  Held held(4);
  int32_t offsets[kExperts + 1] = {INT32_MIN, INT32_MAX, -5, -5, 7};
  held.experts.chosen(held.weight(0), kExpertBytes, offsets, kExperts, true);
  EXPECT_EQ(log, " -a +a0 +a3");
}

// Pages that were given back come from the file again, those of neighbours stay as they are.
TEST(ResidentExperts, MappedFileKeepsItsValues) {
  constexpr int64_t kLong = 3 * 4096 + 64; // no multiple of a page
  std::string path = testing::TempDir(), name = "weft-experts-" + std::to_string(getpid());
  std::string content(size_t(kExperts * kLong), '\0');
  for (size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<char>(i * 131 >> 3);
  weft::test::writeFile(path + "/" + name, content);
  Directory directory;
  File file;
  Mapping mapping;
  ASSERT_EQ(directory.open(path.c_str()), WEFT_OK);
  ASSERT_EQ(file.open(directory, name.c_str()), WEFT_OK);
  ASSERT_EQ(mapping.map(file, true), WEFT_OK);
  std::filesystem::remove(path + "/" + name);
  int64_t shape[3] = {kExperts, 1, kLong};
  weft_abi_parameter parameter = {"w", WEFT_U8, 3, shape};
  weft_abi_model code = {};
  code.parameter_count = 1;
  code.parameters = &parameter;
  const void *pointer = mapping.data;
  ResidentExperts experts;
  ASSERT_TRUE(experts.start(code, &pointer, 1, kMappedPages));
  for (int e : {0, 3, 1, 1, 2}) {
    int32_t offsets[kExperts + 1] = {};
    for (int i = e; i < kExperts; ++i)
      offsets[i + 1] = 1;
    experts.chosen(pointer, kLong, offsets, kExperts, true);
    EXPECT_EQ(memcmp(mapping.data, content.data(), content.size()), 0) << e;
  }
  EXPECT_EQ(experts.info().evictions, 3u);
  EXPECT_EQ(experts.info().hits, 1u);
}

namespace {
/// A model that chooses the expert that its input names.
struct ChoosingModel {
  explicit ChoosingModel(int64_t resident) {
    weft_open_options options = {sizeof(options), 0, resident, nullptr};
    const void *pointers[] = {weight};
    EXPECT_EQ(weft_open_linked(&descriptor, pointers, &options, &model), WEFT_OK) << weft_last_error();
  }
  ~ChoosingModel() { weft_close(model); }

  static int32_t run(const weft_abi_call *call) {
    int32_t offsets[kExperts + 1];
    for (int32_t e = 0; e <= kExperts; ++e)
      offsets[e] = e > *static_cast<const int32_t *>(call->inputs[0]);
    call->services->experts_chosen(call, call->parameters[0], kExpertBytes, offsets, kExperts);
    return WEFT_ABI_OK;
  }
  void choose(weft_session *session, int32_t expert) {
    weft_tensor input = {"expert", &expert, sizeof(expert), WEFT_I32, 1, {1}};
    EXPECT_EQ(weft_run(session, nullptr, &input, 1, nullptr, 0), WEFT_OK) << weft_last_error();
  }
  weft_experts_info info() {
    weft_experts_info info;
    EXPECT_EQ(weft_model_experts(model, &info), WEFT_OK);
    return info;
  }

  alignas(64) float weight[kExperts * kRows * kColumns] = {1, 2, 3};
  int64_t shape[1] = {1}, weightShape[3] = {kExperts, kRows, kColumns};
  weft_abi_parameter parameter = {"w", WEFT_F32, 3, weightShape};
  weft_abi_tensor input = {"expert", WEFT_I32, 1, shape, kExperts, 0, 0, 0};
  weft_abi_tensor output = {"nothing", WEFT_F32, 1, shape, 0, 0, 0, 0};
  weft_abi_variant variant = {"portable", 0, run, [](const int64_t *) { return int64_t(0); }, WEFT_DEVICE_CPU, 0, 0, 0};
  weft_abi_entry entry = {"f", 0, 1, 1, 1, nullptr, &input, &output, &variant, nullptr, 0, 0};
  weft_abi_model descriptor = {WEFT_ABI_MAGIC, WEFT_ABI_MAJOR, WEFT_ABI_MINOR, "test", "chooses", 1,       1, &entry,
                               &parameter,     nullptr,        nullptr,        0,      0,         nullptr, 0, 0};
  weft_model *model = nullptr;
};
} // namespace

// Sessions share what the model holds. Weights in memory have no file: they are counted, and stay.
TEST(ResidentExperts, CountedThroughTheInterface) {
  ChoosingModel choosing(2);
  OpenSession first(choosing.model, 1), second(choosing.model, 1);
  choosing.choose(first.session, 1);
  choosing.choose(second.session, 1);
  choosing.choose(second.session, 0);
  choosing.choose(first.session, 3);
  EXPECT_EQ(choosing.info().hits, 1u);
  EXPECT_EQ(choosing.info().misses, 3u);
  EXPECT_EQ(choosing.info().evictions, 1u);
  EXPECT_EQ(choosing.weight[2], 3);
}

TEST(ResidentExperts, AllOfThemByDefault) {
  ChoosingModel choosing(0);
  OpenSession s(choosing.model, 1);
  choosing.choose(s.session, 1);
  EXPECT_EQ(choosing.info().misses, 0u);
}

TEST(ResidentExperts, Options) {
  weft::test::Artifact artifact;
  weft_model *model = nullptr;
  weft_open_options options = {sizeof(options), 0, -1, nullptr};
  EXPECT_EQ(weft_open(artifact.path.c_str(), &options, &model), WEFT_ERROR_ARGUMENT);
  // A program that was built before there was the option, and what lies behind its options.
  options = {offsetof(weft_open_options, experts_resident), 0, -1, nullptr};
  EXPECT_EQ(weft_open(artifact.path.c_str(), &options, &model), WEFT_OK) << weft_last_error();
  weft_experts_info info;
  EXPECT_EQ(weft_model_experts(model, nullptr), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_model_experts(nullptr, &info), WEFT_ERROR_ARGUMENT);
  weft_close(model);
}
