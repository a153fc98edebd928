"""Segmenters: a mask of class numbers for each image, and its classes in colour over it."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from keras_dtl.convert.artifact import Artifact
from keras_dtl.convert.items import Item, Loaded
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.tasks.image_to_image import ImageToImage, require_same_size
from keras_dtl.images import encode_image, resize_image, resize_mask
from keras_dtl.manifest import Manifest, Tensor

OVERLAYS = "overlays"
_GOLDEN = 0.618034


class Segmentation(ImageToImage):
    """Writes `NAME.png`, whose palette numbers are the classes, and `overlays/NAME.png`.

    The mask has the size of the image. Its palette holds the classes' colours, so that it can be
    looked at as it is; 255 is void and never written.
    """

    formats = ("png",)
    expected = "A segmenter must have one output, class numbers (batch, height, width) in uint8"

    def __init__(self, artifact: Artifact, destination: Path, options: Options):
        super().__init__(artifact, destination, options)
        self.palette = palette_of(artifact.manifest)

    def can_write(self, output: Tensor) -> bool:
        return output.dtype == "uint8" and len(output.shape) == 3

    def plan(self, items: list[Item]) -> None:
        """Refuse, too, a folder of inputs whose masks would lie among the overlays."""
        super().plan(items)
        if any(item.name.startswith(f"{OVERLAYS}/") for item in items):
            raise ConversionError(
                f"The input has a folder {OVERLAYS}, where overlays of the others are written. "
                "Rename it."
            )

    def overlay_target(self, item: Item, frame: int | None = None) -> Path:
        """Return where the overlay of an item, or of one of its frames, belongs.

        Args:
            item: The `Item`.
            frame: Place among the frames, or `None` where the file is one image.
        """
        return self.output / OVERLAYS / self.target(item, frame).relative_to(self.output)

    def is_done(self, item: Item, records: list[dict]) -> bool:
        frames = [record.get("frame") for record in records]
        whole = all(self.overlay_target(item, frame).is_file() for frame in frames)
        return whole and super().is_done(item, records)

    def keeps_alpha(self, suffix: str) -> bool:
        return False

    def make(self, loaded: Loaded, outputs: dict[str, np.ndarray]) -> tuple[bytes, bytes]:
        """Return the overlay and the mask, both as PNG files."""
        classes = self.restore(outputs[self.image], loaded)
        if self.preprocessing.resize is not None:
            image = resize_image(loaded.pixels, classes.shape)
        else:
            image = np.ascontiguousarray(loaded.pixels[: classes.shape[0], : classes.shape[1]])
        if image.shape[2] == 1:
            image = image.repeat(3, 2)
        colored = (image[..., :3].astype("uint16") + self.palette[classes]) // 2
        return encode_image(colored.astype("uint8"), ".png"), super().make(loaded, outputs)

    def keep(self, loaded: Loaded, made: tuple[bytes, bytes]) -> None:
        overlay, mask = made
        self.publish(self.overlay_target(loaded.item, loaded.frame), overlay)
        super().keep(loaded, mask)

    def encode(self, loaded: Loaded, outputs: dict[str, np.ndarray], suffix: str) -> bytes:
        """Return the mask as a PNG file."""
        picture = Image.fromarray(self.restore(outputs[self.image], loaded))
        picture.putpalette(self.palette.tobytes())
        file = io.BytesIO()
        picture.save(file, "PNG")
        return file.getvalue()

    def restore(self, classes: np.ndarray, loaded: Loaded) -> np.ndarray:
        """Return a class map in the size of its image: nearest neighbours, margins cropped.

        Args:
            classes: uint8 `(height, width)` as the model gave them.
            loaded: What went into the model.
        """
        height, width = loaded.size
        if self.preprocessing.resize is not None:
            return resize_mask(classes, (height, width))
        require_same_size(classes, loaded)
        return np.ascontiguousarray(classes[:height, :width])

    def result(self, item: Item) -> Path | None:
        """Return the overlay."""
        target = self.overlay_target(item)
        return target if target.is_file() else None


def palette_of(manifest: Manifest) -> np.ndarray:
    """Return `(256, 3)` uint8 colours: the classes' own, where the settings name them.

    Args:
        manifest: Of the artifact.

    Raises:
        ConversionError: What they name is no list of colours.
    """
    hues = np.arange(256) * _GOLDEN % 1 * 6
    channels = [np.clip(np.abs((hues + shift) % 6 - 3) - 1, 0, 1) for shift in (0, 4, 2)]
    palette = (np.stack(channels, 1) * 200 + 40).astype("uint8")
    try:
        colors = np.array(manifest.settings.get("colors") or [], "uint8").reshape(-1, 3)[:256]
    except (ValueError, TypeError, OverflowError) as error:
        raise ConversionError(
            f"The artifact's setting `colors` must be a list of [red, green, blue]: {error}"
        ) from error
    palette[: len(colors)] = colors
    return palette
