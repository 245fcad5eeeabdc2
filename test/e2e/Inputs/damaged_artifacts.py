# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""damaged_artifacts.py WEFT ARTIFACT FOLDER SIGN NEWER_ISA.so NEWER_ABI.so: damages copies of an artifact, runs each, and prints

  NAME: exit CODE | first line of the error | whether the place names the copy | what to do
"""
import json
import os
import shutil
import subprocess
import sys

WEFT, ARTIFACT, FOLDER, SIGN, NEWER_ISA, NEWER_ABI = sys.argv[1:]


def cut(name, bytes_less=1):
    def damage(folder):
        path = os.path.join(folder, name)
        os.truncate(path, os.path.getsize(path) - bytes_less)

    return damage


def flip(name, share):
    """Changes the lowest bit of the byte at this share of the file."""

    def damage(folder):
        with open(os.path.join(folder, name), "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(int(share * (size - 1)))
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))

    return damage


def in_manifest(change):
    def damage(folder):
        path = os.path.join(folder, "manifest.json")
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
        change(manifest)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(manifest, file)

    return damage


def with_code(code):
    """Other code, with a manifest that vouches for it."""

    def damage(folder):
        path = os.path.join(folder, "model.so")
        shutil.copyfile(code, path)
        length, digest = subprocess.run([SIGN, path], check=True, capture_output=True, text=True).stdout.split()
        in_manifest(lambda m: m["files"]["model.so"].update(bytes=int(length), xxh3=digest))(folder)

    return damage


DAMAGES = {
    "whole": lambda folder: None,
    "no-manifest": lambda folder: os.remove(os.path.join(folder, "manifest.json")),
    "no-code": lambda folder: os.remove(os.path.join(folder, "model.so")),
    "manifest-cut": cut("manifest.json", 100),
    "code-cut": cut("model.so"),
    "weights-cut": cut("weights.safetensors"),
    "tokenizer-cut": cut("tokenizer.json"),
    **{f"code-bit-{share}": flip("model.so", share) for share in (0, 0.3, 1)},
    **{f"weights-bit-{share}": flip("weights.safetensors", share) for share in (0, 0.5, 1)},
    "tokenizer-bit": flip("tokenizer.json", 0.5),
    "newer-format": in_manifest(lambda m: m.update(format=2)),
    "newer-abi": in_manifest(lambda m: m["abi"].update(major=99)),
    "newer-minor": in_manifest(lambda m: m["abi"].update(minor=9)),
    "newer-isa": with_code(NEWER_ISA),
    "newer-abi-in-code": with_code(NEWER_ABI),
    "other-code": with_code(SIGN),
    "name-leaves": in_manifest(lambda m: m["files"].update({"../x": m["files"]["model.so"]})),
}

for name, damage in DAMAGES.items():
    folder = os.path.join(FOLDER, name + ".weft")
    shutil.copytree(ARTIFACT, folder)
    damage(folder)
    result = subprocess.run([WEFT, "run", folder, "--text", "ok"], capture_output=True, text=True)
    lines = result.stderr.splitlines() or ["no error"]
    place = "place" if any("--> " in line and name in line for line in lines) else "no place"
    help_text = next((line for line in lines if line.startswith("help: ")), "no help")
    print(f"{name}: exit {result.returncode} | {lines[0]} | {place} | {help_text}")
