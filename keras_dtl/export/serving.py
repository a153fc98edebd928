"""Descriptions that serving systems read beside the model."""

import json

_TRITON_TYPES = {
    "bool": "TYPE_BOOL",
    "float16": "TYPE_FP16",
    "float32": "TYPE_FP32",
    "float64": "TYPE_FP64",
    "int32": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "uint8": "TYPE_UINT8",
}
_LARGEST_BATCH = 32  # that Triton may gather from waiting requests


def triton_config(manifest):
    """Return the text of `config.pbtxt`, by which Triton serves the artifact's ONNX graph.

    Triton adds the batch axis itself, so that it can batch requests that wait.
    """
    return "\n".join(
        [
            f"name: {json.dumps(manifest.name)}",
            'platform: "onnxruntime_onnx"',
            'default_model_filename: "model.onnx"',
            f"max_batch_size: {_LARGEST_BATCH}",
            _tensors("input", manifest.inputs),
            _tensors("output", manifest.outputs),
            "dynamic_batching { }",
            "",
        ]
    )


def _tensors(kind, tensors):
    return f"{kind} [\n" + ",\n".join(map(_tensor, tensors)) + "\n]"


def _tensor(tensor):
    sizes = ", ".join(str(-1 if size is None else size) for size in tensor.shape[1:])
    return (
        f"  {{ name: {json.dumps(tensor.name)} "
        f"data_type: {_TRITON_TYPES[tensor.dtype]} dims: [ {sizes} ] }}"
    )


_OPEN_INFERENCE_TYPES = {
    "bool": "BOOL",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "int32": "INT32",
    "int64": "INT64",
    "uint8": "UINT8",
}


def open_inference_description(manifest):
    """Return what `GET v2/models/NAME` of the Open Inference Protocol answers for the artifact."""

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
