"""The written files, opened again as a client would, and compared with the model."""

import keras
import numpy as np
import onnxruntime
import tensorflow as tf

from keras_dtl.export.deployable import Deployable, float32_policy
from keras_dtl.export.errors import ExportError
from keras_dtl.export.parity import compare


def measure_parity(folder, manifest, probes):
    """Compare every file of an artifact that computes something with Keras.

    Args:
        folder: The artifact, not yet published.
        manifest: Its `Manifest`.
        probes: A list of `Probe`.

    Returns:
        The records of `keras_dtl.export.parity.compare`, for all files.

    Raises:
        ExportError: A file cannot be opened, or differs.
    """
    saved_model = tf.saved_model.load(folder / str(manifest.version))
    name = f"{manifest.version}/saved_model.pb"
    records = [
        *compare("model.keras", _keras(folder / "model.keras"), probes, manifest.outputs),
        *compare(name, _serving_default(saved_model), probes, manifest.outputs),
        *compare(manifest.onnx_file, _onnx(folder / manifest.onnx_file), probes, manifest.outputs),
    ]
    if "image_bytes" in saved_model.signatures:
        image, resize = manifest.inputs[0].name, manifest.preprocessing.resize
        # It would resize the others.
        fitting = [p for p in probes if resize in (None, p.inputs[image].shape[1:3])]
        run = _image_bytes(saved_model, image)
        records += compare(f"{name} (image_bytes)", run, fitting, manifest.outputs)
    return tuple(records)


def _keras(path):
    try:
        with float32_policy():
            deployable = Deployable(keras.saving.load_model(path, compile=False))
    except (TypeError, ValueError) as error:
        raise ExportError(
            f"model.keras cannot be loaded again: {error}. Register the model's own layers with "
            "keras.saving.register_keras_serializable and return every argument from get_config."
        ) from error
    return lambda inputs: {name: np.asarray(value) for name, value in deployable(inputs).items()}


def _serving_default(saved_model):
    signature = saved_model.signatures["serving_default"]

    def run(inputs):
        outputs = signature(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    return run


def _image_bytes(saved_model, name):
    """Each image of the input `name` goes as a PNG file, which loses nothing."""
    signature = saved_model.signatures["image_bytes"]

    def run(inputs):
        encoded = [tf.io.encode_png(image).numpy() for image in inputs[name]]
        outputs = signature(image_bytes=tf.constant(encoded))
        return {name: value.numpy() for name, value in outputs.items()}

    return run


def _onnx(path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs), strict=True))
