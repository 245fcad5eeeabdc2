# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""damaged_models.py WEFT FIXTURE FOLDER: copies a fixture, damages each copy in one way, compiles it, and prints

  NAME: exit CODE | first line of the error | whether the place names the copy, whether there is help | what was left
"""
import json
import os
import shutil
import struct
import subprocess
import sys

WEFT, FIXTURE, FOLDER = sys.argv[1:]
WEIGHTS = "model.safetensors"
EMBEDDING = "embeddings.word_embeddings.weight"


def load(folder):
    with open(os.path.join(folder, WEIGHTS), "rb") as file:
        data = file.read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:start]), data[start:]


def store(folder, header, data, claimed=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    with open(os.path.join(folder, WEIGHTS), "wb") as file:
        file.write(struct.pack("<Q", claimed or len(text)) + text + data)


def in_header(change):
    """Changes a tensor's entry in the header."""

    def damage(folder):
        header, data = load(folder)
        change(header[EMBEDDING], header)
        store(folder, header, data)

    return damage


def shift(entry, bytes_more):
    entry["data_offsets"] = [offset + bytes_more for offset in entry["data_offsets"]]


def truncate(keep):
    def damage(folder):
        path = os.path.join(folder, WEIGHTS)
        os.truncate(path, keep if keep >= 0 else os.path.getsize(path) + keep)

    return damage


def claim_header(length):
    return lambda folder: store(folder, *load(folder), claimed=length)


def duplicate_key(folder):
    header, data = load(folder)
    text = json.dumps(header).encode()
    first = json.dumps({EMBEDDING: header[EMBEDDING]}).encode()
    store(folder, first[:-1] + b"," + text[1:], data)


def deep_json(folder):
    store(folder, b'{"a":' * 100000 + b"1" + b"}" * 100000, b"")


def in_config(**values):
    def damage(folder):
        path = os.path.join(folder, "config.json")
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
        config.update(values)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({key: value for key, value in config.items() if value is not None}, file)

    return damage


def write(name, text):
    def damage(folder):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    return damage


def pickled(folder):
    os.rename(os.path.join(folder, WEIGHTS), os.path.join(folder, "pytorch_model.bin"))


DAMAGES = {
    "no-weights": lambda folder: os.remove(os.path.join(folder, WEIGHTS)),
    "no-config": lambda folder: os.remove(os.path.join(folder, "config.json")),
    "empty": truncate(0),
    "cut-in-header": truncate(100),
    "cut-in-data": truncate(-1),
    "header-too-long": claim_header(1 << 40),
    "header-longest": claim_header((1 << 64) - 1),
    "header-not-json": lambda folder: store(folder, b"weights!" * 8, b""),
    "deep-json": deep_json,
    "duplicate-key": duplicate_key,
    "overlap": in_header(lambda entry, header: shift(entry, -256)),
    "outside": in_header(lambda entry, header: shift(entry, 1 << 40)),
    "backwards": in_header(lambda entry, header: entry["data_offsets"].reverse()),
    "negative-extent": in_header(lambda entry, header: entry.update(shape=[-900, 64])),
    "unknown-dtype": in_header(lambda entry, header: entry.update(dtype="Q7")),
    "integer-weight": in_header(lambda entry, header: entry.update(dtype="I32")),
    "size-disagrees": in_header(lambda entry, header: entry.update(shape=[900, 65])),
    "renamed-weight": in_header(lambda entry, header: header.update({"other": header.pop(EMBEDDING)})),
    "wrong-shape": in_config(vocab_size=901),
    "hidden-too-wide": in_config(hidden_size=128),
    "heads-do-not-fit": in_config(num_attention_heads=5),
    "no-hidden-size": in_config(hidden_size=None),
    "word-for-number": in_config(num_hidden_layers="two"),
    "negative-layers": in_config(num_hidden_layers=-1),
    "unknown-architecture": in_config(model_type="t5", architectures=["T5Model"]),
    "unknown-activation": in_config(hidden_act="cubic"),
    "config-not-json": write("config.json", "{"),
    "config-deep": write("config.json", "[" * 100000),
    "pickle": pickled,
}

for name, damage in DAMAGES.items():
    folder = os.path.join(FOLDER, name)
    shutil.copytree(FIXTURE, folder, copy_function=shutil.copyfile)
    damage(folder)
    before = set(os.listdir(FOLDER))
    command = [WEFT, "compile", folder, "-o", os.path.join(FOLDER, "m.weft"), "--target", "cpu:portable"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=FOLDER)
    lines = [line for line in result.stderr.splitlines() if "%" not in line]
    place = next((line for line in lines if line.startswith("  --> ")), "")
    help_text = next((line for line in lines if line.startswith("help: ")), "no help")
    left = sorted(set(os.listdir(FOLDER)) - before) or "nothing"
    first = lines[0] if lines else "no error"
    where = "place" if name in place else f"place is '{place}'"
    print(f"{name}: exit {result.returncode} | {first} | {where} | {help_text} | left {left}")
