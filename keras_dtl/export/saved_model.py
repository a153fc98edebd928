"""The SavedModel, with the signatures that TensorFlow Serving offers."""

import keras
import tensorflow as tf


def write_saved_model(deployable, folder, resize=None):
    """Write a SavedModel.

    Its signature `serving_default` takes the model's own inputs by name. Where the only input is
    a batch of images, `image_bytes` takes a vector of encoded JPEG, PNG, GIF or BMP files
    instead: they are decoded and resized to `resize`. Without `resize` the images of one batch
    must have equal sizes. EXIF orientation is not applied: TensorFlow cannot read it.

    Args:
        deployable: A `Deployable`.
        folder: Where to write; it must not exist.
        resize: `(height, width)`, or `None`.
    """
    archive = keras.export.ExportArchive()
    archive.track(deployable.model)
    specs = {spec.name: spec for spec in deployable.specs}
    archive.add_endpoint("serving_default", lambda inputs: deployable(inputs), [specs])
    if deployable.image is not None:
        archive.add_endpoint(
            "image_bytes",
            _from_bytes(deployable, resize),
            [tf.TensorSpec([None], tf.string, name="image_bytes")],
        )
    archive.write_out(folder, verbose=False)


def _from_bytes(deployable, resize):
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
