from pathlib import Path

import keras
import tensorflow as tf

from keras_dtl.callbacks.logged import numbers
from keras_dtl.callbacks.measure import is_due
from keras_dtl.images import write_image


class ProgressImages(keras.callbacks.Callback):
    """Shows what a generator makes of the same images as training goes on.

    Writes `images/epoch-00005.png` and, for TensorBoard, `tensorboard/` with the picture and all
    logs. Pass it after the callbacks that add to the logs.

    Args:
        folder: Where both are kept.
        draw: Function from the model to one uint8 picture `(height, width, channels)`.
        every: After how many epochs a picture is drawn; always after the last. Logs are written
            after each.
    """

    def __init__(self, folder, draw, every=1):
        super().__init__()
        self.folder = Path(folder)
        self.draw = draw
        self.every = every

    def on_train_begin(self, logs=None):
        self._writer = tf.summary.create_file_writer(str(self.folder / "tensorboard"))

    def on_epoch_end(self, epoch, logs=None):
        with self._writer.as_default(step=epoch + 1):
            for name, value in numbers(logs).items():
                _write(name, "scalars", value)
            if is_due(epoch, self.every, self.params["epochs"]):
                picture = self.draw(self.model)
                write_image(self.path(epoch + 1), picture)
                height, width, _ = picture.shape
                png = tf.io.encode_png(picture).numpy()
                _write("progress", "images", [str(width), str(height), png])

    def on_train_end(self, logs=None):
        self._writer.close()

    def path(self, epoch):
        return self.folder / "images" / f"epoch-{epoch:05}.png"

    def paths(self):
        """Return the pictures drawn so far, in order."""
        return sorted((self.folder / "images").glob("epoch-*.png"))


def _write(name, plugin, value):
    """Write one summary; `tf.summary.scalar` and `image` would need TensorBoard itself."""
    kind = tf.compat.v1.SummaryMetadata.PluginData(plugin_name=plugin)
    metadata = tf.compat.v1.SummaryMetadata(plugin_data=kind)
    tf.summary.write(name, tf.constant(value), metadata=metadata)
