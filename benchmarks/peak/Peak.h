/* Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What one core can do at most, measured: float32 multiply-adds and reads. Every speed that Weft reports is a share of
 * these, so both are measured on the calling thread, in the same run as what is compared with them. */
#ifndef WEFT_BENCHMARKS_PEAK_PEAK_H
#define WEFT_BENCHMARKS_PEAK_PEAK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The best target of this host: "v4" (AVX-512), "v3" (AVX2 and FMA) or "portable" (SSE2). */
const char *weft_peak_target(void);

/* Float32 multiply-add rate of the calling core in GF/s (one multiply-add is 2) with the host's best target: the best
 * of several short runs, timed by the thread's CPU time. Takes about 10 ms. */
double weft_peak_fma_gflops(void);

/* The same with the instructions of one target; 0 where the host lacks them or the name is unknown. */
double weft_peak_fma_gflops_of(const char *target);

/* Multiply-add rates in GF/s (one multiply-add is 2) of bfloat16, and of 8-bit integers: on AMX's tiles, else by dot
 * products (AVX512-BF16, VNNI); 0 where the host has neither. Each takes about 10 ms. */
double weft_peak_bf16_gflops(void);
double weft_peak_int8_gflops(void);

/* Read rate of the calling core in GB/s over a buffer of that size (rounded down to 4 KiB), read as four streams; the
 * best of several passes. 0 where the buffer cannot be had. */
double weft_peak_read_gbps(int64_t bytes);

#ifdef __cplusplus
}
#endif
#endif /* WEFT_BENCHMARKS_PEAK_PEAK_H */
