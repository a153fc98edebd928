"""Descriptions that serving systems read beside the model."""

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from keras_dtl.export.draft import Draft
from keras_dtl.files import write_json, write_text
from keras_dtl.manifest import Manifest, Tensor

_OPEN_INFERENCE_TYPES = {
    "bool": "BOOL",
    **{f"float{bits}": f"FP{bits}" for bits in (16, 32, 64)},
    **{f"int{bits}": f"INT{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"UINT{bits}" for bits in (8, 16, 32, 64)},
}
_LARGEST_BATCH = 32  # that Triton may gather from waiting requests


def write_triton_config(draft: Draft, path: Path) -> None:
    """Write `config.pbtxt`.

    Args:
        draft: The `Draft`.
        path: The file to write.
    """
    write_text(path, triton_config(draft.manifest))


def write_open_inference_description(draft: Draft, path: Path) -> None:
    """Write `open_inference.json`.

    Args:
        draft: The `Draft`.
        path: The file to write.
    """
    write_json(path, open_inference_description(draft.manifest))


def triton_config(manifest: Manifest) -> str:
    """Return the text of `config.pbtxt`, by which Triton serves the artifact's ONNX graph.

    Triton adds the batch axis itself, so that it can batch requests that wait.

    Args:
        manifest: The `Manifest`.
    """
    return "\n".join(
        [
            f"name: {json.dumps(manifest.name)}",
            'platform: "onnxruntime_onnx"',
            f"default_model_filename: {json.dumps(PurePosixPath(manifest.onnx_file).name)}",
            f"max_batch_size: {_LARGEST_BATCH}",
            _tensors("input", manifest.inputs),
            _tensors("output", manifest.outputs),
            "dynamic_batching { }",
            "",
        ]
    )


def _tensors(kind: str, tensors: Iterable[Tensor]) -> str:
    return f"{kind} [\n" + ",\n".join(map(_tensor, tensors)) + "\n]"


def _tensor(tensor: Tensor) -> str:
    sizes = ", ".join(str(-1 if size is None else size) for size in tensor.shape[1:])
    return (
        f"  {{ name: {json.dumps(tensor.name)} "
        f"data_type: TYPE_{_OPEN_INFERENCE_TYPES[tensor.dtype]} dims: [ {sizes} ] }}"
    )


def open_inference_description(manifest: Manifest) -> dict[str, Any]:
    """Return what `GET v2/models/NAME` of the Open Inference Protocol answers for the artifact.

    Args:
        manifest: The `Manifest`.
    """

    def tensors(items):
        return [
            {
                "name": item.name,
                "datatype": _OPEN_INFERENCE_TYPES[item.dtype],
                "shape": [-1 if size is None else size for size in item.shape],
            }
            for item in items
        ]

    return {
        "name": manifest.name,
        "versions": [str(manifest.version)],
        "platform": "onnx_onnxv1",
        "inputs": tensors(manifest.inputs),
        "outputs": tensors(manifest.outputs),
    }
