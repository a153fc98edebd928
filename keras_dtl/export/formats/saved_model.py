"""The SavedModel, with the signatures that TensorFlow Serving offers."""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_dtl.export.checks.parity import Arrays, Reading
from keras_dtl.export.deployable import Deployable
from keras_dtl.export.draft import Draft
from keras_dtl.export.graphs.folded_time import moments_as_a_batch
from keras_dtl.export.graphs.grouped_convolution import as_one_a_group
from keras_dtl.export.pixels.decoding import decode_upright
from keras_dtl.export.pixels.resampling import mirror, resize, resize_nearest
from keras_dtl.manifest import Manifest, Tensor


def write_saved_model(draft: Draft, path: Path) -> None:
    """Write a SavedModel.

    Its signature `serving_default` takes the model's own inputs by name; images of any size are
    mirrored to a multiple that the model needs, and its outputs cut back. Where the only input is
    a batch of images, `image_bytes` takes a vector of encoded JPEG, PNG, GIF, BMP or WebP files
    instead, which become what `keras_dtl.images.read_image` makes of them. They are resized to
    the manifest's size, and images and maps that come out back to their own. The images of one
    request must have equal sizes where what comes out has these.

    Args:
        draft: The `Draft`.
        path: Its `saved_model.pb`; the other files go beside it.

    Raises:
        OSError: It cannot be written, such as on a full disk.
    """
    deployable = draft.deployable
    archive = keras.export.ExportArchive()
    specs = {spec.name: spec for spec in deployable.specs}
    with as_one_a_group(deployable.model), moments_as_a_batch(deployable.model):
        serve = _traced(served(deployable, draft.manifest), specs)
    _track(archive, deployable.model, serve)
    archive.add_endpoint("serving_default", lambda inputs: serve(inputs), [specs])
    if deployable.image is not None:
        encoded = tf.TensorSpec([None], tf.string, name="image_bytes")
        answer = _traced(_decoding_endpoint(serve, draft.manifest), encoded)
        archive.add_endpoint("image_bytes", lambda image_bytes: answer(image_bytes), [encoded])
    with errors_of_the_system(path):
        archive.write_out(path.parent, verbose=False)


def _traced(function: Callable, spec: Any) -> Callable:
    """Return the graph of a function, which is traced once: writing traces endpoints twice."""
    return tf.function(function, input_signature=[spec], autograph=False).get_concrete_function()


def _track(archive: Any, model: keras.Model, traced: Any) -> None:
    """Hand the weights of a model to an archive, and the model where it holds lookup tables.

    To find these, which takes longer than to write, every object of the model is gone through.
    """
    taken = [tensor for tensor in traced.captured_inputs if tensor.dtype == tf.resource]
    if len(taken) > len(traced.variables):
        archive.track(model)
        return
    for name in ("variables", "trainable_variables", "non_trainable_variables"):
        archive.add_variable_collection(name, getattr(model, name))


@contextlib.contextmanager
def errors_of_the_system(path: Path) -> Iterator[None]:
    """Turn the errors of TensorFlow's own way to write files into those of the system.

    Args:
        path: What is written.

    Raises:
        OSError: It cannot be written, such as on a full disk.
    """
    try:
        yield
    except tf.errors.OpError as error:
        full = os.strerror(errno.ENOSPC)
        if full not in str(error):
            raise OSError(errno.EIO, str(error), str(path)) from error
        raise OSError(errno.ENOSPC, full, str(path)) from error


Serve = Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]
"""A function from tensors by name of the input to tensors by name of the output."""


def served(deployable: Deployable, manifest: Manifest) -> Serve:
    """Return what a server runs of a model: images of every size, where it takes multiples.

    Args:
        deployable: The `Deployable`.
        manifest: Its `Manifest`.
    """
    image, preprocessing = deployable.image, manifest.preprocessing
    if image is None or preprocessing.takes_any_size or image.shape[1:3] != (None, None):
        return deployable

    def serve(inputs):
        height, width = tf.unstack(tf.shape(inputs[image.name])[1:3])
        whole = mirror(inputs[image.name], preprocessing.size_multiple, preprocessing.least_size)
        outputs = deployable({image.name: whole})
        for item in deployable.outputs:
            if item.shape[1:3] == (None, None):
                outputs[item.name] = outputs[item.name][:, :height, :width]
        return outputs

    return serve


def _decoding_endpoint(serve: Serve, manifest: Manifest) -> Callable[[tf.Tensor], Any]:
    image, resize_to = manifest.inputs[0], manifest.preprocessing.resize
    channels = image.shape[3]

    def decode(encoded):
        pixels = decode_upright(encoded, channels)
        size = tf.shape(pixels)[:2]
        return (pixels if resize_to is None else resize(pixels, resize_to)), size

    def run(image_bytes):
        pixels, sizes = tf.map_fn(
            decode,
            image_bytes,
            fn_output_signature=(
                tf.TensorSpec((*(resize_to or (None, None)), channels), "uint8"),
                tf.TensorSpec((2,), "int32"),
            ),
        )
        outputs = serve({image.name: pixels})
        if resize_to is None:
            return outputs
        return {
            item.name: _in_own_size(outputs[item.name], item, manifest.task, sizes)
            for item in manifest.outputs
        }

    return run


def _in_own_size(output: tf.Tensor, item: Tensor, task: str, sizes: tf.Tensor) -> tf.Tensor:
    """Bring images and class maps back to the size of the files, as `keras-dtl convert` does."""
    restore = resize if item.is_image and task == "image_to_image" else None
    if task == "segmentation" and item.dtype == "uint8" and len(item.shape) == 3:
        restore = resize_nearest
    if restore is None:
        return output
    message = "The images of one request must have equal sizes: send them one by one."
    with tf.control_dependencies(
        [tf.debugging.Assert(tf.reduce_all(sizes == sizes[:1]), [message])]
    ):
        return restore(output, tuple(tf.unstack(tf.identity(sizes[0]))))


def read_saved_model(draft: Draft, path: Path) -> Iterator[Reading]:
    """Yield a `Reading` of each signature of a SavedModel.

    Args:
        draft: The `Draft`.
        path: Its `saved_model.pb`.
    """
    loaded = tf.saved_model.load(path.parent)
    probes = [*draft.probes, *draft.odd_probes]
    yield Reading(_serving_default(loaded), probes=probes)
    if "image_bytes" in loaded.signatures:
        image, resize = draft.manifest.inputs[0].name, draft.manifest.preprocessing.resize
        # It would resize the others.
        fitting = [p for p in probes if resize in (None, p.inputs[image].shape[1:3])]
        yield Reading(_image_bytes(loaded, image), "image_bytes", fitting)


def _serving_default(loaded: tf.Module) -> Callable[[Arrays], Arrays]:
    signature = loaded.signatures["serving_default"]

    def run(inputs):
        outputs = signature(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    return run


def _image_bytes(loaded: tf.Module, name: str) -> Callable[[Arrays], Arrays]:
    """Return what sends each image of the input `name` as a PNG file, which loses nothing."""
    signature = loaded.signatures["image_bytes"]

    def run(inputs):
        encoded = [tf.io.encode_png(image).numpy() for image in inputs[name]]
        with _as_written():
            outputs = signature(image_bytes=tf.constant(encoded))
        return {name: value.numpy() for name, value in outputs.items()}

    return run


@contextlib.contextmanager
def _as_written() -> Iterator[None]:
    """Run graphs as they are: to optimise all that decodes takes longer than the few images."""
    name = "disable_meta_optimizer"
    before = tf.config.optimizer.get_experimental_options().get(name, False)
    tf.config.optimizer.set_experimental_options({name: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({name: before})
