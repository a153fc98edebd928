"""Turn a trained run into an artifact for production.

keras-dtl export runs/dann --output exported/dann
keras-dtl export runs/swap-vae --style-of seven.png --output exported/like-seven
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from keras_dtl.scripts.command import SUCCESS, run


@dataclass(frozen=True)
class Export:
    """Write a trained run as SavedModel and ONNX, and check both against Keras.

    Nothing is published whose outputs differ, and an artifact already there then stays.
    """

    run: Positional[Annotated[Path, arg(metavar="RUN")]]
    """Run folder that `keras-dtl train` wrote: model.keras, settings.json."""
    output: Path | None = None
    """Artifact to write. Default: exported/NAME, with the run folder's name."""
    opset: int = 18
    """Version of the ONNX operators."""
    part: str | None = None
    """One network of a model that has several, such as encoder, decoder or generator."""
    style_of: Path | None = None
    """Image whose style the artifact gives to every image (swap-vae)."""
    view: int | None = None
    """Draw the view of this number, which the artifact shows every image in (cgmv)."""


def main(arguments):
    settings = _read(arguments.run / "settings.json", required=True)
    model = _load_model(arguments.run / "model.keras")
    from keras_dtl.export import export_model

    model, task = chosen(model, arguments)
    report = arguments.run / "report.html"
    manifest = export_model(
        model,
        arguments.output or Path("exported") / arguments.run.resolve().name,
        task=task,
        classes=settings.get("classes"),
        settings=settings,
        metrics=_read(arguments.run / "scores.json"),
        opset=arguments.opset,
        extra_files={"report.html": report} if report.is_file() else None,
    )
    _print(manifest, arguments)
    return SUCCESS


def chosen(model, arguments):
    """Return what of a trained model is exported, and its task where that is another.

    Raises:
        ValueError: When the model has no such part, style or view, or several are asked for.
    """
    names = ("part", "style_of", "view")
    given = [name for name in names if getattr(arguments, name) is not None]
    if not given:
        return model, None
    takes = {"part": "parts", "style_of": "in_style_of", "view": "in_view"}
    if len(given) > 1 or not hasattr(model, takes[given[0]]):
        flags = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ValueError(
            f"{flags} cannot be exported of {type(model).__name__}. --part and --style-of are for "
            "swap-vae, --part for gmv, --part and --view for cgmv; give one of them."
        )
    if arguments.part is not None:
        parts = model.parts()
        if arguments.part not in parts:
            raise ValueError(f"--part must be one of {sorted(parts)}. Received: {arguments.part}")
        return parts[arguments.part], arguments.part
    return _fixed(model, arguments), "image_to_image"


def _fixed(model, arguments):
    """Return the network from images to images in one style or view."""
    from keras_dtl.images import read_image, resize_image

    if arguments.style_of is not None:
        *size, channels = model.encoder.input_shape[1:]
        return model.in_style_of(resize_image(read_image(arguments.style_of, channels), size))
    import numpy as np

    view = np.random.default_rng(arguments.view).standard_normal(model.view_numbers)
    return model.in_view(view.astype("float32"))


def _read(path, required=False):
    if not path.is_file() and not required:
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{path} is missing. Give a run folder that `keras-dtl train` wrote to its end."
        ) from error
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}. Train again.") from error


def _load_model(path):
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing. Give a run folder that `keras-dtl train` wrote to its end; a "
            "training that was stopped goes on with --resume."
        )
    import keras

    import keras_dtl.layers
    import keras_dtl.methods  # noqa: F401 (registers what saved models name)

    return keras.saving.load_model(path, compile=False)


def _print(manifest, arguments):
    for record in manifest.parity:
        print(
            f"{record['file']}: {record['output']} within {record['difference']:.2g} of Keras "
            f"(allowed: {record['tolerance']:.2g})"
        )
    output = arguments.output or Path("exported") / manifest.name
    print(f"Artifact: {output}, version {manifest.version}")


if __name__ == "__main__":
    sys.exit(run(Export, main))
