"""Generators of views: several images for each image, in a folder of its name."""

import dataclasses

from keras_dtl.convert.image_to_image import ImageToImage
from keras_dtl.convert.items import ItemError


class ImageToViews(ImageToImage):
    """Writes `NAME.png/00000.png` and further ones: what a generator makes of `NAME.png`.

    The views of an animation's frames follow each other.
    """

    writable = "a batch of uint8 views (batch, views, height, width, channels), two or more"

    def can_write(self, output):
        shape = output.shape
        return (
            output.dtype == "uint8" and len(shape) == 5 and shape[4] in (1, 3, 4) and shape[1] > 1
        )

    def check_free(self, item, frame=None):
        super().check_free(item, frame or 0)

    def write(self, loaded, outputs):
        views = outputs[self.image]
        first = len(views) * (loaded.frame or 0)
        frames = len(views) * loaded.frames
        for number, view in enumerate(views, first):
            one = dataclasses.replace(loaded, frame=number, frames=frames)
            super().write(one, {self.image: view})

    def one(self, loaded, outputs, suffix):
        if outputs[self.image].ndim == 4:  # of a file or a pipe
            count = len(outputs[self.image])
            raise ItemError(f"one file cannot hold {count} views; name a folder as output")
        return super().one(loaded, outputs, suffix)

    def shown(self, item):
        """Return the first view as a path, for the gallery."""
        target = self.target(item, 0)
        return target if target.is_file() else None
