"""What segmenters adapt on: images of two domains, none of which is both learnt and scored."""

import hashlib
import logging
from typing import NamedTuple

logger = logging.getLogger("keras_dtl")


class Scenes(NamedTuple):
    """The `SegmentedImages` of an adaptation; labels of `target_train` are not learnt."""

    source_train: object
    target_train: object
    target_test: object


def refuse_learnt(learnt, test) -> None:
    """Refuse to score on images whose masks were learnt, and say so where it is some of them.

    Args:
        learnt, test: `SegmentedImages`.

    Raises:
        ValueError: When more than half of the test images are learnt from.
    """
    known = {hashlib.sha256(image).digest() for image in learnt.images}
    copies = sum(hashlib.sha256(image).digest() in known for image in test.images)
    words = (
        f"{copies} of the {len(test)} target images for scoring are learnt from with their masks, "
        "too. Name other folders, or sequences of each (--source-sequences, --target-sequences)."
    )
    if 2 * copies > len(test):
        raise ValueError(words)
    if copies:
        logger.warning("%s", words)
