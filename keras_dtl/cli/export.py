"""Turn a trained run into an artifact for production.

keras-dtl export runs/dann --output exported/dann
keras-dtl export latest_net_G.pth --output exported/horse2zebra
keras-dtl export runs/swap-vae --style-of seven.png --output exported/like-seven
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

from keras_dtl.cli.command import SUCCESS
from keras_dtl.cli.quiet import import_tensorflow
from keras_dtl.files import resolved
from keras_dtl.manifest import ExportedPrecision, Manifest
from keras_dtl.recipes import Recipe, run_recipe
from keras_dtl.recipes.closing import published_scores
from keras_dtl.recipes.runs import (
    check_artifact_place,
    run_classes,
    run_model,
    run_record,
    run_scores,
    told_by_name,
)

if TYPE_CHECKING:
    import keras
    import numpy as np


@dataclass(frozen=True)
class Export:
    """Write a trained run as SavedModel and ONNX, and check both against Keras.

    Nothing is published whose outputs differ, and an artifact already there then stays.
    """

    run: Positional[Annotated[Path, arg(metavar="RUN")]]
    """Run folder that `keras-dtl train` wrote: model.keras, settings.json. Or a .pth file of a
    generator of pix2pix or CycleGAN in PyTorch."""
    output: Path | None = None
    """Artifact to write. Default: exported/NAME, with the run folder's name."""
    opset: int = 18
    """Version of the ONNX operators."""
    precision: tuple[ExportedPrecision, ...] = ()
    """Graphs to write beside the float32 one; int8 is for CPUs, float16 for GPUs, bfloat16 is
    measured for OpenVINO."""
    runtime: tuple[Literal["onnxruntime", "openvino"], ...] = ("onnxruntime",)
    """What they are made for and measured in. int8 for OpenVINO needs the extra nncf."""
    calibration: Path | None = None
    """Folder of images like those that the model will meet: half of them calibrate int8, the
    others measure what these graphs lose. Sub-folders named after classes give accuracy, too."""
    least_quality: float | None = None
    """What these graphs must reach beside float32: decibels of PSNR for images (default 32), share
    of equal answers for classifiers (0.99). Layers that hurt stay in float until it is reached."""
    keep_versions: int | None = None
    """How many earlier versions of the artifact stay beside the new one. Default: all."""
    litert: bool = False
    """Write a graph for LiteRT too, model.tflite; with --precision int8 also one in int8."""
    browser: bool = False
    """Write a page beside model.onnx that answers dropped images in a browser."""
    browser_runtime: Path | None = None
    """Folder of the npm package onnxruntime-web, whose files go beside that page. Default: the
    one in node_modules here or above, or where NODE_PATH says."""
    export_anyway: bool = False
    """Export even a model that does not beat guessing."""
    part: str | None = None
    """One network of a model that has several, such as encoder, decoder or generator."""
    style_of: Path | None = None
    """Image whose style the artifact gives to every image (swap-vae), or BVH file whose style it
    gives to every motion (motion-style)."""
    view: int | None = None
    """Draw the view of this number, which the artifact shows every image in (cgmv)."""
    views: int | None = None
    """Draw so many views: the artifact makes a folder of them of every image (cgmv)."""


TORCH_SUFFIXES = (".pth", ".pt")
CHOICES = {"part": "parts", "style_of": "in_style_of", "view": "in_view", "views": "in_views"}
"""Flags that choose what of a model is exported, and the method of it that each needs."""


def main(arguments: Export) -> int:
    """Export a run and print what was measured.

    Args:
        arguments: The `Export`.

    Returns:
        The exit status.
    """
    if arguments.run.suffix in TORCH_SUFFIXES:
        return export_torch_generator(arguments)
    recipe, classes = run_recipe(arguments.run), run_classes(arguments.run)
    settings = run_record(arguments.run, "settings")
    check_artifact_place(arguments.run, output_of(arguments), "--output")
    import_tensorflow()
    scores = run_scores(recipe)
    require_knowledge(arguments, recipe, scores)
    model = run_model(arguments.run)
    from keras_dtl.export import export_model

    model, task = exported_part(model, arguments, settings)
    report = arguments.run / "report.html"
    manifest = export_model(
        model,
        output_of(arguments),
        task=task,
        classes=classes,
        image_size=recipe.client_size,
        settings=settings,
        metrics=published_scores(scores),
        opset=arguments.opset,
        extra_files={"report.html": report} if report.is_file() else None,
        precisions=arguments.precision,
        calibration=arguments.calibration,
        least_quality=arguments.least_quality,
        keep_versions=arguments.keep_versions,
        formats=tuple(name for name in ("litert", "browser") if getattr(arguments, name)),
        browser_runtime=arguments.browser_runtime,
        runtimes=arguments.runtime,
    )
    _print_summary(manifest, arguments)
    return SUCCESS


def output_of(arguments: Export) -> Path:
    """Return the folder that the artifact is written to."""
    run = arguments.run
    name = run.stem if run.suffix in TORCH_SUFFIXES else resolved(run).name
    return arguments.output or Path("exported") / name


def export_torch_generator(arguments: Export) -> int:
    """Export the generator whose weights a file of PyTorch holds; return the exit status.

    Args:
        arguments: The `Export`, whose `run` is the file.
    """
    import_tensorflow()
    from keras_dtl.backbones import torch_generator
    from keras_dtl.export import export_model
    from keras_dtl.methods.any_size import least_size, size_multiple
    from keras_dtl.methods.translation.translation import deployable_generator

    path = arguments.run
    generator = torch_generator(path)
    manifest = export_model(
        deployable_generator(generator, generator.name),
        output_of(arguments),
        task="image_to_image",
        size_multiple=size_multiple(generator),
        least_size=least_size(generator),
        settings={"weights": path.name},
        opset=arguments.opset,
        precisions=arguments.precision,
        calibration=arguments.calibration,
        least_quality=arguments.least_quality,
        keep_versions=arguments.keep_versions,
    )
    _print_summary(manifest, arguments)
    return SUCCESS


def require_knowledge(arguments: Export, recipe: Recipe, scores: dict[str, Any]) -> None:
    """Refuse to export a classifier that does not beat guessing.

    Args:
        arguments: The `Export`.
        recipe, scores: Those of the run.

    Raises:
        ValueError: Naming what is wrong, unless `export_anyway` is set.
    """
    verdict = recipe.verdict(scores)
    if verdict is not None and not arguments.export_anyway:
        raise ValueError(
            f"{arguments.run} is not worth exporting. {verdict} --export-anyway does it all the "
            "same."
        )


def exported_part(
    model: "keras.Model", arguments: Export, settings: dict[str, Any] | None = None
) -> "tuple[keras.Model, str | None]":
    """Return what of a trained model is exported, and its task where that is another.

    Args:
        model: The trained method.
        arguments: The `Export`.
        settings: Those of the run; for motion they tell the skeleton and the rate.

    Raises:
        ValueError: When the model has no such part, style or view, or several are asked for.
    """
    given = [name for name in CHOICES if getattr(arguments, name) is not None]
    if not given:
        return model, None
    if len(given) > 1 or not hasattr(model, CHOICES[given[0]]):
        flags = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ValueError(
            f"{flags} cannot be exported of {type(model).__name__}. --part and --style-of are for "
            "swap-vae and motion-style, --part for gmv and motion-aae, --part, --view and --views "
            "for cgmv; give one of them."
        )
    if arguments.part is not None:
        parts = model.parts()
        if arguments.part not in parts:
            raise ValueError(f"--part must be one of {sorted(parts)}. Received: {arguments.part}")
        whole = {"transfer": model.task}  # what the run itself exports
        return parts[arguments.part], whole.get(arguments.part, arguments.part)
    if model.task == "motion_style":
        return model.in_style_of(
            _motion_of(arguments.style_of, arguments.run, settings)
        ), model.task
    if arguments.views is not None:
        return model.in_views(draw_views(model, arguments.views)), "image_to_views"
    return _network_of_one_code(model, arguments), "image_to_image"


def _motion_of(path: Path, run: Path, settings: dict[str, Any]) -> "np.ndarray":
    """Return the features of a BVH file, of the skeleton and at the rate of a run."""
    from keras_dtl.motion import Skeleton, features_of, read_bvh, read_motion

    with told_by_name(run / "settings.json", "Train again."):
        skeleton, rate = Skeleton.from_json(settings["skeleton"]), float(settings["rate"])
    positions, own, _ = read_motion(read_bvh(path), skeleton, rate)
    return features_of(positions, own)


def _network_of_one_code(model: "keras.Model", arguments: Export) -> "keras.Model":
    """Return the network from images to images in one style or view."""
    from keras_dtl.images import read_image, resize_image

    if arguments.style_of is not None:
        *size, channels = model.encoder.input_shape[1:]
        return model.in_style_of(resize_image(read_image(arguments.style_of, channels), size))
    return model.in_view(draw_views(model, 1, arguments.view)[0])


def draw_views(model: "keras.Model", count: int, seed: int | None = 0) -> "np.ndarray":
    """Draw codes of views from the standard Gaussian.

    Args:
        model: A CGMV.
        count: How many, 1 or more.
        seed: Choice of the codes, 0 or more; other ones each time where it is None.

    Returns:
        float32 array `(count, numbers)`.
    """
    import numpy as np

    shape = (count, model.view_numbers)
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def _print_summary(manifest: Manifest, arguments: Export) -> None:
    for record in manifest.parity:
        print(
            f"{record['file']}: {record['output']} within {record['difference']:.2g} of Keras "
            f"(allowed: {record['tolerance']:.2g})"
        )
    graphs = (*manifest.precisions.values(), *manifest.litert.values())
    for record in (graph for graph in graphs if "quality" in graph):
        print(f"{record['file']}: {_quality_words(record['quality'])}")
    for runtime, records in manifest.runtimes.items():
        for precision, record in records.items():
            words = _quality_words(record["quality"])
            print(f"{record['file']} by {runtime} in {precision}: {words}")
    print(f"Artifact: {output_of(arguments)}, version {manifest.version}")


def _quality_words(quality: dict[str, Any]) -> str:
    figures = ", ".join(
        f"{name} {value:.4g}" for name, value in quality.items() if isinstance(value, float)
    )
    kept = quality.get("layers_in_float")
    return figures if kept is None else f"{figures}; {len(kept)} layers left in float"
