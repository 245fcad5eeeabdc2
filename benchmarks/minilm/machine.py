# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The processor: its name, the cores we keep to, and its measured peaks."""

import ctypes
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path


def pin(threads: int) -> list[int]:
    """Keeps this process to as many cores as threads: the last ones, since the first often serve interrupts."""
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    if len(cores) < threads:
        raise SystemExit(f"error: {threads} threads asked for, but only {len(cores)} cores may be used")
    os.sched_setaffinity(0, cores)
    return cores


@dataclass(frozen=True)
class Processor:
    name: str
    isa: str

    @property
    def slug(self) -> str:
        words = re.sub(r"\((r|tm)\)|@.*|\bcpu\b", " ", self.name.lower())
        return "-".join(re.findall(r"[a-z0-9]+", words)) + f"-{self.isa}"


def processor() -> Processor:
    text = Path("/proc/cpuinfo").read_text()
    name = re.search(r"^model name\s*: (.*)$", text, re.M)
    flags = re.search(r"^flags\s*: (.*)$", text, re.M)
    features = set(flags.group(1).split()) if flags else set()
    names = (("amx_tile", "amx"), ("avx512f", "avx512"), ("avx2", "avx2"))
    isa = next((label for flag, label in names if flag in features), "sse2")
    return Processor(name.group(1).strip() if name else "unknown", isa)


def _peak_library(root: Path, build: Path) -> Path:
    """The library that CMake built, or else one compiled here: the peers can be timed without a build of Weft."""
    source = root / "benchmarks" / "peak" / "Peak.c"
    for built in (build / "lib" / "libweft_peak.so", root / "build" / "benchmarks" / "libweft_peak.so"):
        if built.exists() and built.stat().st_mtime >= source.stat().st_mtime:
            return built
    built.parent.mkdir(parents=True, exist_ok=True)
    flags = ["-O2", "-std=c11", "-shared", "-fPIC", f"-I{root}"]
    subprocess.run([os.environ.get("CC", "cc"), *flags, str(source), "-o", str(built)], check=True)
    return built


class Peak:
    """The peak loops of benchmarks/peak."""

    def __init__(self, root: Path, build: Path, threads: int):
        library = ctypes.CDLL(str(_peak_library(root, build)))
        library.weft_peak_target.restype = ctypes.c_char_p
        library.weft_peak_fma_gflops.restype = ctypes.c_double
        library.weft_peak_read_gbps.restype = ctypes.c_double
        library.weft_peak_read_gbps.argtypes = [ctypes.c_int64]
        for name in ("bf16", "int8"):
            getattr(library, f"weft_peak_{name}_gflops").restype = ctypes.c_double
        self._library = library
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads)
        self.fma_samples: list[float] = []

    @property
    def target(self) -> str:
        return self._library.weft_peak_target().decode()

    def measure_fma(self) -> None:
        """GF/s of all threads together, added to the samples."""
        if self._threads == 1:
            self.fma_samples.append(self._library.weft_peak_fma_gflops())
            return
        runs = [self._pool.submit(self._library.weft_peak_fma_gflops) for _ in range(self._threads)]
        self.fma_samples.append(sum(run.result() for run in runs))

    def rate(self, bound: str, bytes_: int) -> float:
        """What bounds one thread: "read", over so many bytes, in GB/s; "bf16" and "int8", those multiply-adds on
        AMX's tiles or by dot products where the processor has them; else float32 multiply-adds; in GF/s."""
        if bound == "read":
            return self.read_gbps(bytes_)
        special = getattr(self._library, f"weft_peak_{bound}_gflops")() if bound in ("bf16", "int8") else 0.0
        return special or self._library.weft_peak_fma_gflops()

    def read_gbps(self, bytes_: int) -> float:
        return self._library.weft_peak_read_gbps(bytes_)
