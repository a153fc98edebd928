"""What all models of images have in common: how images are read, batched and shown."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from keras_dtl.convert.artifact import Artifact
from keras_dtl.convert.image_files.reading import load, thumbnail
from keras_dtl.convert.items import Item, Loaded
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.tasks.task import Task
from keras_dtl.convert.tiles.tiling import Tiler
from keras_dtl.images import unread_reason, writable_suffixes
from keras_dtl.images.formats import DECODERS, readable_suffixes


class ImageTask(Task):
    """A task whose input is images; see `Task`."""

    suffixes = readable_suffixes()
    none_found = f"no images. Give a folder with {', '.join(DECODERS)} files."

    def __init__(self, artifact: Artifact, destination: Path, options: Options):
        super().__init__(artifact, destination, options)
        inputs = artifact.manifest.inputs
        if len(inputs) != 1 or not inputs[0].is_image:
            taken = ", ".join(_in_words(item) for item in inputs)
            raise ConversionError(
                "Folders can be converted by models whose one input is a batch of uint8 images; "
                f"this one takes {taken}.{_way_to_pixels(inputs)}"
            )
        self.preprocessing = artifact.manifest.preprocessing

    @classmethod
    def reason_left_out(cls, path: Path) -> tuple[str, bool]:
        return unread_reason(path)

    @classmethod
    def takes_as_target(cls, suffix: str) -> bool:
        return suffix in writable_suffixes()

    def keeps_alpha(self, suffix: str) -> bool:
        """Whether transparency goes to the result beside the pixels, or images are laid over white.

        Args:
            suffix: Of the file that is written.
        """
        return False

    def suffix_of(self, item: Item) -> str:
        """Return the suffix of the file that is written of an item, if there is one."""
        return ""

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """Return the array that goes into the model, of a uint8 `(height, width, channels)`."""
        return image

    def load(
        self,
        item: Item,
        data: bytes,
        content: str = "",
        suffix: str | None = None,
        before: Callable[[int], None] = lambda pixels: None,
    ) -> Iterator[Loaded]:
        keep_alpha = self.keeps_alpha(suffix or self.suffix_of(item))
        return load(item, data, content, self, keep_alpha, before)

    def model(self) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
        return Tiler(self.artifact, self.options)

    def picture(self, path: Path) -> Image.Image:
        return thumbnail(path, self.options.max_pixels)


def _in_words(item):
    shape = " x ".join("any" if side is None else str(side) for side in item.shape)
    return f"{item.name} ({shape}, {item.dtype})"


def _way_to_pixels(inputs):
    """Say how a model of other inputs is exported so that it takes files."""
    shapes = [item.shape for item in inputs]
    if len(shapes) > 1:
        return (
            " Export what fixes all but one, such as by `keras-dtl export RUN --style-of IMAGE`, "
            "or call the artifact itself: load_artifact(path)(inputs)."
        )
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] not in (1, 3, 4):
        return ""
    return (
        " Where it scales pixels itself, export it again with a batch of them in uint8: "
        "export_model(..., examples=images). Else put the scaling into the model before."
    )
