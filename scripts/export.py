"""Turn a trained run into an artifact for production.

keras-dtl export runs/dann --output exported/dann
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

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
    precision: tuple[Literal["float32", "float16", "int8"], ...] = ("float32",)
    """Graphs to write; float32 is always among them."""
    calibrate: Path | None = None
    """Folder of images of the kind that the model will see, for float16 and int8."""
    least_quality: float | None = None
    """Lowest quality of float16 and int8 against float32: PSNR in decibel for generators (32),
    share of equal classes for others (0.995). Layers that hurt stay in float until it is met."""


def main(arguments):
    settings = _read(arguments.run / "settings.json", required=True)
    model = _load_model(arguments.run / "model.keras")
    from keras_dtl.export import export_model

    report = arguments.run / "report.html"
    manifest = export_model(
        model,
        arguments.output or Path("exported") / arguments.run.resolve().name,
        classes=settings.get("classes"),
        settings=settings,
        metrics=_read(arguments.run / "scores.json"),
        opset=arguments.opset,
        extra_files={"report.html": report} if report.is_file() else None,
        precisions=[name for name in arguments.precision if name != "float32"],
        calibration=arguments.calibrate,
        least_quality=arguments.least_quality,
    )
    _print(manifest, arguments)
    return SUCCESS


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
    for name, record in manifest.precisions.items():
        quality = ", ".join(f"{key} {value:.4g}" for key, value in record["quality"].items())
        kept = f"; {len(record['in_float'])} kept in float" if record["in_float"] else ""
        print(f"{record['file']}: {name}, {quality}{kept}")
    output = arguments.output or Path("exported") / manifest.name
    print(f"Artifact: {output}, version {manifest.version}")


if __name__ == "__main__":
    sys.exit(run(Export, main))
