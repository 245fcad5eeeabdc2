# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""constant_memory.py WEFT ARTIFACT: continues a text by few tokens and by thousands, and compares what each takes."""
import os
import subprocess
import sys

WEFT, ARTIFACT = sys.argv[1:]
FEW, MANY, SLACK_KB = 50, 5000, 1024  # a thousand-fold of what a token's own number takes


def peak_kb(tokens):
    process = subprocess.Popen([WEFT, "run", ARTIFACT, "--prompt", "ok", "--ignore-eos", "--threads", "1",
                                "--max-new-tokens", str(tokens)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    told = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0 and f"{tokens} new tokens" in told, told
    return usage.ru_maxrss


few, many = peak_kb(FEW), peak_kb(MANY)
print("constant" if many <= few + SLACK_KB else f"{FEW} tokens take {few} KB, {MANY} take {many} KB")
