"""`LabelledImages`, the value that every classification data set of this package is loaded into."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keras_dtl.images import resize_image


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images of one size, held in memory, with or without labels.

    Args:
        images: uint8 array `(examples, height, width, channels)`, 1, 3 or 4 channels, 0..255.
        labels: Integer array `(examples,)` of positions in `classes`, or None when unlabelled.
        classes: Class names in label order; empty when unlabelled.
        skipped: `(path, reason)` of every file of the data set that could not be read.

    Raises:
        ValueError: If shapes, dtypes, lengths or labels do not fit together.
    """

    images: np.ndarray
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "classes", tuple(self.classes))
        _check_images(self.images)
        if self.labels is None:
            if self.classes:
                raise ValueError(
                    f"Received {len(self.classes)} class names but no labels. "
                    "Pass labels too, or leave `classes` out for unlabelled images."
                )
            return
        labels = np.asarray(self.labels)
        _check_labels(labels, len(self.images), self.classes)
        object.__setattr__(self, "labels", labels.astype("int32", copy=False))

    def __len__(self):
        return len(self.images)

    def __repr__(self):
        size = "x".join(map(str, self.image_shape))
        labels = "unlabelled" if self.labels is None else f"{len(self.classes)} classes"
        return f"<LabelledImages: {len(self)} of {size}, {labels}>"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(height, width, channels)` of every image."""
        return tuple(self.images.shape[1:])

    def arrays(self) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return `(images, labels)`, or `images` alone when unlabelled."""
        return self.images if self.labels is None else (self.images, self.labels)

    def without_labels(self) -> "LabelledImages":
        """Return the same images without labels or class names."""
        return replace(self, labels=None, classes=())

    def subset(self, indices: Sequence[int] | np.ndarray) -> "LabelledImages":
        """Return some of the examples, with all class names kept.

        Args:
            indices: Their positions, `(examples,)`, in the order wanted.
        """
        indices = np.asarray(indices)
        labels = None if self.labels is None else self.labels[indices]
        return replace(self, images=self.images[indices], labels=labels)

    def join(self, other: "LabelledImages") -> "LabelledImages":
        """Return these examples and then others.

        Args:
            other: `LabelledImages` of the same classes and image shape.

        Raises:
            ValueError: If the classes differ.
        """
        if self.classes != other.classes:
            raise ValueError(
                "Only examples of the same classes can be joined. Received: "
                f"{self.classes} and {other.classes}."
            )
        labels = None if self.labels is None else np.concatenate([self.labels, other.labels])
        images = np.concatenate([self.images, other.images])
        return replace(self, images=images, labels=labels, skipped=self.skipped + other.skipped)

    def resize(self, size: tuple[int, int]) -> "LabelledImages":
        """Return the images in another size.

        Args:
            size: `(height, width)` in pixels.
        """
        if self.image_shape[:2] == tuple(size):
            return self
        images = np.empty((len(self), *size, self.image_shape[2]), "uint8")
        for index, image in enumerate(self.images):
            images[index] = resize_image(image, size)
        return replace(self, images=images)

    def with_channels(self, channels: int) -> "LabelledImages":
        """Return the images with other channels.

        Args:
            channels: 1 (luminance) or 3 (red, green, blue).
        """
        return replace(self, images=convert_channels(self.images, channels))

    def convert(
        self, size: tuple[int, int] | None = None, channels: int | None = None
    ) -> "LabelledImages":
        """Return the images with other channels, then another size.

        Args:
            size: `(height, width)` in pixels, or None to keep the size.
            channels: 1 (luminance) or 3 (red, green, blue), or None to keep them.
        """
        examples = self if channels is None else self.with_channels(channels)
        return examples if size is None else examples.resize(size)


def convert_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Give images another number of channels.

    Args:
        images: uint8 array `(..., 1)` or `(..., 3)`.
        channels: 1 (luminance) or 3 (red, green, blue).

    Raises:
        ValueError: If `channels` is another number.
    """
    if channels not in (1, 3):
        raise ValueError(f"Received channels={channels!r}. Expected 1 (grey) or 3 (RGB).")
    if images.shape[-1] == channels:
        return images
    return _luminance(images) if channels == 1 else np.repeat(images, 3, axis=-1)


def _luminance(images: np.ndarray) -> np.ndarray:
    # Rounded exactly as Pillow does for its mode "L", which `read_image` uses.
    red, green, blue = (images[..., channel].astype("uint32") for channel in range(3))
    # ITU-R 601-2 weights 0.299, 0.587, 0.114 in 16-bit fixed point.
    grey = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16
    return grey.astype("uint8")[..., np.newaxis]


def check_same_classes(source: LabelledImages, target: LabelledImages) -> None:
    """Check that two domains have the same classes by name, in whatever order.

    Unlabelled data carries no class names and passes.

    Args:
        source: `LabelledImages` of one domain.
        target: `LabelledImages` of the other.

    Raises:
        ValueError: If a class is missing on one side.
    """
    if source.labels is None or target.labels is None or source.classes == target.classes:
        return
    missing = [
        f"missing in the {side}: {', '.join(names)}"
        for side, names in (
            ("target", _difference(source.classes, target.classes)),
            ("source", _difference(target.classes, source.classes)),
        )
        if names
    ]
    if missing:
        raise ValueError(
            "Source and target must have the same classes, but "
            + "; ".join(missing)
            + ". Rename or remove class folders, or choose another data set, so that both agree."
        )


def renumber(
    examples: LabelledImages, classes: Sequence[str], of: str = "the other data set"
) -> LabelledImages:
    """Return examples whose labels count in another order of classes, matched by name.

    Args:
        examples: `LabelledImages`; unlabelled ones are returned as they are.
        classes: Names in the order wanted; some may not occur in `examples`.
        of: Whose order that is, for the message.

    Raises:
        ValueError: If `examples` show a class that is not among them.
    """
    classes = tuple(classes)
    if examples.labels is None or examples.classes == classes:
        return examples
    present = [examples.classes[label] for label in np.unique(examples.labels)]
    unknown = _difference(present, classes)
    if unknown:
        raise ValueError(
            f"The images show classes that {of} does not know: {', '.join(unknown)}. Expected "
            f"some of {', '.join(classes)}. Rename the classes, or leave these images out."
        )
    table = [classes.index(name) if name in classes else -1 for name in examples.classes]
    return replace(examples, labels=np.array(table)[examples.labels], classes=classes)


def require_classes(examples: LabelledImages, at_least: int = 2) -> None:
    """Check that `examples` are labelled, by at least so many classes that really occur.

    Args:
        examples: `LabelledImages`.
        at_least: Number of classes, 1 or more.

    Raises:
        ValueError: If there are no labels, or too few distinct ones.
    """
    if examples.labels is None:
        raise ValueError(
            "Labels are needed, but the images are unlabelled. "
            "A folder needs one sub-folder a class: PATH/CLASS/image.jpg."
        )
    found = np.unique(examples.labels)
    if len(found) < at_least:
        names = ", ".join(examples.classes[label] for label in found)
        raise ValueError(
            f"At least {at_least} classes are needed, but the images show only "
            f"{len(found)}: {names}. Add images of other classes."
        )


def _difference(names: Iterable[str], others: Iterable[str]) -> list[str]:
    return [name for name in names if name not in set(others)]


def _check_images(images: np.ndarray) -> None:
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        received = getattr(images, "dtype", type(images).__name__)
        raise ValueError(
            f"Images must be a uint8 array with values 0..255, but are {received}. "
            "Scale them to 0..255 and convert with `.astype('uint8')`."
        )
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4):
        raise ValueError(
            "Images must have shape (examples, height, width, channels) with 1, 3 or 4 channels, "
            f"but have shape {images.shape}. Grey images need a last axis of length 1."
        )
    if 0 in images.shape:
        raise ValueError(f"At least one image is needed, but the shape is {images.shape}.")


def _check_labels(labels: np.ndarray, count: int, classes: Sequence[str]) -> None:
    if labels.shape != (count,) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"Labels must be integers of shape ({count},), one for each image, but are "
            f"{labels.dtype} of shape {labels.shape}."
        )
    if not classes or len(set(classes)) != len(classes):
        raise ValueError(
            f"Labels need the name of each class, each once. Received classes={classes!r}."
        )
    if labels.min() < 0 or labels.max() >= len(classes):
        raise ValueError(
            f"Labels must lie in 0..{len(classes) - 1} for {len(classes)} classes, but range "
            f"from {labels.min()} to {labels.max()}. Number the classes from 0, or name them all."
        )
