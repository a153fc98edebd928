"""The part of an export that can fail, tried before a training spends its hours."""

from collections.abc import Sequence
from pathlib import Path

import keras

from keras_dtl.export.deployable import deployable_of
from keras_dtl.export.description import describe
from keras_dtl.export.formats.onnx_model import OPSETS, check_graph, onnx_graph
from keras_dtl.export.heads import missing_postprocessing, task_of


def check_exportable(
    model: keras.Model,
    *,
    task: str | None = None,
    classes: Sequence[str] | None = None,
    image_size: Sequence[int] | None = None,
    postprocessing: str | None = None,
) -> None:
    """Refuse a model that `export_model` would refuse whatever it learns.

    The graph is converted with the weights that the model has, which takes seconds; nothing is
    written, and nothing is run.

    Args:
        model: As `export_model` takes it, and the other arguments too.
        task: What the model does.
        classes: Names of the classes.
        image_size: The `(height, width)` that images are resized to.
        postprocessing: What makes an answer of the head's numbers.

    Raises:
        ExportError: The model cannot be exported.
        ValueError: An argument does not fit it.
    """
    postprocessing = missing_postprocessing(model, postprocessing, task)
    task = task or task_of(model, postprocessing)
    deployable = deployable_of(model, postprocessing)
    describe(deployable, Path("rehearsal"), task or "any", classes, image_size)
    check_graph(onnx_graph(deployable, OPSETS[-1]))
