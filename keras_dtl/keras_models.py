"""Models that Keras saved, read again: what is wrong with a file is told with its name."""

import re
import zipfile
from pathlib import Path

import keras

from keras_dtl.files import FilePath


def read_model(
    file: FilePath, compile: bool = True, remedy: str = "Train or fetch it again."
) -> keras.Model:
    """Return the model that a file holds.

    Args:
        file: What `model.save` wrote.
        compile: Whether the model is compiled as it was, with its optimizers' state.
        remedy: What to do where the file is damaged, as a sentence.

    Raises:
        OSError: The system cannot read it.
        ValueError: It is damaged, or holds no model that this Keras knows; its name is in the
            message.
    """
    file = Path(file)
    if file.suffix == ".keras" and file.is_file() and not zipfile.is_zipfile(file):
        raise ValueError(f"{file} is no whole .keras file. {remedy}")
    try:
        return keras.saving.load_model(file, compile=compile)
    except ValueError as error:
        if isinstance(error, UnicodeError):
            raise ValueError(f"{file} is damaged: {error}. {remedy}") from error
        raise ValueError(f"{file} cannot be read as a Keras model: {error} {remedy}") from error
    except TypeError as error:
        unknown = re.search(r"Could not locate \w+ '([^']+)'", str(error))
        if unknown is None:
            raise ValueError(f"{file} is damaged: {error}. {remedy}") from error
        name = unknown[1]
        raise ValueError(
            f"{file} holds {name!r}, which is of your own code: import that before, where "
            "@keras.saving.register_keras_serializable() stands above it; or open the file within "
            f"keras.saving.custom_object_scope({{{name!r}: {name}}}), or with compile=False where "
            "it is a loss or a metric."
        ) from error
    # What damaged archives and arrays make of their readers has no base class but Exception.
    except Exception as error:
        if isinstance(error, MemoryError) or getattr(error, "errno", None):
            raise
        raise ValueError(f"{file} is damaged: {error}. {remedy}") from error
