# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""OpenVINO, held to float32."""

import numpy as np
import openvino

from . import Peer, Setting
from .onnx_export import onnx_model


def options(setting: Setting) -> dict[str, object]:
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": setting.threads,
        "NUM_STREAMS": 1,
        # Without this hint processors with AMX compute in bf16: another problem, 1e-2 away from float32.
        "INFERENCE_PRECISION_HINT": "f32",
        # This process is pinned already.
        "ENABLE_CPU_PINNING": False,
    }


def make(setting: Setting) -> Peer:
    compiled = openvino.Core().compile_model(str(onnx_model(setting)), "CPU", options(setting))
    request = compiled.create_infer_request()

    def prepare(feed: dict[str, np.ndarray]):
        return lambda: request.infer(feed, share_inputs=True, share_outputs=True)[0]

    version = openvino.__version__.split("-")[0]
    return Peer("openvino", version, prepare, lambda array: np.array(array), "ONNX import, precision hint f32")
