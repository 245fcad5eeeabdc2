# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""CTranslate2 in float32. It takes lengths instead of a mask and skips padding."""

import shutil

import ctranslate2
import numpy as np

from . import Peer, Setting


def make(setting: Setting) -> Peer:
    folder = setting.cache / "minilm-ctranslate2"
    if not folder.exists():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        ctranslate2.converters.TransformersConverter(str(setting.model)).convert(str(part))
        part.rename(folder)
    encoder = ctranslate2.Encoder(
        str(folder), device="cpu", compute_type="float32", inter_threads=1, intra_threads=setting.threads
    )

    def prepare(feed: dict[str, np.ndarray]):
        ids = ctranslate2.StorageView.from_array(feed["input_ids"].astype(np.int32))
        lengths = ctranslate2.StorageView.from_array(feed["attention_mask"].sum(axis=1).astype(np.int32))
        # Token types are left out: they are all zero, which is the default.
        return lambda: encoder.forward_batch(ids, lengths).last_hidden_state

    return Peer("ctranslate2", ctranslate2.__version__, prepare, lambda view: np.array(view), "compute type float32")
