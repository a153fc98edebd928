"""What can be done to images, by the task that a manifest names.

Another task is another file beside `classification.py`, and a line here. A task is made with
`(artifact, destination, options)` and has: `output`, where its results will be; `writers`, the
number of threads that may call `make` and `keep` at once; `plan(items)`, which raises
`ConversionError` before anything is written; `writing(journal)`, a context; `is_done(item,
records)`, whether what the journal says of an image still holds; `check_free(item)`, which raises
`ItemError` where something is in the way; `keeps_alpha(item)`; `prepare(pixels)`, the array that
goes into the model; `make(image, outputs)`, what is kept of them, which a process may do that has
no journal; `keep(image, made)`, which notes and writes it; `leave_out(item)` for an image that
failed; `one(image, outputs)`, the bytes of a result that goes into a pipe; and `shown(item)`, what
the gallery has of it.
"""

from keras_dtl.convert.classification import Classification
from keras_dtl.convert.image_to_image import ImageToImage
from keras_dtl.convert.options import ConversionError
from keras_dtl.convert.segmentation import Segmentation
from keras_dtl.convert.views import ImageToViews

TASKS = {"classification": Classification, "image_to_image": ImageToImage}
TASKS |= {"image_to_views": ImageToViews, "segmentation": Segmentation}


def task_of(artifact, destination, options):
    """Return what is to be done with an artifact.

    Raises:
        ConversionError: Its task is not known, or it takes anything but images.
    """
    if artifact.task not in TASKS:
        raise ConversionError(
            f"Folders can be converted by models for {', '.join(sorted(TASKS))}; this one is for "
            f"{artifact.task!r}. Call the artifact itself: load_artifact(path)(inputs)."
        )
    inputs = artifact.manifest.inputs
    if len(inputs) != 1 or not inputs[0].is_image:
        raise ConversionError(
            "Folders can be converted by models whose one input is a batch of uint8 images; this "
            f"one takes {[(item.name, item.dtype, item.shape) for item in inputs]}."
        )
    return TASKS[artifact.task](artifact, destination, options)
