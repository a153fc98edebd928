"""Which task a manifest names: another one is another file beside these, and a line here."""

from pathlib import Path

from keras_dtl.convert.artifact import Artifact
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.tasks.classification import Classification
from keras_dtl.convert.tasks.image_to_image import ImageToImage
from keras_dtl.convert.tasks.motion import MotionStyle
from keras_dtl.convert.tasks.named_numbers import MultiLabel, Regression
from keras_dtl.convert.tasks.segmentation import Segmentation
from keras_dtl.convert.tasks.task import Task
from keras_dtl.convert.tasks.views import ImageToViews

TASKS = {
    "classification": Classification,
    "image_to_image": ImageToImage,
    "image_to_views": ImageToViews,
    "motion_style": MotionStyle,
    "multi_label_classification": MultiLabel,
    "regression": Regression,
    "segmentation": Segmentation,
}


def task_class(artifact: Artifact) -> type[Task]:
    """Return the class of what is to be done with an artifact.

    Args:
        artifact: An `Artifact`.

    Raises:
        ConversionError: Its task is not known.
    """
    if artifact.task not in TASKS:
        raise ConversionError(
            f"Folders can be converted by models for {', '.join(sorted(TASKS))}; this one is for "
            f"{artifact.task!r}. Call the artifact itself: load_artifact(path)(inputs)."
        )
    return TASKS[artifact.task]


def task_of(artifact: Artifact, destination: Path, options: Options) -> Task:
    """Return what is to be done with an artifact.

    Args:
        artifact: An `Artifact`.
        destination: The output folder.
        options: The `Options`.

    Raises:
        ConversionError: Its task is not known, or the artifact cannot be used for it.
    """
    return task_class(artifact)(artifact, destination, options)
