# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""llama.cpp and its ggml as shared libraries, built once for this processor from the source inside llama_cpp_python's
package."""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from minilm import machine
from minilm.peers import Unavailable

PACKAGE = "llama_cpp_python"
VERSION = "0.3.36"
LIBRARIES = ["libggml-base.so", "libggml-cpu.so", "libggml.so", "libllama.so"]
# No OpenMP: the libraries that bring their own copies get in each other's way; ggml's own threads do the same work.
OPTIONS = ["-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON", "-DGGML_NATIVE=ON", "-DGGML_OPENMP=OFF",
           "-DGGML_LLAMAFILE=ON", "-DGGML_BUILD_TESTS=OFF", "-DGGML_BUILD_EXAMPLES=OFF",
           *(f"-DLLAMA_BUILD_{part}=OFF" for part in ("COMMON", "TESTS", "TOOLS", "EXAMPLES", "SERVER", "APP"))]


def cache() -> Path:
    """Where what is built for benchmarks stays, for all checkouts."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "weft-benchmarks"


def libraries() -> Path:
    """The folder of the libraries, built on first use (some eight minutes on one core)."""
    folder = cache() / f"llama-{VERSION}-{machine.processor().slug}"
    if all((folder / name).exists() for name in LIBRARIES):
        return folder
    # GCC 12 is no choice: it reorders the stores of AMX's tile configuration behind the load of it.
    c, cpp = (next(filter(None, map(shutil.which, names)), None) for names in
              (("clang-22", "clang"), ("clang++-22", "clang++")))
    if not (c and cpp and shutil.which("cmake")):
        raise Unavailable("building llama.cpp takes cmake and clang: tools/setup installs them")
    print(f"benchmarks: building llama.cpp of {PACKAGE} {VERSION} in {folder} (once, some minutes)", file=sys.stderr)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        built = _build(_source(Path(scratch)), Path(scratch) / "build", c, cpp)
        shutil.rmtree(folder, ignore_errors=True)
        built.rename(folder)  # appears only when complete
    return folder


def _source(scratch: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--no-binary", PACKAGE, "--dest", str(scratch)]
    if subprocess.run([*pip, f"{PACKAGE}=={VERSION}"], check=False).returncode != 0:
        raise Unavailable(f"the source of {PACKAGE} {VERSION} cannot be had from the package index")
    (package,) = scratch.glob("*.tar.gz")
    with tarfile.open(package) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # from Python 3.11.4 on
        archive.extractall(scratch)
    (source,) = scratch.glob("*/vendor/llama.cpp")
    (source / "ggml" / "ggml.pc.in").touch()  # CMake wants it, the package leaves it out
    return source


def _build(source: Path, build: Path, c: str, cpp: str) -> Path:
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    configure = ["cmake", "-S", source, "-B", build, *generator, *OPTIONS, f"-DCMAKE_C_COMPILER={c}",
                 f"-DCMAKE_CXX_COMPILER={cpp}", "-DCMAKE_BUILD_RPATH_USE_ORIGIN=ON"]
    for command in (configure, ["cmake", "--build", build, "--target", "llama", "--parallel", str(os.cpu_count())]):
        done = subprocess.run([str(word) for word in command], check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise Unavailable(f"llama.cpp does not build:\n{(done.stdout + done.stderr)[-2000:]}")
    return build / "bin"  # where llama.cpp puts its libraries
