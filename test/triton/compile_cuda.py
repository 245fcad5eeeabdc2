#!/usr/bin/env python3
# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles CUDA C++ with NVRTC on the spot, runs its PTX on the simulator's libcuda, and compares with NumPy.

  compile_cuda.py LIBCUDA 80|90    the library, and the compute capability times 10 that PTXSIM_DEVICE also says

NVRTC needs no GPU. Its PTX has calls, tables of branches, local memory, divergent loops and packed conditions that
Triton's has not.
"""
import ctypes
import glob
import os
import sys

import numpy

SOURCE = r"""
struct Scale { float factor; short shift; double offset; };

extern "C" __global__ void scaled(const float *x, double *y, Scale s, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    y[i] = double(x[i]) * s.factor + s.offset - s.shift;
}

extern "C" __global__ void total(const float *x, float *sum, int n) {
  __shared__ float parts[32];
  float value = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) value += x[i];
  for (int step = 16; step; step /= 2) value += __shfl_down_sync(~0u, value, step);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x < 32) {
    value = threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : 0;
    for (int step = 16; step; step /= 2) value += __shfl_xor_sync(~0u, value, step);
    if (threadIdx.x == 0) *sum = value;
  }
}

extern "C" __global__ void collatz(const int *x, int *steps, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  long long v = x[i];
  int count = 0;
  while (v != 1) { v = v % 2 ? 3 * v + 1 : v / 2; ++count; }
  steps[i] = count;
}

__device__ __noinline__ int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
extern "C" __global__ void recursive(int *y, int n) {
  if (threadIdx.x < n) y[threadIdx.x] = fibonacci(threadIdx.x);
}

__device__ __noinline__ int a(int x) { return x + 1; }
__device__ __noinline__ int b(int x) { return x * 3; }
extern "C" __global__ void chosen(const int *x, int *y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  int v = x[i], r;
  switch (v & 7) {
  case 0: r = a(v); break;
  case 1: r = b(v); break;
  case 2: r = v * v; break;
  case 3: r = v / 5; break;
  case 4: r = v % 9; break;
  case 5: r = __popc(v) + __clz(v); break;
  case 6: r = __brev(v); break;
  default: r = v ^ (v >> 3); break;
  }
  y[i] = r;
}

extern "C" __global__ void sorted(const int *x, int *y, int n) {
  int own[16];
  const int *from = x + threadIdx.x * 16;
  for (int i = 0; i < 16; ++i) own[i] = from[i];
  for (int i = 1; i < 16; ++i) {
    int v = own[i], j = i;
    for (; j && own[j - 1] > v; --j) own[j] = own[j - 1];
    own[j] = v;
  }
  for (int i = 0; i < 16; ++i) y[threadIdx.x * 16 + i] = own[(i + n) & 15];
}

extern "C" __global__ void product(const double *a, const double *b, double *c, int n) {
  __shared__ double left[16][17], right[16][17];
  int x = threadIdx.x, y = threadIdx.y, row = blockIdx.y * 16 + y, column = blockIdx.x * 16 + x;
  double sum = 0;
  for (int k = 0; k < n; k += 16) {
    left[y][x] = row < n && k + x < n ? a[row * n + k + x] : 0;
    right[y][x] = column < n && k + y < n ? b[(k + y) * n + column] : 0;
    __syncthreads();
    for (int i = 0; i < 16; ++i) sum += left[y][i] * right[i][x];
    __syncthreads();
  }
  if (row < n && column < n) c[row * n + column] = sum;
}

extern "C" __global__ void largest(const float *x, float *most, unsigned *votes, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float v = i < n ? x[i] : -1e30f;
  unsigned *bits = (unsigned *)most, old = *(volatile unsigned *)bits;
  while (v > __uint_as_float(old)) {
    unsigned seen = atomicCAS(bits, old, __float_as_uint(v));
    if (seen == old) break;
    old = seen;
  }
  unsigned ballot = __ballot_sync(~0u, v > 0);
  if (threadIdx.x % 32 == 0) atomicAdd(votes, __popc(ballot));
}

extern "C" __global__ void doubles(const double *x, double *y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = sqrt(fabs(x[i])) + 1 / (1 + x[i] * x[i]) + exp(-fabs(x[i])) + floor(x[i]) + fmin(x[i], 0.5);
}
"""


class Device:
    """NVRTC and the driver's functions, as far as this needs them."""

    def __init__(self, path, capability):
        self.cuda = ctypes.CDLL(path)
        context, self.module = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.cuda.cuInit(0))
        self.check(self.cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0))
        self.check(self.cuda.cuCtxSetCurrent(context))
        self.check(self.cuda.cuModuleLoadData(ctypes.byref(self.module), self.compile(capability)))

    def check(self, status):
        if status:
            sys.exit(f"the driver returns {status}")

    def compile(self, capability):
        found = [path for folder in sys.path for path in glob.glob(os.path.join(folder, "nvidia/*/lib/libnvrtc.so.1?"))]
        for path in glob.glob(os.path.join(os.path.dirname(found[0]), "libnvrtc-builtins.so*")):
            ctypes.CDLL(path)  # NVRTC opens it by a name that no path leads to
        nvrtc, program, size = ctypes.CDLL(found[0]), ctypes.c_void_p(), ctypes.c_size_t()
        nvrtc.nvrtcCreateProgram(ctypes.byref(program), SOURCE.encode(), b"kernels.cu", 0, None, None)
        options = (ctypes.c_char_p * 1)(f"--gpu-architecture=compute_{capability}".encode())
        if nvrtc.nvrtcCompileProgram(program, 1, options):
            nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
            log = ctypes.create_string_buffer(size.value)
            nvrtc.nvrtcGetProgramLog(program, log)
            sys.exit(log.value.decode())
        nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size))
        text = ctypes.create_string_buffer(size.value)
        nvrtc.nvrtcGetPTX(program, text)
        return text

    def run(self, name, grid, block, arguments):
        """Launches; arrays are copied in and out. Returns the arrays as they are then."""
        function, values = ctypes.c_void_p(), []
        self.check(self.cuda.cuModuleGetFunction(ctypes.byref(function), self.module, name.encode()))
        for argument in arguments:
            if isinstance(argument, numpy.ndarray):
                values.append(ctypes.c_uint64())
                self.check(self.cuda.cuMemAlloc_v2(ctypes.byref(values[-1]), ctypes.c_size_t(argument.nbytes)))
                self.check(self.cuda.cuMemcpyHtoD_v2(values[-1], argument.ctypes.data_as(ctypes.c_void_p),
                                                     ctypes.c_size_t(argument.nbytes)))
            else:
                values.append(ctypes.c_int32(argument) if isinstance(argument, int) else argument)
        pointers = (ctypes.c_void_p * len(values))(*[ctypes.addressof(value) for value in values])
        self.check(self.cuda.cuLaunchKernel(function, *grid, *block, 0, None, pointers, None))
        self.check(self.cuda.cuCtxSynchronize())
        results = []
        for value, argument in zip(values, arguments):
            if isinstance(argument, numpy.ndarray):
                results.append(numpy.empty_like(argument))
                self.check(self.cuda.cuMemcpyDtoH_v2(results[-1].ctypes.data_as(ctypes.c_void_p), value,
                                                     ctypes.c_size_t(argument.nbytes)))
        return results


class Scale(ctypes.Structure):
    _fields_ = [("factor", ctypes.c_float), ("shift", ctypes.c_short), ("offset", ctypes.c_double)]


def judge(name, got, want, tolerance=0.0):
    error = numpy.max(numpy.abs(got.astype(numpy.float64) - want) / (1 + numpy.abs(want)))
    if not error <= tolerance:
        sys.exit(f"{name}: the largest error is {error}, above {tolerance}")
    print(f"{name}: {error:.1e}")


def collatz(v):
    count = 0
    while v != 1:
        v, count = (3 * v + 1 if v % 2 else v // 2), count + 1
    return count


def choose(v):
    """What `chosen` computes, with C's division and 32 bits."""
    bits = v & 0xffffffff
    quotient = int(v / 5)
    choices = [v + 1, v * 3, v * v, quotient, v - int(v / 9) * 9,
               bin(bits).count("1") + 32 - bits.bit_length(), int(f"{bits:032b}"[::-1], 2), v ^ (v >> 3)]
    return (choices[v & 7] + 2**31) % 2**32 - 2**31


def main():
    device, random = Device(sys.argv[1], int(sys.argv[2])), numpy.random.default_rng(3)
    x = random.standard_normal(1000).astype(numpy.float32)
    judge("struct by value", device.run("scaled", (3, 1, 1), (64, 1, 1), [x, numpy.zeros(1000), Scale(2.5, -7, 0.25), 1000])[1],
          x.astype(numpy.float64) * 2.5 + 0.25 + 7, 1e-15)
    judge("total", device.run("total", (1, 1, 1), (256, 1, 1), [x, numpy.zeros(1, numpy.float32), 1000])[1],
          x.astype(numpy.float64).sum(keepdims=True), 1e-5)
    starts = numpy.arange(1, 101, dtype=numpy.int32)
    judge("divergent loop", device.run("collatz", (4, 1, 1), (32, 1, 1), [starts, numpy.zeros(100, numpy.int32), 100])[1],
          numpy.array([collatz(int(v)) for v in starts]))
    judge("recursion", device.run("recursive", (1, 1, 1), (32, 1, 1), [numpy.zeros(12, numpy.int32), 12])[0],
          numpy.array([0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89]))
    integers = random.integers(-2**31, 2**31, 500).astype(numpy.int32)
    judge("switch", device.run("chosen", (4, 1, 1), (128, 1, 1), [integers, numpy.zeros(500, numpy.int32), 500])[1],
          numpy.array([choose(int(v)) for v in integers]))
    judge("local array", device.run("sorted", (1, 1, 1), (32, 1, 1), [integers.copy()[:500].repeat(2)[:512].copy(),
                                                                     numpy.zeros(512, numpy.int32), 0])[1],
          numpy.sort(integers.repeat(2)[:512].reshape(32, 16), axis=1).ravel())
    a, b = random.standard_normal((2, 37, 37))
    judge("product of doubles", device.run("product", (3, 3, 1), (16, 16, 1), [a, b, numpy.zeros((37, 37)), 37])[2], a @ b, 1e-14)
    most, votes = device.run("largest", (8, 1, 1), (128, 1, 1), [x, numpy.full(1, -1e30, numpy.float32),
                                                                numpy.zeros(1, numpy.uint32), 1000])[1:]
    judge("compare and swap", most, x.max(keepdims=True))
    judge("votes", votes, numpy.array([(x > 0).sum()]))
    d = random.standard_normal(300) * 4
    judge("double functions", device.run("doubles", (3, 1, 1), (128, 1, 1), [d, numpy.zeros(300), 300])[1],
          numpy.sqrt(abs(d)) + 1 / (1 + d * d) + numpy.exp(-abs(d)) + numpy.floor(d) + numpy.minimum(d, 0.5), 1e-14)
    print("all kernels agree with NumPy")


main()
