"""The model as Keras saves it, to train on or to export again."""

import re
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from keras_dtl.export.checks.parity import Reading
from keras_dtl.export.deployable import Deployable, float32_policy
from keras_dtl.export.draft import Draft
from keras_dtl.export.errors import ExportError


def write_keras_file(draft: Draft, path: Path) -> None:
    """Write a `.keras` file of the deployable model.

    Args:
        draft: The `Draft`.
        path: The file to write.
    """
    draft.deployable.model.save(path)


def read_keras_file(draft: Draft, path: Path) -> Iterator[Reading]:
    """Yield the one `Reading` of a `.keras` file.

    Args:
        draft: The `Draft`.
        path: The file.

    Raises:
        ExportError: Keras cannot load it.
    """
    try:
        with float32_policy():
            deployable = Deployable(keras.saving.load_model(path, compile=False))
    except (TypeError, ValueError) as error:
        raise ExportError(
            f"model.keras cannot be loaded again{_culprit(error)}: {error}. Register the "
            "model's own layers with keras.saving.register_keras_serializable and return every "
            "argument from get_config."
        ) from error
    # Layers that do not store their names get others when they are loaded.
    given, made = (
        [item.name for item in tensors]
        for tensors in (draft.deployable.inputs, draft.deployable.outputs)
    )

    def run(inputs):
        own = (item.name for item in deployable.inputs)
        outputs = deployable(dict(zip(own, (inputs[name] for name in given), strict=True)))
        return dict(zip(made, map(np.asarray, outputs.values()), strict=True))

    yield Reading(run)


def _culprit(error: Exception) -> str:
    """Return the innermost class that Keras could not read, where its message names any."""
    found = re.findall(r"(?:Could not locate class '|<class '[\w.]*?)(\w+)'", str(error))
    own = [name for name in found if name not in ("Functional", "Sequential")]
    return f", because of its {own[-1]}" if own else ""
