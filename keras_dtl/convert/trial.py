"""Which device and precision are the fastest on a user's own images, inside a stated quality."""

import itertools
import math
import time
import typing
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_dtl.addresses import find_artifact
from keras_dtl.confusion import confusion_counts, mean_iou
from keras_dtl.convert.artifact import load_artifact
from keras_dtl.convert.image_files.reading import read_file
from keras_dtl.convert.inputs import find_items
from keras_dtl.convert.items import Groups, ItemError
from keras_dtl.convert.options import Options
from keras_dtl.convert.runtimes import openvino_session, remembered
from keras_dtl.convert.runtimes.graphs import ArtifactError, graph_of, measured_quality
from keras_dtl.convert.runtimes.providers import DeviceError, offered_gpu
from keras_dtl.convert.tasks.by_name import TASKS, task_of
from keras_dtl.files import FilePath
from keras_dtl.images import ImageError
from keras_dtl.manifest import Manifest, read_manifest

FEWEST = 32
"""Files below which a trial would take longer than it saves."""
_MOST_IMAGES, _MOST_PIXELS = 32, 2**18  # that a trial runs over; four of 256 by 256
_SECONDS = 1.0  # that each candidate is measured, after its first run
_MOST_ROUNDS = 5
_WORTH = 0.95  # of the time of the reference: what saves less than that is not worth another device
_MEASURES = {"classification": "agreement", "image_to_image": "psnr", "segmentation": "mean_iou"}
_ALLOWED = 1 / 255


class Choice(typing.NamedTuple):
    """What a conversion runs on.

    Args:
        device: Such as `"openvino"`.
        precision: Such as `"float32"`.
        words: Why, in one line.
    """

    device: str
    precision: str
    words: str


class Candidate(typing.NamedTuple):
    """A device with a precision."""

    device: str
    precision: str


_REFERENCE = Candidate("cpu", "float32")


def candidates_of(
    manifest: Manifest, precision: str = "auto", least_quality: float | None = None
) -> list[Candidate]:
    """Return what an artifact could be run by on this machine, the reference first.

    Args:
        manifest: Of the artifact.
        precision: One, or `"auto"` for all that the quality allows.
        least_quality: What precisions below float32 must reach; `None` leaves these out.
    """
    found = [_REFERENCE, Candidate("openvino", "float32")]
    if least_quality is not None:
        found += [Candidate("cpu", "int8"), Candidate("openvino", "bfloat16")]
        found += [Candidate("openvino", "int8")]
    return [
        one
        for one in found
        if one == _REFERENCE
        or (precision in ("auto", one.precision) and _can_run(manifest, one, least_quality))
    ]


def _can_run(manifest, candidate, least_quality):
    runtime = "openvino" if candidate.device == "openvino" else "onnxruntime"
    try:
        graph_of(manifest, candidate.precision, runtime)
    except ArtifactError:
        return False
    quality = measured_quality(manifest, candidate.precision, runtime) or {}
    figure = quality.get(_MEASURES.get(manifest.task))
    if candidate.precision != "float32" and figure is not None and figure < least_quality:
        return False
    return runtime == "onnxruntime" or openvino_session.computes(candidate.precision)


def choose(
    path: FilePath,
    source: FilePath | Sequence[FilePath],
    options: Options,
    *,
    precision: str = "auto",
    least_quality: float | None = None,
    threads: int | None = None,
) -> Choice | None:
    """Return what converts a user's files fastest, by a short trial on the first of them.

    What was found is remembered for the artifact on this machine.

    Args:
        path: The artifact: a folder, a name or an address, as of `load_artifact`.
        source: What is to be converted, as of `convert_folder`.
        options: The `Options` of the conversion.
        precision: One, or `"auto"`.
        least_quality: What precisions below float32 must reach beside it, in the measure of the
            task; by default everything must be within 1/255 of float32.
        threads: CPU threads that work on one operation.

    Returns:
        A `Choice`, or `None` where there is nothing to choose between.

    Raises:
        ConversionError: There is nothing to convert.
        OSError: The source cannot be listed.
    """
    path = find_artifact(path)
    manifest = read_manifest(path)
    if _is_one_file(source) or manifest.task not in _MEASURES or offered_gpu():
        return None
    candidates = candidates_of(manifest, precision, least_quality)
    if len(candidates) == 1:
        return None
    about = _about(manifest, candidates, least_quality, threads, options)
    if isinstance(known := remembered.recall("trial", about), list) and len(known) == 3:
        return Choice(*map(str, known))
    items, _ = find_items(source, options.recursive, TASKS[manifest.task])
    if len(items) < FEWEST:
        return None
    trial = _Trial(path, items, options, threads)
    if not trial.batches:
        return None
    choice = trial.choice(candidates[1:], least_quality)
    remembered.remember("trial", about, list(choice))
    return choice


def _is_one_file(source):
    return not isinstance(source, (list, tuple)) and Path(source).is_file()


def _about(manifest, candidates, least_quality, threads, options):
    versions = [openvino_session.version(), openvino_session.version("onnxruntime")]
    files = sorted(manifest.files.items())
    limits = [least_quality, threads, options.batch_size, options.tile]
    return [files, versions, remembered.processor(), list(map(list, candidates)), limits]


class _Trial:
    """Runs the first images by one candidate after the other, by turns."""

    def __init__(self, path, items, options, threads):
        self.path, self.options, self.threads = path, options, threads
        self.reference = self._model(_REFERENCE)
        self.batches = _batches(self.reference[0], items, options)
        self.images = sum(map(len, self.batches))
        self.manifest = self.reference[0].manifest

    def choice(self, candidates, least_quality):
        models = {_REFERENCE: self.reference[1]}
        qualities, notes = {}, []
        expected = self._run(self.reference[1])
        for candidate in candidates:
            try:
                model = self._model(candidate)[1]
                quality = compare(self.manifest, expected, self._run(model))
            except (ArtifactError, DeviceError) as error:
                notes.append(f"{_name(candidate)} failed: {error}")
                continue
            if not _is_enough(quality, least_quality, self.manifest.task):
                notes.append(f"{_name(candidate)} is left out: {_quality_words(quality)}")
                continue
            models[candidate], qualities[candidate] = model, quality
        seconds = self._seconds(models)
        best = min(seconds, key=seconds.get)
        if seconds[best] > _WORTH * seconds[_REFERENCE]:
            best = _REFERENCE
        return Choice(*best, self._words(best, seconds, qualities, notes))

    def _model(self, candidate):
        artifact = load_artifact(
            self.path,
            candidate.device,
            precision=candidate.precision,
            threads=self.threads,
            unmeasured=True,
        )
        return artifact, task_of(artifact, Path(), self.options).model()

    def _run(self, model):
        found = [model(np.stack(batch)) for batch in self.batches]
        name = self.manifest.outputs[0].name
        return [image for outputs in found for image in outputs[name]]

    def _seconds(self, models):
        """Return the least time of several runs by each, in turns."""
        seconds = {candidate: [] for candidate in models}
        begun = time.perf_counter()
        for _ in range(_MOST_ROUNDS):
            for candidate, model in models.items():
                started = time.perf_counter()
                self._run(model)
                seconds[candidate].append(time.perf_counter() - started)
            if time.perf_counter() - begun > _SECONDS * len(models):
                break
        return {candidate: min(found) for candidate, found in seconds.items()}

    def _words(self, best, seconds, qualities, notes):
        others = [
            f"{_name(one)} {seconds[_REFERENCE] / taken:.2f} times as fast"
            for one, taken in seconds.items()
            if one != _REFERENCE
        ]
        quality = f", {_quality_words(qualities[best])}" if best in qualities else ""
        beside = f"on {self.images} images beside {_name(_REFERENCE)}"
        return f"{_name(best)}{quality}; {beside}: {'; '.join([*others, *notes])}"


def _batches(artifact, items, options):
    """Return lists of arrays of one shape, of the first files that can be read."""
    task = task_of(artifact, Path(), options)
    groups, batches, images, pixels = Groups(options.batch_size), [], 0, 0
    for item in itertools.islice(items, 4 * _MOST_IMAGES):
        try:
            loaded = next(task.load(item, read_file(item.path), suffix=".png"))
        except (ImageError, ItemError, OSError, MemoryError):
            continue
        batches += groups.add(loaded)
        images, pixels = images + 1, pixels + math.prod(loaded.pixels.shape[:2])
        if images >= _MOST_IMAGES or pixels >= _MOST_PIXELS:
            break
    return [[image.pixels for image in batch] for batch in [*batches, *groups.rest()]]


def compare(
    manifest: Manifest, expected: Sequence[np.ndarray], received: Sequence[np.ndarray]
) -> dict[str, float]:
    """Return what a candidate loses beside the reference, in figures by name.

    Args:
        manifest: Of the artifact.
        expected: What the reference made of each image.
        received: What the candidate made.

    Returns:
        `difference`, the largest one as a share of the range, or for maps the share of pixels that
        differ; and `psnr` in decibels up to 88, `agreement` in 0..1, or `mean_iou` in 0..1.
    """
    if manifest.task == "image_to_image":
        errors = [np.abs(a.astype(float) - b) for a, b in zip(expected, received, strict=True)]
        decibels = [10 * math.log10(255**2 / max(np.mean(each**2), 1e-4)) for each in errors]
        largest = max(float(each.max()) for each in errors)
        return {"difference": largest / 255, "psnr": float(np.mean(decibels))}
    ours, theirs = (np.concatenate([np.ravel(one) for one in x]) for x in (expected, received))
    if manifest.task == "segmentation":
        count = int(max(ours.max(), theirs.max())) + 1
        differing = float(np.mean(ours != theirs))
        return {
            "difference": differing,
            "mean_iou": mean_iou(confusion_counts(ours, theirs, count)),
        }
    labels = [[int(np.argmax(one)) for one in x] for x in (expected, received)]
    agreement = float(np.mean(np.equal(*labels)))
    return {"difference": float(np.abs(ours - theirs).max()), "agreement": agreement}


def _is_enough(quality, least_quality, task):
    if least_quality is None or quality["difference"] <= _ALLOWED:
        return quality["difference"] <= _ALLOWED
    return quality[_MEASURES[task]] >= least_quality


def _name(candidate):
    runtime = "openvino" if candidate.device == "openvino" else "onnxruntime"
    return f"{runtime} in {candidate.precision}"


def _quality_words(quality):
    ((name, figure),) = ((name, figure) for name, figure in quality.items() if name != "difference")
    shown = f"{figure:.1f} dB PSNR" if name == "psnr" else f"{name.replace('_', ' ')} {figure:.4g}"
    return f"{shown}, at most {255 * quality['difference']:.3g}/255 off float32"
