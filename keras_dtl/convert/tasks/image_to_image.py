"""Generators: one image for each image, of the same size, in the same tree of folders."""

from pathlib import Path, PurePosixPath

import numpy as np

from keras_dtl.convert.artifact import Artifact, enlarge_by_mirroring
from keras_dtl.convert.items import Item, ItemError, Loaded
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.tasks.image_task import ImageTask
from keras_dtl.convert.tasks.mirrored_tree import MirroredTree
from keras_dtl.images import encode_image, has_alpha, resize_image, writable_suffixes
from keras_dtl.manifest import Tensor


class ImageToImage(MirroredTree, ImageTask):
    """Writes what a generator makes of each image.

    Sizes that the model cannot take are padded by reflection and cropped again; models of one
    fixed size get the image resized, and their output is resized back. Transparency, notes and
    the colour profile of each image go with it by choice.
    """

    own_options = (*MirroredTree.own_options, "alpha", "bucket", "quality", "tile")
    formats = ("png", "jpg", "webp", "avif", "tif", "same")
    """Of the option `format`; the first one is the default."""
    expected = "Images can be written of one output that is a batch of uint8 images"

    def __init__(self, artifact: Artifact, destination: Path, options: Options):
        super().__init__(artifact, destination, options)
        self.format = options.format_among(self.formats)
        self.multiple = np.lcm(self.preprocessing.size_multiple, options.bucket)
        outputs = artifact.manifest.outputs
        if len(outputs) != 1 or not self.can_write(outputs[0]):
            raise ConversionError(
                f"{self.expected}; the model has "
                f"{[(item.name, item.dtype, item.shape) for item in outputs]}."
            )
        self.image = outputs[0].name

    def can_write(self, output: Tensor) -> bool:
        """Return whether the model's output, a `Tensor`, is what this task writes."""
        return output.is_image

    def suffix_of(self, item: Item) -> str:
        return PurePosixPath(item.name).suffix if self.format == "same" else f".{self.format}"

    def check_free(self, item: Item, frame: int | None = None) -> None:
        suffix = self.suffix_of(item)
        if suffix.lower() not in writable_suffixes():
            raise ItemError(f"images cannot be written as {suffix!r}; choose a format")
        super().check_free(item, frame)

    def keeps_alpha(self, suffix: str) -> bool:
        return self.options.alpha == "keep" and has_alpha(suffix)

    def prepare(self, image: np.ndarray) -> np.ndarray:
        if self.preprocessing.resize is not None:
            return resize_image(image, self.preprocessing.resize)
        return enlarge_by_mirroring(image, self.multiple, self.preprocessing.least_size)

    def encode(self, loaded: Loaded, outputs: dict[str, np.ndarray], suffix: str) -> bytes:
        image = outputs[self.image]
        require_same_size(image, loaded)
        if self.preprocessing.resize is not None:
            image = resize_image(image, loaded.size)
        height, width = loaded.size
        image = np.ascontiguousarray(image[:height, :width])
        try:
            return encode_image(image, suffix, self.options.quality, loaded.alpha, loaded.tags)
        # Encoders have limits of their own, such as the 16383 pixels of WebP.
        except (ValueError, OSError) as error:
            raise ItemError(f"it cannot be encoded as {suffix}: {error}") from error


def require_same_size(made: np.ndarray, loaded: Loaded) -> None:
    """Refuse what has another size than the image that it was made of.

    Args:
        made: Array `(height, width, ...)`.
        loaded: What went into the model.

    Raises:
        ItemError: It has another one.
    """
    if made.shape[:2] != loaded.pixels.shape[:2]:
        raise ItemError(
            f"the model made {made.shape[:2]} pixels (height, width) of "
            f"{loaded.pixels.shape[:2]}; it must keep the size"
        )
