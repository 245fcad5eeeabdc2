// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/weft/Measure.h"

#include "benchmarks/peak/Peak.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <random>
#include <sys/resource.h>

namespace weft::cli {
namespace {

constexpr double kWarmUpSeconds = 0.2;
constexpr double kTurnSeconds = 0.1; ///< between two measurements of the peak
constexpr double kWantedSeconds = 1;
constexpr int kFewestRuns = 5, kMostRuns = 10000;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Processor time of this thread.
double threadTime() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

struct Times {
  std::vector<double> passed, processor;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

/// Runs until `seconds` are over or `most` runs done; appends their times. Unless they are steps of one text, each
/// begins a new one: a cache that the runs before have filled would have no place for it.
Result<void> turn(Runner &runner, double seconds, int most, Times &times, bool isStep = false) {
  for (double begin = now(), last = begin; most > 0 && last - begin < seconds; --most) {
    if (!isStep)
      if (Result<void> forgotten = runner.reset(); !forgotten)
        return forgotten;
    double start = now(), processor = threadTime();
    if (Result<void> ran = runner.again(); !ran)
      return ran;
    last = now();
    times.processor.push_back(threadTime() - processor);
    times.passed.push_back(last - start);
  }
  return {};
}

Result<Array> inventInput(const weft_tensor_info &input, const Extents &extents, std::mt19937 &random) {
  Array array{input.name, ElementType(input.dtype), {}, {}};
  size_t count = 1;
  for (int32_t axis = 0; axis < input.rank; ++axis) {
    int64_t extent = input.shape[axis];
    if (extent < 0) {
      auto given = extents.find(input.dim_names[axis]);
      if (given == extents.end())
        return Diagnostic{"W0513", "no extent is given for the dimension '" + std::string(input.dim_names[axis]) + "'",
                          "--shape", "write it as in --shape batch=1,sequence=128"};
      extent = given->second;
    }
    array.shape.push_back(extent);
    count *= extent;
  }
  array.bytes.resize(count * elementSize(array.type));
  for (size_t index = 0; index < count; ++index) {
    if (array.type == ElementType::I64 || array.type == ElementType::I32) {
      int64_t value = input.index_limit > 0 ? random() % input.index_limit : 0;
      std::memcpy(&array.bytes[index * elementSize(array.type)], &value, elementSize(array.type));
    } else if (array.type == ElementType::F32) {
      float value = static_cast<float>(random() % 2001) / 1000 - 1;
      std::memcpy(&array.bytes[index * sizeof(float)], &value, sizeof(float));
    }
  }
  return array;
}

} // namespace

Result<std::vector<Array>> inventInputs(const Entry &entry, const Extents &extents) {
  std::mt19937 random(1);
  std::vector<Array> inputs;
  for (const auto &[name, extent] : extents)
    if (!entry.dim(name)) {
      std::string known;
      for (const weft_dim_info &dim : entry.dims)
        known += (known.empty() ? "" : ", ") + std::string(dim.name);
      return Diagnostic{"W0513", "the model has no dimension '" + name + "'", "--shape", "its dimensions are " + known};
    }
  for (const weft_tensor_info &input : entry.inputs) {
    if (input.optional)
      continue;
    Result<Array> array = inventInput(input, extents, random);
    if (!array)
      return array.takeError();
    inputs.push_back(std::move(*array));
  }
  return inputs;
}

Extents extentsOf(const Entry &entry, const std::vector<Array> &inputs) {
  Extents extents;
  for (const Array &array : inputs)
    if (const weft_tensor_info *input = entry.input(array.name))
      for (int32_t axis = 0; axis < input->rank && axis < static_cast<int32_t>(array.shape.size()); ++axis)
        if (input->dim_names[axis])
          extents[input->dim_names[axis]] = array.shape[axis];
  return extents;
}

double Measurement::percentile(double share) const {
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  size_t rank = static_cast<size_t>(std::ceil(share * sorted.size()));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

Result<Measurement> measure(Runner &runner, const Entry &entry, const std::optional<Work> &work,
                            const std::vector<Array> &inputs, int repeat) {
  Measurement result;
  result.extents = extentsOf(entry, inputs);
  if (work) {
    result.flops = work->flops(result.extents);
    result.weightBytes = work->bytesRead(result.extents);
  }
  if (Result<void> prepared = runner.prepare(inputs); !prepared)
    return prepared.takeError();
  Times times, ignored;
  std::vector<double> peaks;
  if (Result<void> warmed = turn(runner, kWarmUpSeconds, kMostRuns, ignored); !warmed)
    return warmed.takeError();
  double spent = 0;
  int left = repeat > 0 ? repeat : kMostRuns;
  auto enough = [&] {
    bool byTime = spent >= kWantedSeconds && static_cast<int>(times.passed.size()) >= kFewestRuns;
    return left <= 0 || (repeat == 0 && byTime);
  };
  while (!enough()) {
    peaks.push_back(weft_peak_fma_gflops());
    // One run that is not counted: the caches are the model's again.
    if (Result<void> ran = turn(runner, kTurnSeconds, 1, ignored); !ran)
      return ran.takeError();
    size_t before = times.passed.size();
    if (Result<void> ran = turn(runner, kTurnSeconds, left, times); !ran)
      return ran.takeError();
    for (size_t index = before; index < times.passed.size(); ++index, --left)
      spent += times.passed[index];
  }
  result.speedSeconds = median(runner.isAlone() ? times.processor : times.passed);
  result.seconds = std::move(times.passed);
  result.peakGflops = runner.isOnCpu() ? median(peaks) : 0;
  return result;
}

/// Column `column` of [batch, columns] as the only input of decode.
static void copyColumn(const Array &next, int64_t column, Runner &decode) {
  std::span<int64_t> tokens = decode.input<int64_t>(0);
  for (size_t row = 0; row < tokens.size(); ++row)
    tokens[row] = next.values<int64_t>()[row * next.shape[1] + column];
}

Result<Measurement> measureSteps(const Model &model, Runner &decode, const Entry &entry, const Array &context,
                                 const Array &next) {
  Result<Entry> prefill = model.entry("prefill");
  if (!prefill)
    return prefill.takeError();
  bool fits = next.type == ElementType::I64 && next.shape.size() == 2 && next.shape[1] > 0 &&
              context.shape.size() == 2 && context.shape[0] == next.shape[0];
  if (!fits)
    return Diagnostic{"W0513", "next_ids is no array of 64-bit integers with a row for each of input_ids", "--input",
                      "give input_ids [batch, tokens] and next_ids [batch, tokens]"};
  if (Result<std::vector<Array>> read = decode.beside(*prefill).run({context}, {"logits"}); !read)
    return read.takeError();
  int64_t rows = next.shape[0];
  Array first = Array::of<int64_t>("input_ids", {rows, 1}, std::vector<int64_t>(rows));
  if (Result<void> prepared = decode.prepare({first}); !prepared)
    return prepared.takeError();
  Measurement result;
  result.extents = extentsOf(entry, {first});
  if (std::optional<Work> work = model.work(entry.name)) {
    result.flops = work->flops(result.extents);
    result.weightBytes = work->bytesRead(result.extents);
  }
  Times times;
  result.peakGflops = decode.isOnCpu() ? weft_peak_fma_gflops() : 0;
  for (int64_t column = 0; column < next.shape[1]; ++column) {
    copyColumn(next, column, decode);
    if (Result<void> ran = turn(decode, kTurnSeconds, 1, times, /*isStep=*/true); !ran)
      return ran.takeError();
  }
  result.speedSeconds = median(decode.isAlone() ? times.processor : times.passed);
  result.seconds = std::move(times.passed);
  return result;
}

std::string printableExtents(const Extents &extents) {
  std::string text;
  for (const auto &[name, extent] : extents)
    text += (text.empty() ? "" : ", ") + name + "=" + std::to_string(extent);
  return text;
}

long peakRssKb() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

} // namespace weft::cli
