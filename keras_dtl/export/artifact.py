"""Export: a trained model becomes a folder that is either complete and correct, or not there."""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_dtl.export.checks.exact import full_float32
from keras_dtl.export.checks.parity import Probe, make_inputs, make_probes
from keras_dtl.export.checks.quality import read_samples
from keras_dtl.export.checks.truth import (
    check_examples_apart,
    check_finite,
    check_finite_outputs,
    example_arrays,
    predicted_probe,
)
from keras_dtl.export.deployable import Deployable, deployable_of
from keras_dtl.export.description import describe, json_value, next_version, output_ranges
from keras_dtl.export.draft import Draft
from keras_dtl.export.formats.onnx_model import OPSETS
from keras_dtl.export.formats.table import FORMATS, check_choices, check_precisions, write_formats
from keras_dtl.export.heads import missing_postprocessing, task_of
from keras_dtl.export.versions import keep_versions as keep_earlier_versions
from keras_dtl.files import FilePath, atomic_path, resolved, sha256
from keras_dtl.folders import require_artifact_folder
from keras_dtl.manifest import FILE_NAME, Manifest, write_manifest
from keras_dtl.turns import turn


def export_model(
    model: keras.Model,
    directory: FilePath,
    *,
    task: str | None = None,
    classes: Sequence[str] | None = None,
    image_size: Sequence[int] | None = None,
    size_multiple: int | None = None,
    least_size: int | None = None,
    settings: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
    opset: int = 18,
    extra_files: dict[str, FilePath] | None = None,
    precisions: tuple[str, ...] = (),
    calibration: FilePath | None = None,
    least_quality: float | None = None,
    examples: Any = None,
    postprocessing: str | None = None,
    keep_versions: int | None = None,
    formats: tuple[str, ...] = (),
    browser_runtime: FilePath | None = None,
    runtimes: tuple[str, ...] = ("onnxruntime",),
) -> Manifest:
    """Export a trained model for production, and check that it still computes the same.

    Writes a SavedModel, an ONNX graph and the other files of `keras_dtl.export.FORMATS`, with a
    manifest that says all a client must know.
    TensorFlow Serving reads `directory` as its base path, Triton its parent as a model
    repository, `keras_dtl.load_artifact` and `keras-dtl convert` read it without TensorFlow.
    Every file is compared with Keras, in float32, on several batch and image sizes, and with
    what the model's own `predict` makes of `examples`; when one differs nothing is published, and
    an artifact already there stays as it was. Otherwise the new one takes its place at once, its
    version folder counting one up, as servers expect. The
    folders of earlier versions stay beside it. Another export into `directory`, of this process
    or any other, is waited for.

    Args:
        model: A model with a method `deployable()`, such as every method of this package, or a
            functional Keras model. Images go in as uint8; scaling belongs into the model.
        directory: The artifact to write, such as `"exported/dann"`.
        task: What the model does, such as `"classification"`, `"regression"` or
            `"image_to_image"`. By default what follows from the model and its compiled loss.
        classes: Names of the classes, in the order of the model's output.
        image_size: The `(height, width)` that images are resized to before the model. By
            default the model's own, and the images' own where the model takes any.
        size_multiple: Height and width must be multiples of it. By default the model's own
            attribute `size_multiple`, or 1.
        least_size: Height and width must reach it, a multiple of `size_multiple`. By default the
            model's own attribute `least_size`, or 1.
        settings: A dictionary of what the model was trained with.
        metrics: A dictionary of measured quality, such as `{"target_accuracy": 0.93}`.
        opset: Version of the ONNX operators, 13 to 18.
        extra_files: A dictionary of files to add, paths by names, such as
            `{"report.html": "runs/dann/report.html"}`.
        precisions: Graphs to write beside the float32 one: `"float16"`, `"int8"`, or both; for
            OpenVINO also `"bfloat16"`, which needs no graph of its own and is measured.
        calibration: A folder of images like those that the model will meet. Every second one
            calibrates int8, on the others the quality lost is measured.
        least_quality: What these graphs must reach beside float32: decibels of PSNR for images,
            the share of equal answers for classifiers, mean intersection over union for
            segmenters. By default 32, 0.99 and 0.95.
        examples: A batch of what the model was trained on or will meet, as an array, or a list or
            dictionary of arrays: of that dtype and range. By default random numbers that fit the
            inputs; integers are those that the model answers with finite numbers. Where a
            network declares float inputs and is trained on uint8 images, examples in uint8 make
            the artifact take these.
        postprocessing: What makes an answer of a classifier's numbers: `"softmax"` (one of
            several classes), `"sigmoid"` (yes or no for one logit, else several labels),
            `"probabilities"` (what a model ends in that gives them already) or `"none"` (the
            numbers themselves). By default what follows from the compiled loss.
        keep_versions: How many earlier versions stay, 0 or more. By default all.
        formats: What to write beside the usual files: `"litert"`, a graph for LiteRT, with
            `precisions` of int8 another one in int8; `"browser"`, a page that answers dropped
            images.
        browser_runtime: Folder of the npm package onnxruntime-web, whose files go beside the page.
            By default that in `node_modules` here, above, or where NODE_PATH says.
        runtimes: What the graphs of `precisions` are made for and measured in: `"onnxruntime"`,
            `"openvino"`, or both. Int8 for OpenVINO needs the extra `nncf`.

    Returns:
        The `keras_dtl.manifest.Manifest` that was written.

    Raises:
        ExportError: The model cannot be exported, or an exported file differs from Keras.
        ValueError: An argument does not fit the model.
        OSError: The artifact cannot be written.

    Example:

    ```python
    import tempfile

    import keras
    import numpy as np

    import keras_dtl

    image = keras.Input((8, 8, 3), dtype="uint8", name="image")
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(image))
    model = keras.Model(image, keras.layers.Dense(2, activation="softmax")(x))
    with tempfile.TemporaryDirectory() as folder:
        manifest = keras_dtl.export_model(
            model, f"{folder}/brightness", task="classification", classes=("dark", "bright")
        )
        artifact = keras_dtl.load_artifact(f"{folder}/brightness", "cpu")
        probabilities = artifact(np.zeros((4, 8, 8, 3), "uint8"))  # float32 (4, 2)
    assert probabilities.shape == (4, 2)
    ```
    """
    directory = Path(directory)
    postprocessing = missing_postprocessing(model, postprocessing, task)
    task = task or task_of(model, postprocessing)
    if size_multiple is None:
        size_multiple = getattr(model, "size_multiple", 1)
    if least_size is None:
        least_size = getattr(model, "least_size", 1)
    _check_arguments(directory, task, opset, extra_files or {}, keep_versions)
    check_precisions(precisions, calibration, task, runtimes)
    check_choices(formats, browser_runtime)
    deployable = deployable_of(model, postprocessing, _image_dtype(examples))
    check_finite(deployable.model)
    place = resolved(directory)  # of a link to a folder this takes the place, not the link's
    with turn(place, "export"), full_float32(), atomic_path(place) as folder:
        manifest = describe(
            deployable, directory, task, classes, image_size, size_multiple, least_size
        )
        lossy = bool(precisions) or "openvino" in runtimes
        samples = read_samples(calibration, manifest) if calibration and lossy else []
        probes = make_probes(deployable, manifest.preprocessing)
        probes += _true_probes(model, deployable, probes, examples, size_multiple, postprocessing)
        check_finite_outputs(probes)
        check_examples_apart(deployable, probes)
        manifest = dataclasses.replace(
            manifest,
            outputs=output_ranges(manifest, probes),
            settings=json_value(settings or {}),
            metrics=json_value(metrics or {}),
            versions=manifest.versions | {"opset": str(opset)},
        )
        draft = Draft(
            *(folder, deployable, manifest, probes, samples, least_quality, browser_runtime),
            precisions=tuple(precisions),
            runtimes=tuple(runtimes),
        )
        write_formats(draft, (*precisions, *formats))
        for name, path in (extra_files or {}).items():
            shutil.copyfile(path, folder / name)
        manifest = dataclasses.replace(draft.manifest, files=_checksums(folder))
        keep_earlier_versions(directory, folder, keep_versions)
        write_manifest(folder, manifest)
        _check_version(directory, manifest.version)
    return manifest


def _image_dtype(examples: Any) -> str | None:
    """Return `"uint8"` where examples are, whatever the network declares."""
    if examples is None or isinstance(examples, (list, tuple, dict)):
        return None
    array = np.asarray(examples)
    return "uint8" if array.ndim == 4 and array.dtype == np.uint8 else None


def _true_probes(
    model: keras.Model,
    deployable: Deployable,
    probes: list[Probe],
    examples: Any,
    size_multiple: int,
    postprocessing: str | None,
) -> list[Probe]:
    """Return what `predict` makes of examples, or where none are given of the first probe."""
    inputs, size = probes[0].inputs, getattr(model, "trained_size", None)
    if examples is not None:
        inputs = example_arrays(examples, deployable, size_multiple)
    elif size is not None:
        inputs = make_inputs(deployable, 1, size)
    fits = size is None or next(iter(inputs.values())).shape[1:3] == size
    probe = predicted_probe(model, deployable, inputs, postprocessing) if fits else None
    if probe is None and examples is not None:
        probe = Probe(inputs, deployable.arrays(inputs))
    return [] if probe is None else [probe]


def _check_arguments(
    directory: Path,
    task: str | None,
    opset: int,
    extra_files: dict[str, FilePath],
    keep_versions: int | None,
) -> None:
    if not isinstance(task, str) or not task:
        raise ValueError(
            f"task must be a text such as 'classification' or 'image_to_image'; received {task!r}."
        )
    if keep_versions is not None and keep_versions < 0:
        raise ValueError(f"`keep_versions` must be 0 or more; received {keep_versions}.")
    if opset not in OPSETS:
        raise ValueError(f"`opset` must be {OPSETS[0]} to {OPSETS[-1]}; received {opset!r}.")
    own = {FILE_NAME, *(row.file for row in FORMATS.values())}
    for name, path in extra_files.items():
        if Path(name).name != name or name in own:
            raise ValueError(f"extra_files: {name!r} must be a file name that is not yet taken.")
        if not Path(path).is_file():
            raise FileNotFoundError(f"extra_files: there is no file {path} to add as {name!r}.")
    require_artifact_folder(directory)


def _check_version(directory: Path, version: int) -> None:
    """Refuse to take the place of a version that another export published meanwhile."""
    if next_version(directory) != version:
        raise FileExistsError(
            f"Another export has published into {directory} meanwhile, on a drive that knows no "
            "locks; its artifact stays. Give the same command again."
        )


def _checksums(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in paths}
