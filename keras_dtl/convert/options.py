"""What a user chooses about a conversion."""

import dataclasses
from typing import Literal


class ConversionError(ValueError):
    """A conversion that cannot begin; nothing was written."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What a user chooses about a conversion.

    Args:
        batch_size: The most images that go through the model at once; fewer where they are large.
        top: Classifiers: how many of the likeliest classes to write for each image.
        format: Classifiers: a table with a header, or one JSON object a line.
        all_probabilities: Classifiers: write the probability of every class, too.
        suffix: Generators: format of the images written; "same" keeps each image's own.
        quality: Generators: of JPEG and WebP images, from 1 to 100.
        recursive: Search the sub-folders of the input, too.
        overwrite: Replace outputs that are already there.
    """

    batch_size: int = 32
    top: int = 5
    format: Literal["csv", "jsonl"] = "csv"
    all_probabilities: bool = False
    suffix: Literal[".png", ".jpg", ".webp", ".tif", "same"] = ".png"
    quality: int = 95
    recursive: bool = True
    overwrite: bool = False

    def __post_init__(self):
        for name, highest in (("batch_size", 65536), ("top", 65536), ("quality", 100)):
            if not 1 <= getattr(self, name) <= highest:
                raise ConversionError(
                    f"{name} must be 1 to {highest}; received {getattr(self, name)}."
                )
        for name, choices in (
            ("format", ("csv", "jsonl")),
            ("suffix", (".png", ".jpg", ".webp", ".tif", "same")),
        ):
            if getattr(self, name) not in choices:
                raise ConversionError(
                    f"{name} must be one of {', '.join(choices)}; received {getattr(self, name)!r}."
                )
