"""What a user chooses about a conversion."""

import dataclasses
import typing
from collections.abc import Sequence
from typing import Literal

from keras_dtl.images import MAX_PIXELS


class ConversionError(ValueError):
    """A conversion that cannot begin; nothing was written."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What a user chooses about a conversion.

    Args:
        batch_size: The most images that go through the model at once; fewer where they are large.
        format: Classifiers write csv, a table with a header, or jsonl, one JSON object a line.
            Generators write png, jpg, webp, avif or tif, or the same as each image; auto is csv or
            png.
        suffix: Generators: added to the name of each image, before the dot.
        style: Motion: the BVH file whose style all others get.
        lead_in: Motion: what becomes of a pose that a clip jumps from, such as a T-pose in its
            first frame: keep it as it is in the file, or cut it.
        lead_in_frames: Motion: how many frames at the begin of each file are such a pose; by
            default those that the clip jumps from.
        quality: Generators: of JPEG, WebP and AVIF images, from 1 to 100.
        metadata: Generators: keep notes of the image (EXIF, XMP, IPTC, texts and resolution),
            all but where it was taken (no-location), or drop them.
        profile: Generators: keep the colour profile with pixels as they are, convert them to
            srgb, or drop it.
        alpha: Generators: keep transparency where the format has it, or lay images over white.
        animation: Images of several frames are refused by name, or the first frame is taken, or
            all frames, as images of a folder that is named after the file.
        top: Classifiers: how many of the likeliest classes to write for each image.
        all_probabilities: Classifiers: write the probability of every class, too.
        recursive: Search the sub-folders of the input, too.
        overwrite: Convert everything again, and replace files that something else wrote.
        dry_run: Only say what would be done.
        limit: Convert at most so many images.
        max_pixels: Larger images are refused before they are decoded.
        tile: Generators: side of the tiles, in pixels, that images larger than that are cut into;
            0 for none. By default only images are cut that would not fit into memory.
        bucket: Generators: pad height and width to multiples of it, so that a GPU meets few
            different sizes. The mirrored margin counts in statistics over the whole image.
        gallery: How many images gallery.html shows, before and after.
        engine: Where images are decoded and converted: in threads of this process, in processes
            beside it, or on the nodes of a Ray cluster. Auto takes processes for classifiers of
            thousands of small files on several cores, of tens of thousands where the model takes
            no longer for an image than reading it does, else threads.
        workers: Processes, or actors of a Ray cluster; by default one for each core, or for each
            GPU of a cluster where the device is one.
        address: Of the Ray cluster, such as `head:6379`; by default the one that
            this machine belongs to, or one of this machine alone.
    """

    batch_size: int = 32
    format: Literal["auto", "csv", "jsonl", "png", "jpg", "webp", "avif", "tif", "same"] = "auto"
    suffix: str = ""
    style: str | None = None
    lead_in: Literal["keep", "cut"] = "keep"
    lead_in_frames: int | None = None
    quality: int = 95
    metadata: Literal["keep", "no-location", "drop"] = "keep"
    profile: Literal["keep", "srgb", "drop"] = "keep"
    alpha: Literal["keep", "white"] = "keep"
    animation: Literal["refuse", "first", "frames"] = "refuse"
    top: int = 5
    all_probabilities: bool = False
    recursive: bool = True
    overwrite: bool = False
    dry_run: bool = False
    limit: int | None = None
    max_pixels: int = MAX_PIXELS
    tile: int | None = None
    bucket: int = 1
    gallery: int = 24
    engine: Literal["auto", "threads", "processes", "ray"] = "auto"
    workers: int | None = None
    address: str | None = None

    def __post_init__(self):
        for name, (lowest, highest) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not lowest <= value <= highest:
                raise ConversionError(f"{name} must be {lowest} to {highest}; received {value}.")
        for name, kind in typing.get_type_hints(type(self)).items():
            choices = typing.get_args(kind) if typing.get_origin(kind) is Literal else None
            if choices and getattr(self, name) not in choices:
                raise ConversionError(
                    f"{name} must be one of {', '.join(choices)}; received {getattr(self, name)!r}."
                )
        if set(self.suffix) & set("/\\\0"):
            raise ConversionError(f"suffix must be part of a file name; received {self.suffix!r}.")

    def format_among(self, formats: Sequence[str]) -> str:
        """Return the format to write, of those that a task knows; the first one is the default.

        Args:
            formats: Their names, such as `"png"`.
        """
        if self.format == "auto":
            return formats[0]
        if self.format not in formats:
            raise ConversionError(
                f"format must be one of {', '.join(formats)} for this model; received "
                f"{self.format!r}."
            )
        return self.format


FILES = ("style",)
"""Options that name a file, which goes with them to a worker on another machine."""
_RANGES = {
    "batch_size": (1, 65536),
    "lead_in_frames": (0, 2**24),
    "top": (1, 65536),
    "quality": (1, 100),
    "limit": (1, 2**31),
    "max_pixels": (1, 2**40),
    "tile": (0, 65536),
    "bucket": (1, 4096),
    "gallery": (0, 10_000),
    "workers": (1, 4096),
}
