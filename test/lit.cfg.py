# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Every .mlir and .test file below test/ is a test. What a RUN line may use:
#
#   %weft, weft-opt, weft-translate              our tools (build/bin is on the PATH)
#   FileCheck, not, split-file, mlir-tblgen      LLVM's tools
#   %cc %cxx %cmake %python                      compilers and tools
#   %root %build %fixtures %dev                  the repository, the build folder, test/fixtures, tools/dev
#   %llvm_include                                LLVM's and MLIR's headers
#   %ptxas-gate FILE.ptx                         judges a kernel's machine code (tools/dev/ptxas_gate), where ptxas is
#
# Features of the processor that runs the tests: cpu-v3 (AVX2, FMA), cpu-v4 (AVX-512). Of the build: google-benchmark.
# Of the machine: ptxas, nvdisasm, triton and numba (WEFT_TRITON_PYTHON). Of the build too: ptxsim-libcuda.
import os
import shutil
import subprocess
import sys

import lit.formats

config.name = "weft"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["unit", "reference", "fixtures", "fuzz", "Inputs"]
config.test_source_root = os.path.dirname(os.path.abspath(__file__))
config.test_exec_root = os.path.join(config.weft_build, "test")

binaries = os.path.join(config.weft_build, "bin")
config.environment["PATH"] = os.pathsep.join([binaries, config.llvm_tools, "/usr/bin", "/bin"])
config.environment["LC_ALL"] = "C.UTF-8"
# NVIDIA's assembler and disassembler, where there are any: a user names them, else they are on the PATH.
nvidia = {name: os.environ.get("WEFT_" + name.upper()) or shutil.which(name) for name in ("ptxas", "nvdisasm")}
# A Python with test/triton/requirements.txt.
triton_python = os.environ.get("WEFT_TRITON_PYTHON")
# A user's settings must not decide a result.
for name in [n for n in config.environment if n.startswith("WEFT_")]:
    del config.environment[name]


# With -D roundtrip=1 each weft-opt also prints and parses its module once more, unless its line says so itself.
weft_opt = os.path.join(binaries, "weft-opt")
if lit_config.params.get("roundtrip"):
    plain = r"(?<![\w./-])%?weft-opt(?![\w./-])(?!.*verify-roundtrip)"
    config.substitutions.append((plain, weft_opt + " --verify-roundtrip"))
gate = [os.path.join(config.weft_source, "tools", "dev", "ptxas_gate")]
gate += [f"--{name} {path}" for name, path in nvidia.items() if path]
config.substitutions += [
    ("%ptxas-gate", " ".join(gate)),
    ("%triton-python", triton_python or "false"),
    (r"(?<![\w./-])%?weft-opt(?![\w./-])", weft_opt),
    ("%weft", os.path.join(binaries, "weft")),
    ("%fixtures", os.path.join(config.test_source_root, "fixtures")),
    ("%root", config.weft_source),
    ("%build", config.weft_build),
    ("%dev", os.path.join(config.weft_source, "tools", "dev")),
    ("%python", sys.executable),
    ("%cmake", config.cmake),
    ("%cxx", config.cxx),
    ("%cc", config.cc),
    ("%llvm_include", config.llvm_include),
]


def cpu_flags():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return set(next((line for line in file if line.startswith("flags")), "").split())


V3 = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"}
V4 = V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
BF16 = V4 | {"avx512_vnni", "avx512_bf16"}
AMX = BF16 | {"amx_tile", "amx_int8", "amx_bf16"}
for feature, flags in (("cpu-v3", V3), ("cpu-v4", V4), ("cpu-bf16", BF16), ("cpu-amx", AMX)):
    if flags <= cpu_flags():
        config.available_features.add(feature)
config.available_features |= {name for name, path in nvidia.items() if path}
if triton_python:
    config.available_features.add("triton")
    if subprocess.run([triton_python, "-c", "import numba.cuda"], capture_output=True, check=False).returncode == 0:
        config.available_features.add("numba")
if os.path.exists(os.path.join(config.weft_build, "lib", "ptxsim", "libcuda.so.1")):
    config.available_features.add("ptxsim-libcuda")
if os.path.exists(os.path.join(binaries, "weft_microbench")):
    config.available_features.add("google-benchmark")
