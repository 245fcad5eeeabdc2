// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft_microbench [--benchmark_filter=REGEX] …: kernels compiled into this process beside the peak loops, by Google
// Benchmark. Each speed is also given as a share of its peak loop, which runs before and after.
#include "benchmarks/micro/Kernels.h"
#include "benchmarks/peak/Peak.h"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <ctime>

namespace weft::micro {
namespace {

double threadSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

/// In GF/s or GB/s; tiles or dot products where the processor has them.
double peakOf(Bound bound, double bytes) {
  double special = 0;
  if (bound == Bound::Reads)
    return weft_peak_read_gbps(static_cast<int64_t>(bytes));
  if (bound == Bound::HalfProducts)
    special = weft_peak_bf16_gflops();
  else if (bound == Bound::ByteProducts)
    special = weft_peak_int8_gflops();
  return special > 0 ? special : weft_peak_fma_gflops();
}

void run(benchmark::State &state, const Kernel &kernel) {
  Result<Call> call = Call::prepare(kernel);
  if (!call) {
    state.SkipWithError(call.error().message.c_str());
    return;
  }
  double peak = peakOf(kernel.bound, kernel.work);
  double start = threadSeconds();
  for ([[maybe_unused]] auto _ : state)
    if (Result<void> ran = (*call)(); !ran) {
      state.SkipWithError(ran.error().message.c_str());
      return;
    }
  double rate = 1e-9 * kernel.work * double(state.iterations()) / (threadSeconds() - start);
  peak = std::max(peak, peakOf(kernel.bound, kernel.work));
  state.counters[kernel.bound == Bound::Reads ? "GB/s" : "GF/s"] = rate;
  state.counters["%peak"] = 100 * rate / peak;
}

/// A peak loop alone.
void runPeak(benchmark::State &state, Bound bound, double bytes) {
  double best = 0;
  for ([[maybe_unused]] auto _ : state)
    best = std::max(best, peakOf(bound, bytes));
  state.counters[bound == Bound::Reads ? "GB/s" : "GF/s"] = best;
}

void registerPeaks() {
  auto add = [](const char *name, Bound bound, double bytes = 0) {
    benchmark::RegisterBenchmark(name, runPeak, bound, bytes)->Iterations(3)->Unit(benchmark::kMillisecond);
  };
  add("peak/multiply_adds", Bound::MultiplyAdds);
  if (weft_peak_bf16_gflops() > 0) {
    add("peak/products/bf16", Bound::HalfProducts);
    add("peak/products/int8", Bound::ByteProducts);
  }
  add("peak/read/1MiB", Bound::Reads, 1 << 20);
  add("peak/read/64MiB", Bound::Reads, 64 << 20);
}

std::vector<Kernel> kernels() {
  std::vector<Kernel> all;
  std::vector<std::string> forms = {"f32", "bf16"};
  for (std::string_view form : weightForms())
    if (form != "keep")
      forms.emplace_back(form);
  for (const std::string &form : forms)
    for (int64_t m : {1, 16, 128, 512}) {
      all.push_back(product(m, 1536, 384, form));
      all.push_back(product(m, 768, 3072, form));
    }
  all.push_back(product(127, 1531, 383));
  all.push_back(attention(8, 2048, 64, false));
  all.push_back(attention(8, 2048, 64, true));
  all.push_back(attention(12, 512, 32, false));
  all.push_back(decoding(32, 8, 4096, 128));
  all.push_back(layerNorm(128, 384));
  all.push_back(layerNorm(512, 1536));
  return all;
}

} // namespace
} // namespace weft::micro

int main(int count, char **arguments) {
  using namespace weft::micro;
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments))
    return 1;
  registerPeaks();
  for (const Kernel &kernel : kernels())
    benchmark::RegisterBenchmark(kernel.name.c_str(), run, kernel)->Unit(benchmark::kMicrosecond);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
