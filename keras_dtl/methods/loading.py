"""Saved models of this package, opened again."""

from pathlib import Path

import keras_dtl.layers  # noqa: F401 (registers what saved models name)
from keras_dtl.keras_models import read_model


def load_model(path: str | Path, compile: bool = True):
    """Return a model that `model.save("NAME.keras")` wrote, in a process that knows nothing yet.

    As `keras.saving.load_model`, which finds the classes of this package only once they were
    imported: `import keras_dtl` alone imports none of them, since it must not import TensorFlow.

    Args:
        path: A `.keras` file; or a folder that holds a `model.keras`, such as that of a run or an
            artifact.
        compile: Whether the model is compiled as it was, with its optimizers' state.

    Returns:
        The Keras model.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When the file is damaged, or holds no model of this Keras.
    """
    path = Path(path)
    file = path / "model.keras" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(
            f"There is no file {file}. Expected a .keras file, or the folder of a run or an "
            "artifact, which holds model.keras."
        )
    return read_model(file, compile)
