"""Generators of views: several images for each image, in a folder of its name."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_dtl.convert.items import Item, ItemError, Loaded
from keras_dtl.convert.tasks.image_to_image import ImageToImage
from keras_dtl.manifest import Tensor


class ImageToViews(ImageToImage):
    """Writes `NAME.png/00000.png` and further ones: what a generator makes of `NAME.png`.

    The views of an animation's frames follow each other.
    """

    expected = (
        "Images can be written of one output that is a batch of uint8 views (batch, views, height, "
        "width, channels), two or more"
    )

    def can_write(self, output: Tensor) -> bool:
        shape = output.shape
        return (
            output.dtype == "uint8" and len(shape) == 5 and shape[4] in (1, 3, 4) and shape[1] > 1
        )

    def check_free(self, item: Item, frame: int | None = None) -> None:
        super().check_free(item, frame or 0)

    def make(self, loaded: Loaded, outputs: dict[str, np.ndarray]) -> list[bytes]:
        """Return the files of all views."""
        views = outputs[self.image]
        return [
            super(ImageToViews, self).make(one, {self.image: view})
            for one, view in zip(_number_views(loaded, len(views)), views, strict=True)
        ]

    def keep(self, loaded: Loaded, made: list[bytes]) -> None:
        for one, data in zip(_number_views(loaded, len(made)), made, strict=True):
            super().keep(one, data)

    def encode(self, loaded: Loaded, outputs: dict[str, np.ndarray], suffix: str) -> bytes:
        if outputs[self.image].ndim == 4:  # of a file or a pipe
            count = len(outputs[self.image])
            raise ItemError(f"one file cannot hold {count} views; name a folder as output")
        return super().encode(loaded, outputs, suffix)

    def result(self, item: Item) -> Path | None:
        """Return the first view."""
        target = self.target(item, 0)
        return target if target.is_file() else None


def _number_views(loaded, views):
    """Return the image once for each of its views, numbered as frames."""
    first, frames = views * (loaded.frame or 0), views * loaded.frames
    return [dataclasses.replace(loaded, frame=first + view, frames=frames) for view in range(views)]
