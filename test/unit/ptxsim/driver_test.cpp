// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The look-alike of libcuda.so.1, loaded as programs load the driver. Each test runs in a process of its own, since the
// environment is read once.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using Environment = std::map<std::string, std::string>;

/// Functions of the driver by name.
struct Driver {
  void *library = dlopen(WEFT_PTXSIM_DRIVER, RTLD_NOW | RTLD_LOCAL);

  template <typename... Arguments> int call(const char *name, Arguments... arguments) const {
    void *symbol = library ? dlsym(library, name) : nullptr;
    if (!symbol) {
      std::fprintf(stderr, "no %s\n", name);
      return -1;
    }
    return reinterpret_cast<int (*)(Arguments...)>(symbol)(arguments...);
  }

  /// cuInit and a current primary context; 0, or the first error.
  int begin() const {
    void *context = nullptr;
    int result = call("cuInit", 0u);
    if (!result)
      result = call("cuDevicePrimaryCtxRetain", &context, 0);
    return result ? result : call("cuCtxSetCurrent", context);
  }
};

/// What `body` returns in a process with this environment.
int inProcess(const Environment &environment, const std::function<int(const Driver &)> &body) {
  pid_t child = fork();
  if (child == 0) {
    for (const auto &[name, value] : environment)
      setenv(name.c_str(), value.c_str(), 1);
    Driver driver;
    _exit(driver.library ? body(driver) : 255);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// 0 where `got` is `want`; else tells both and gives 1.
int expect(int got, int want, const char *what) {
  if (got == want)
    return 0;
  std::fprintf(stderr, "%s: %d, not %d\n", what, got, want);
  return 1;
}

const std::string kVectorAdd = R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry add(.param .u64 add_param_0, .param .u64 add_param_1, .param .u32 add_param_2)
{
  .reg .pred %p<2>;
  .reg .b32 %r<8>;
  .reg .b64 %rd<6>;
  ld.param.u64 %rd0, [add_param_0];
  ld.param.u64 %rd1, [add_param_1];
  ld.param.u32 %r0, [add_param_2];
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %ntid.x;
  mov.u32 %r3, %tid.x;
  mad.lo.s32 %r1, %r1, %r2, %r3;
  setp.ge.s32 %p0, %r1, %r0;
  @%p0 bra DONE;
  mul.wide.s32 %rd2, %r1, 4;
  add.s64 %rd3, %rd0, %rd2;
  add.s64 %rd4, %rd1, %rd2;
  ld.global.u32 %r4, [%rd3];
  ld.global.u32 %r5, [%rd4];
  add.s32 %r6, %r4, %r5;
  st.global.u32 [%rd3], %r6;
DONE:
  ret;
}
)";

/// Loads the module's kernel `add`; 0, or the first error.
int load(const Driver &driver, const std::string &text, void *&function) {
  void *module = nullptr;
  int result = driver.call("cuModuleLoadData", &module, static_cast<const void *>(text.c_str()));
  return result ? result : driver.call("cuModuleGetFunction", &function, module, "add");
}

int launch(const Driver &driver, void *function, uint64_t a, uint64_t b, int32_t count, unsigned shared = 0) {
  void *parameters[] = {&a, &b, &count};
  return driver.call("cuLaunchKernel", function, unsigned(count + 31) / 32, 1u, 1u, 32u, 1u, 1u, shared,
                     static_cast<void *>(nullptr), static_cast<void **>(parameters), static_cast<void **>(nullptr));
}

TEST(PtxsimDriver, RunsAKernel) {
  EXPECT_EQ(inProcess({},
                      [](const Driver &driver) {
                        void *function = nullptr;
                        uint64_t a = 0, b = 0;
                        std::vector<int32_t> host(100);
                        for (int index = 0; index < 100; ++index)
                          host[size_t(index)] = index;
                        int wrong =
                            expect(driver.begin(), 0, "begin") + expect(load(driver, kVectorAdd, function), 0, "load");
                        wrong += expect(driver.call("cuMemAlloc_v2", &a, size_t(400)), 0, "allocate");
                        wrong += expect(driver.call("cuMemAlloc_v2", &b, size_t(400)), 0, "allocate");
                        wrong += expect(
                            driver.call("cuMemcpyHtoD_v2", a, static_cast<const void *>(host.data()), size_t(400)), 0,
                            "copy");
                        wrong += expect(driver.call("cuMemsetD32_v2", b, 1000u, size_t(100)), 0, "fill");
                        wrong += expect(launch(driver, function, a, b, 100), 0, "launch");
                        wrong += expect(driver.call("cuCtxSynchronize"), 0, "synchronize");
                        wrong +=
                            expect(driver.call("cuMemcpyDtoH_v2", static_cast<void *>(host.data()), a, size_t(400)), 0,
                                   "copy back");
                        for (int index = 0; index < 100; ++index)
                          wrong += expect(host[size_t(index)], 1000 + index, "sum");
                        return wrong + expect(driver.call("cuMemFree_v2", a), 0, "free") +
                               expect(driver.call("cuMemFree_v2", a), 1, "again");
                      }),
            0);
}

TEST(PtxsimDriver, IsTheDeviceThatTheEnvironmentNames) {
  for (const auto &[name, capability, shared] :
       {std::tuple("sm_80", 8, 163 * 1024), std::tuple("sm_90a", 9, 227 * 1024)})
    EXPECT_EQ(inProcess({{"PTXSIM_DEVICE", name}, {"PTXSIM_MEMORY", "3M"}, {"PTXSIM_DRIVER", "12040"}},
                        [&](const Driver &driver) {
                          int value = 0, wrong = expect(driver.begin(), 0, "begin");
                          size_t bytes = 0;
                          driver.call("cuDeviceGetAttribute", &value, 75, 0);
                          wrong += expect(value, capability, "capability");
                          driver.call("cuDeviceGetAttribute", &value, 97, 0);
                          wrong += expect(value, shared, "shared memory");
                          driver.call("cuDriverGetVersion", &value);
                          wrong += expect(value, 12040, "version");
                          driver.call("cuDeviceTotalMem_v2", &bytes, 0);
                          return wrong + expect(int(bytes), 3 << 20, "memory");
                        }),
              0);
}

TEST(PtxsimDriver, HasNoDeviceOnRequest) {
  EXPECT_EQ(inProcess({{"PTXSIM_FAULT", "no-device"}}, [](const Driver &driver) { return driver.call("cuInit", 0u); }),
            100);
  // A word that it does not know must not let a test of a fault pass.
  EXPECT_EQ(inProcess({{"PTXSIM_FAULT", "nodevice"}}, [](const Driver &driver) { return driver.call("cuInit", 0u); }),
            100);
}

TEST(PtxsimDriver, RunsOutOfMemory) {
  EXPECT_EQ(inProcess({{"PTXSIM_MEMORY", "1M"}},
                      [](const Driver &driver) {
                        uint64_t a = 0, b = 0;
                        int wrong = expect(driver.begin(), 0, "begin");
                        wrong += expect(driver.call("cuMemAlloc_v2", &a, size_t(900) << 10), 0, "first");
                        wrong += expect(driver.call("cuMemAlloc_v2", &b, size_t(200) << 10), 2, "second");
                        wrong += expect(driver.call("cuMemFree_v2", a), 0, "free");
                        return wrong + expect(driver.call("cuMemAlloc_v2", &b, size_t(200) << 10), 0, "third");
                      }),
            0);
  EXPECT_EQ(inProcess({{"PTXSIM_FAULT", "allocation:2"}},
                      [](const Driver &driver) {
                        uint64_t address = 0;
                        int wrong = expect(driver.begin(), 0, "begin");
                        for (int want : {0, 2, 0})
                          wrong += expect(driver.call("cuMemAlloc_v2", &address, size_t(16)), want, "allocation");
                        return wrong;
                      }),
            0);
}

TEST(PtxsimDriver, StaysLostAndFailsLaunches) {
  EXPECT_EQ(inProcess({{"PTXSIM_FAULT", "launch:1:701,lost:3"}},
                      [](const Driver &driver) {
                        void *function = nullptr;
                        uint64_t a = 0;
                        int wrong =
                            expect(driver.begin(), 0, "begin") + expect(load(driver, kVectorAdd, function), 0, "load");
                        driver.call("cuMemAlloc_v2", &a, size_t(400));
                        driver.call("cuMemsetD8_v2", a, static_cast<unsigned char>(0), size_t(400));
                        wrong += expect(launch(driver, function, a, a, 32), 701, "refused");
                        wrong += expect(launch(driver, function, a, a, 32), 0, "second");
                        wrong += expect(launch(driver, function, a, a, 32), 0, "third"); // told by the next call
                        wrong += expect(driver.call("cuCtxSynchronize"), 214, "lost");
                        driver.call("cuDevicePrimaryCtxReset_v2", 0);
                        return wrong + expect(driver.call("cuMemAlloc_v2", &a, size_t(400)), 214, "still lost");
                      }),
            0);
}

TEST(PtxsimDriver, SaysWhyATextCannotBeLoaded) {
  EXPECT_EQ(inProcess({{"PTXSIM_DEVICE", "sm_80"}},
                      [](const Driver &driver) {
                        void *function = nullptr, *module = nullptr;
                        std::string text = kVectorAdd;
                        int wrong = expect(driver.begin(), 0, "begin");
                        text.replace(text.find("8.0"), 3, "9.7");
                        wrong += expect(load(driver, text, function), 222, "a newer PTX");
                        text = kVectorAdd;
                        text.replace(text.find("sm_80"), 5, "sm_90a");
                        wrong += expect(load(driver, text, function), 209, "a newer device");
                        wrong += expect(load(driver, std::string("\177ELF\2\1\1"), function), 209, "machine code");
                        text = kVectorAdd;
                        text.replace(text.find("add.s32"), 7, "odd.s32");
                        char log[256] = "";
                        int options[] = {5, 6};
                        void *values[] = {log, nullptr};
                        uintptr_t size = sizeof log; // the number stands where a pointer would
                        std::memcpy(&values[1], &size, sizeof size);
                        wrong +=
                            expect(driver.call("cuModuleLoadDataEx", &module, static_cast<const void *>(text.c_str()),
                                               2u, &options[0], &values[0]),
                                   218, "no PTX");
                        wrong += expect(std::strstr(log, "odd") != nullptr, 1, "the log names it");
                        wrong += expect(std::strstr(log, ":23:") != nullptr, 1, "the log names the line");
                        return wrong;
                      }),
            0);
}

TEST(PtxsimDriver, TellsAnIllegalAddressUntilTheContextIsReset) {
  std::string report = testing::TempDir() + "ptxsim-report-" + std::to_string(getpid());
  EXPECT_EQ(inProcess({{"PTXSIM_REPORT", report}},
                      [](const Driver &driver) {
                        void *function = nullptr;
                        uint64_t a = 0;
                        int wrong =
                            expect(driver.begin(), 0, "begin") + expect(load(driver, kVectorAdd, function), 0, "load");
                        driver.call("cuMemAlloc_v2", &a, size_t(64));
                        driver.call("cuMemsetD8_v2", a, static_cast<unsigned char>(0), size_t(64));
                        wrong += expect(launch(driver, function, a, a, 32), 0, "launch");
                        wrong += expect(driver.call("cuCtxSynchronize"), 700, "synchronize");
                        wrong += expect(driver.call("cuMemAlloc_v2", &a, size_t(64)), 700, "still");
                        driver.call("cuDevicePrimaryCtxReset_v2", 0);
                        return wrong + expect(driver.call("cuMemAlloc_v2", &a, size_t(64)), 0, "after a reset");
                      }),
            0);
  std::stringstream text;
  text << std::ifstream(report).rdbuf();
  EXPECT_NE(text.str().find("out of bounds"), std::string::npos) << text.str();
  EXPECT_NE(text.str().find("ld.global.u32 %r4, [%rd3]"), std::string::npos) << text.str();
  unlink(report.c_str());
}

TEST(PtxsimDriver, RefusesLaunchesThatDoNotFit) {
  EXPECT_EQ(inProcess({},
                      [](const Driver &driver) {
                        void *function = nullptr;
                        uint64_t a = 0;
                        int wrong =
                            expect(driver.begin(), 0, "begin") + expect(load(driver, kVectorAdd, function), 0, "load");
                        driver.call("cuMemAlloc_v2", &a, size_t(400));
                        driver.call("cuMemsetD8_v2", a, static_cast<unsigned char>(0), size_t(400));
                        wrong += expect(launch(driver, function, a, a, 32, 60000), 1, "shared memory above 48 KiB");
                        wrong += expect(driver.call("cuFuncSetAttribute", function, 8, 60000), 0, "opt in");
                        wrong += expect(launch(driver, function, a, a, 32, 60000), 0, "shared memory after opting in");
                        wrong +=
                            expect(driver.call("cuFuncSetAttribute", function, 8, 228 * 1024), 1, "more than there is");
                        wrong += expect(launch(driver, function, a, a, 0), 1, "an empty grid");
                        return wrong;
                      }),
            0);
}

TEST(PtxsimDriver, FindsFunctionsByName) {
  EXPECT_EQ(
      inProcess({},
                [](const Driver &driver) {
                  void *found = nullptr;
                  int status = -1, wrong = expect(driver.begin(), 0, "begin");
                  wrong += expect(driver.call("cuGetProcAddress_v2", "cuMemAlloc", &found, 12000, uint64_t(0), &status),
                                  0, "found");
                  wrong += expect(found == dlsym(driver.library, "cuMemAlloc_v2"), 1, "the newest");
                  wrong += expect(driver.call("cuGetProcAddress_v2", "cuNothing", &found, 12000, uint64_t(0), &status),
                                  500, "none");
                  return wrong + expect(status, 1, "status");
                }),
      0);
}

TEST(PtxsimDriver, EncodesTensorMaps) {
  EXPECT_EQ(inProcess({},
                      [](const Driver &driver) {
                        alignas(64) char map[128];
                        uint64_t sizes[] = {100, 50}, strides[] = {208};
                        uint32_t box[] = {64, 8}, steps[] = {1, 1};
                        alignas(16) static char data[16];
                        void *address = data;
                        auto encode = [&](int type, int swizzle) {
                          return driver.call("cuTensorMapEncodeTiled", static_cast<void *>(map), type, uint32_t(2),
                                             address, static_cast<const uint64_t *>(sizes),
                                             static_cast<const uint64_t *>(strides), static_cast<const uint32_t *>(box),
                                             static_cast<const uint32_t *>(steps), 0, swizzle, 0, 0);
                        };
                        int wrong = expect(driver.begin(), 0, "begin");
                        wrong += expect(encode(9, 3), 0, "bf16, 128 bytes");
                        wrong += expect(encode(9, 2), 1, "a row longer than the swizzle");
                        strides[0] = 200;
                        return wrong + expect(encode(9, 3), 1, "a stride that is no multiple of 16");
                      }),
            0);
}

} // namespace
