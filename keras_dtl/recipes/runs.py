"""What `keras-dtl train` leaves in a run folder, read again."""

import json
from pathlib import Path


def run_model(folder: Path, compile: bool = False):
    """Return the Keras model of a finished run.

    Args:
        folder: Of the run.
        compile: Whether it comes with its optimizers and their state.

    Raises:
        FileNotFoundError: When the folder holds no finished run.
    """
    path = _require_file(folder, "model.keras")
    from keras_dtl.methods import load_model

    return load_model(path, compile)


def run_record(folder: Path, name: str) -> dict:
    """Return what a run wrote down.

    Args:
        folder: Of the run.
        name: `"settings"`, `"history"` or `"scores"`.

    Raises:
        FileNotFoundError: When the folder holds no finished run.
        ValueError: When the file is damaged.
    """
    path = _require_file(folder, f"{name}.json")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}. Train again.") from error


def _require_file(folder, name):
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no finished run: there is no {name}. Give the folder that "
            "`keras-dtl train` made; `train --resume` finishes one that was stopped."
        )
    return path
