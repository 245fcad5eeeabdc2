# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""bad_places.py WEFT MODEL FOLDER: compiles where there is no permission, no room, or an interrupt, and prints

  NAME: exit CODE | first line of the error | whether there is help | what lies in the folder afterwards

Names end in -over where an artifact was there before; then it must still be whole.
"""
import os
import resource
import shutil
import signal
import subprocess
import sys

WEFT, MODEL, FOLDER = sys.argv[1:]
LIMIT = 100_000  # bytes: less than the weights
WHOLE = os.path.join(FOLDER, "whole.weft")


def compile_command(place):
    return [WEFT, "compile", MODEL, "-o", os.path.join(place, "m.weft"), "--target", "cpu:portable"]


def whole(artifact):
    return os.path.isdir(artifact) and subprocess.run(["diff", "-r", WHOLE, artifact], capture_output=True).returncode == 0


def tell(name, place, code, text):
    lines = [line for line in text.splitlines() if "%" not in line] or ["no error"]
    help_text = "help" if any(line.startswith("help: ") for line in lines) else "no help"
    left = [f if not f.endswith(".weft") or whole(os.path.join(place, f)) else f"half {f}" for f in sorted(os.listdir(place))]
    print(f"{name}: exit {code} | {lines[0]} | {help_text} | {' '.join(left) or 'nothing'}", flush=True)


def run(name, place, command, **options):
    result = subprocess.run(command, capture_output=True, text=True, cwd=FOLDER, **options)
    tell(name, place, result.returncode, result.stderr)


def make_place(name):
    place = os.path.join(FOLDER, name)
    os.mkdir(place)
    if name.endswith("-over"):
        shutil.copytree(WHOLE, os.path.join(place, "m.weft"))
    return place


def read_only(name):
    place = make_place(name)
    os.chmod(place, 0o555)
    # Permissions do not bind root: without this capability they do.
    unprivileged = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    run(name, place, unprivileged + compile_command(place))
    os.chmod(place, 0o755)


def file_limit(name):
    place = make_place(name)
    run(name, place, compile_command(place),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT)))


def full_disk(name, size):
    place = make_place(name)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        print(f"{name}: cannot mount")
        return
    try:
        run(name, place, compile_command(place))
    finally:
        subprocess.run(["umount", place], check=True)


def interrupt(name, phase):
    """Sends the signal as soon as the phase is told."""
    place = make_place(name)
    process = subprocess.Popen(compile_command(place), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    text = ""
    for line in process.stderr:
        text += line
        if f"%  {phase}" in line:
            process.send_signal(signal.SIGINT)
    code = process.wait()
    tell(name, place, code if code >= 0 else signal.Signals(-code).name, text)


subprocess.run(compile_command(FOLDER), check=True, capture_output=True)
os.rename(os.path.join(FOLDER, "m.weft"), WHOLE)
for end in ("", "-over"):
    read_only("read-only" + end)
    file_limit("file-limit" + end)
    for when in ("import", "fuse", "tile", "emit", "link", "weights"):
        interrupt(f"interrupt-{when}{end}", when)
full_disk("full-disk-code", LIMIT)
full_disk("full-disk-weights", 4 * LIMIT)
