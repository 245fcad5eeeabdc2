# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the checks of tools/dev share: the files of a tree, and a list of findings that becomes an exit code."""
import argparse
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LICENSE_LINE = "Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE."
SPDX_LINE = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"


def parser(text):
    """Arguments of every check: --root, so that tests can point it at a scratch tree."""
    result = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("--root", default=ROOT, help="the tree to look at (default: this repository)")
    return result


def files(root, *suffixes):
    """Paths relative to root, sorted: what git tracks or would add; every file where there is no git."""
    if os.path.exists(os.path.join(root, ".git")):
        command = ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    else:
        names = [
            os.path.relpath(os.path.join(folder, name), root)
            for folder, _, inside in os.walk(root)
            for name in inside
        ]
    wanted = {name for name in names if name and (not suffixes or name.endswith(suffixes))}
    return sorted(name for name in wanted if os.path.isfile(os.path.join(root, name)))


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
        return file.read()


class Findings:
    """`path:line: message` lines; `finish` prints them and gives the exit code."""

    def __init__(self, check):
        self.check = check
        self.lines = []
        self.looked_at = 0

    def add(self, path, line, message):
        self.lines.append(f"{path}:{line}: {message}" if line else f"{path}: {message}")

    def finish(self):
        for line in self.lines:
            print(line)
        print(f"{self.check}: {self.looked_at} looked at, {len(self.lines)} findings")
        sys.exit(1 if self.lines else 0)
