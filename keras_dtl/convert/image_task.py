"""What all models of images have in common: how images are read, batched and shown."""

from keras_dtl.convert.options import ConversionError
from keras_dtl.convert.reading import load, thumbnail
from keras_dtl.convert.task import Task
from keras_dtl.convert.tiling import Tiler
from keras_dtl.images import DECODERS, readable_suffixes, writable_suffixes


class ImageTask(Task):
    """A task whose input is images; see `Task`."""

    suffixes = readable_suffixes()
    none_found = f"no images. Give a folder with {', '.join(DECODERS)} files."

    def __init__(self, artifact, destination, options):
        super().__init__(artifact, destination, options)
        inputs = artifact.manifest.inputs
        if len(inputs) != 1 or not inputs[0].is_image:
            raise ConversionError(
                "Folders can be converted by models whose one input is a batch of uint8 images; "
                f"this one takes {[(item.name, item.dtype, item.shape) for item in inputs]}."
            )
        self.preprocessing = artifact.manifest.preprocessing

    @classmethod
    def takes_as_target(cls, suffix):
        return suffix in writable_suffixes()

    def keeps_alpha(self, suffix):
        """Whether transparency goes to the result beside the pixels, or images are laid over white.

        Args:
            suffix: Of the file that is written.
        """
        return False

    def suffix_of(self, item):
        """Return the suffix of the file that is written of an item, if there is one."""
        return ""

    def prepare(self, image):
        """Return the array that goes into the model, of a uint8 `(height, width, channels)`."""
        return image

    def load(self, item, data, content="", suffix=None, before=lambda pixels: None):
        keep_alpha = self.keeps_alpha(suffix or self.suffix_of(item))
        yield from load(item, data, content, self, keep_alpha, before)

    def model(self):
        return Tiler(self.artifact, self.options)

    def picture(self, path):
        return thumbnail(path, self.options.max_pixels)
