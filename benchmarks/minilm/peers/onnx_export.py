# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MiniLM as ONNX with dynamic batch and sequence: what ONNX Runtime and OpenVINO read."""

import contextlib
import os
import warnings
from pathlib import Path

from . import Setting

NAMES = ["input_ids", "attention_mask", "token_type_ids"]
OUTPUT = "last_hidden_state"


def onnx_model(setting: Setting) -> Path:
    """The exported file, made on first use.

    Attention is exported by its definition ("eager") with the tracing exporter: of the four combinations of exporter
    and attention implementation this is the one whose pattern both libraries recognise as attention, and the fastest
    in both (measured).
    """
    path = setting.cache / "minilm.onnx"
    if path.exists():
        return path
    import torch

    from .torch import load

    class Encoder(torch.nn.Module):
        def __init__(self, bert):
            super().__init__()
            self.bert = bert

        def forward(self, input_ids, attention_mask, token_type_ids):
            out = self.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
            return out.last_hidden_state

    ids = torch.ones((2, 16), dtype=torch.int64)
    part = path.with_suffix(".part")
    with torch.no_grad(), warnings.catch_warnings(), open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Encoder(load(setting, "eager")),
            (ids, torch.ones_like(ids), torch.zeros_like(ids)),
            str(part),
            input_names=NAMES,
            output_names=[OUTPUT],
            dynamic_axes={name: {0: "batch", 1: "sequence"} for name in [*NAMES, OUTPUT]},
            opset_version=17,
            dynamo=False,
        )
    part.rename(path)
    return path
