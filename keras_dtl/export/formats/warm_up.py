"""Requests that TensorFlow Serving answers to itself before it takes those of clients.

The first request of a signature is slow, since the graph is built then. TensorFlow Serving reads
`assets.extra/tf_serving_warmup_requests`, a TFRecord file of `PredictionLog` messages. Their
schema comes with the package tensorflow-serving-api, which pins its own TensorFlow; the four
messages needed here are small enough to be written field by field.
"""

from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_dtl.export.draft import Draft

PLACE = "assets.extra/tf_serving_warmup_requests"

# Numbers of the fields in tensorflow_serving/apis/*.proto.
_PREDICT_LOG = 6
_REQUEST = 1
_MODEL_SPEC, _INPUTS = 1, 2
_NAME, _SIGNATURE = 1, 3
_KEY, _VALUE = 1, 2


def write_warm_up(draft: Draft, path: Path) -> None:
    """Write one request for each signature of a SavedModel.

    Args:
        draft: The `Draft`, of whose probes the first is sent.
        path: The file to write.
    """
    manifest, inputs = draft.manifest, draft.probes[0].inputs
    requests = [_request(manifest.name, "serving_default", inputs)]
    if len(manifest.inputs) == 1 and manifest.inputs[0].is_image:
        images = [tf.io.encode_png(image).numpy() for image in inputs[manifest.inputs[0].name]]
        requests.append(_request(manifest.name, "image_bytes", {"image_bytes": images}))
    with tf.io.TFRecordWriter(str(path)) as file:
        for request in requests:
            file.write(request)


def _request(name: str, signature: str, inputs: dict[str, Any]) -> bytes:
    """Return the bytes of a `PredictionLog`."""
    spec = _field(_NAME, name.encode()) + _field(_SIGNATURE, signature.encode())
    request = _field(_MODEL_SPEC, spec)
    for key, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        request += _field(_INPUTS, _field(_KEY, key.encode()) + _field(_VALUE, tensor))
    return _field(_PREDICT_LOG, _field(_REQUEST, request))


def _field(number: int, data: bytes) -> bytes:
    """Return a field of bytes, as protocol buffers write it."""
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
