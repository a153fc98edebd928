"""The SavedModel, with the signatures that TensorFlow Serving offers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import tensorflow as tf

from keras_dtl.export.deployable import Deployable
from keras_dtl.export.draft import Draft
from keras_dtl.export.parity import Arrays, Reading


def write_saved_model(draft: Draft, path: Path) -> None:
    """Write a SavedModel.

    Its signature `serving_default` takes the model's own inputs by name. Where the only input is
    a batch of images, `image_bytes` takes a vector of encoded JPEG, PNG, GIF or BMP files
    instead: they are decoded and resized to the manifest's size. Where it has none, the images of
    one batch must have equal sizes. EXIF orientation is not applied: TensorFlow cannot read it.

    Args:
        draft: The `Draft`.
        path: Its `saved_model.pb`; the other files go beside it.
    """
    deployable = draft.deployable
    archive = keras.export.ExportArchive()
    archive.track(deployable.model)
    specs = {spec.name: spec for spec in deployable.specs}
    archive.add_endpoint("serving_default", lambda inputs: deployable(inputs), [specs])
    if deployable.image is not None:
        archive.add_endpoint(
            "image_bytes",
            _decoding_endpoint(deployable, draft.manifest.preprocessing.resize),
            [tf.TensorSpec([None], tf.string, name="image_bytes")],
        )
    archive.write_out(path.parent, verbose=False)


def _decoding_endpoint(
    deployable: Deployable, resize: tuple[int, int] | None
) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    image = deployable.image

    def decode(encoded):
        pixels = tf.io.decode_image(encoded, channels=image.shape[3], expand_animations=False)
        if resize is None:
            return pixels
        pixels = tf.image.resize(pixels, resize, antialias=True)
        return tf.saturate_cast(tf.round(pixels), tf.uint8)

    def serve(image_bytes):
        pixels = tf.map_fn(
            decode,
            image_bytes,
            fn_output_signature=tf.TensorSpec((*(resize or (None, None)), image.shape[3]), "uint8"),
        )
        return deployable({image.name: pixels})

    return serve


def read_saved_model(draft: Draft, path: Path) -> Iterator[Reading]:
    """Yield a `Reading` of each signature of a SavedModel.

    Args:
        draft: The `Draft`.
        path: Its `saved_model.pb`.
    """
    loaded = tf.saved_model.load(path.parent)
    yield Reading(_serving_default(loaded))
    if "image_bytes" in loaded.signatures:
        image, resize = draft.manifest.inputs[0].name, draft.manifest.preprocessing.resize
        # It would resize the others.
        fitting = [p for p in draft.probes if resize in (None, p.inputs[image].shape[1:3])]
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
        outputs = signature(image_bytes=tf.constant(encoded))
        return {name: value.numpy() for name, value in outputs.items()}

    return run
