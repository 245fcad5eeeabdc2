# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""on_terminal.py COMMAND…: runs it on a terminal of its own and prints what that showed, control characters by name."""
import os
import pty
import sys

shown = bytearray()


def read(descriptor):
    data = os.read(descriptor, 4096)
    shown.extend(data)
    return data


quiet = os.open(os.devnull, os.O_WRONLY)
standard_output = os.dup(1)
os.dup2(quiet, 1)
status = pty.spawn(sys.argv[1:], read, lambda descriptor: b"")
os.dup2(standard_output, 1)
text = shown.decode().replace("\r\n", "\n").replace("\x1b[K", "<ERASE>").replace("\r", "\n<CR>")
print(text)
sys.exit(os.waitstatus_to_exitcode(status))
