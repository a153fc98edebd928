"""Which task a manifest names: another one is another file beside these, and a line here."""

import dataclasses
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
        ConversionError: Its task is not known, the artifact cannot be used for it, or an option is
            of other tasks.
    """
    kind = task_class(artifact)
    others = {name for task in TASKS.values() for name in task.own_options} - {*kind.own_options}
    for field in dataclasses.fields(options):
        if field.name in others and getattr(options, field.name) != field.default:
            tasks = sorted(name for name, task in TASKS.items() if field.name in task.own_options)
            raise ConversionError(
                f"`{field.name}` means nothing to a model for {artifact.task}; it is for "
                f"{', '.join(tasks)}. Leave it out."
            )
    return kind(artifact, destination, options)
