# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX Runtime: the plain export, and the graph after its transformer optimiser (fused attention, norms, GELU)."""

import logging
from pathlib import Path

import numpy as np
import onnxruntime

from ..model import config
from . import Peer, Setting
from .onnx_export import OUTPUT, onnx_model


def _peer(name: str, path: Path, setting: Setting, note: str) -> Peer:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = setting.threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def prepare(feed: dict[str, np.ndarray]):
        return lambda: session.run([OUTPUT], feed)[0]

    return Peer(name, onnxruntime.__version__, prepare, note=note)


def make_plain(setting: Setting) -> Peer:
    return _peer("onnxruntime", onnx_model(setting), setting, "plain export, all graph optimisations of the session")


def make_optimised(setting: Setting) -> Peer:
    path = setting.cache / "minilm-bert.onnx"
    if not path.exists():
        _optimise(onnx_model(setting), path, config(setting.model))
    return _peer("onnxruntime-bert", path, setting, "after onnxruntime.transformers.optimizer, model type bert")


def _optimise(source: Path, target: Path, cfg: dict) -> None:
    from onnxruntime.transformers import optimizer

    logging.disable(logging.WARNING)
    model = optimizer.optimize_model(
        str(source),
        model_type="bert",
        num_heads=cfg["num_attention_heads"],
        hidden_size=cfg["hidden_size"],
        opt_level=0,  # the session does the rest at load
    )
    logging.disable(logging.NOTSET)
    fused = model.get_fused_operator_statistics()["Attention"]
    if fused != cfg["num_hidden_layers"]:
        raise RuntimeError(f"the transformer optimiser fused {fused} of {cfg['num_hidden_layers']} attention layers")
    part = target.with_suffix(".part")
    model.save_model_to_file(str(part))
    part.rename(target)
