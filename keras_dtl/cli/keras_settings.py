"""Settings of Keras that this package cannot work with, found before Keras is imported."""

import json
import os
from pathlib import Path

NEEDED = {"backend": "tensorflow", "image_data_format": "channels_last"}


def keras_settings() -> tuple[dict, Path]:
    """Return what Keras will take from the environment and its file, and where that file is."""
    folder = os.environ.get("KERAS_HOME") or Path("~").expanduser() / ".keras"
    path = Path(folder) / "keras.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        settings = {}
    settings = settings if isinstance(settings, dict) else {}
    if os.environ.get("KERAS_BACKEND"):
        settings["backend"] = os.environ["KERAS_BACKEND"]
    return settings, path


def check_keras_settings() -> None:
    """Refuse another backend than TensorFlow, and images with the channels first.

    Raises:
        ValueError: Naming the setting and where it stands.
    """
    settings, path = keras_settings()
    for name, needed in NEEDED.items():
        found = settings.get(name, needed)
        if found != needed:
            from_environment = name == "backend" and os.environ.get("KERAS_BACKEND")
            place = "the environment variable KERAS_BACKEND" if from_environment else str(path)
            raise ValueError(
                f"Keras is set to {name} {found!r} by {place}; keras_dtl needs {needed!r}. "
                "Change it, or remove it."
            )
