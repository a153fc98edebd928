"""Batches through a model, and why an image did not come through."""

from collections.abc import Callable, Iterator

import numpy as np

from keras_dtl.convert.artifact import ArtifactError
from keras_dtl.convert.items import Item, Loaded
from keras_dtl.files import readable_name


def run_batch(
    model: Callable[[np.ndarray], dict[str, np.ndarray]], batch: list[Loaded]
) -> Iterator[tuple[list[Loaded], dict[str, np.ndarray] | Exception]]:
    """Run a model over a batch, in smaller ones where it fails.

    Args:
        model: Function from a batch of pixels to a dictionary of outputs.
        batch: List of `Loaded` images of one shape.

    Yields:
        A list of images with their outputs, or one image in a list with the error.
    """
    shape = batch[0].pixels.shape
    arrays = [image.pixels for image in batch]
    pixels = arrays[0][None] if len(batch) == 1 else np.concatenate(arrays).reshape(-1, *shape)
    try:
        outputs = model(pixels)
    except (ArtifactError, MemoryError) as error:
        if len(batch) == 1:
            yield batch, error
            return
    else:
        yield batch, outputs
        return
    # One of them may be at fault, or all of them together too large.
    middle = len(batch) // 2
    yield from run_batch(model, batch[:middle])
    yield from run_batch(model, batch[middle:])


def reason_of(error: BaseException, item: Item) -> str:
    """Return why an item failed, in words.

    Args:
        error: What was raised.
        item: The `Item`, whose own name is left out.
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    reason = str(error)
    for prefix in (f"{readable_name(item.path)}: ", "bytes: "):
        reason = reason.removeprefix(prefix)
    return reason or type(error).__name__
