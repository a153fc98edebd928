"""How graphs of lower precision are measured, and which layers they leave in float."""

import abc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime

from keras_dtl.export.checks.quality import QUALITIES, Sample, measure_quality
from keras_dtl.export.draft import Draft
from keras_dtl.export.errors import ExportError
from keras_dtl.manifest import Manifest

_SENSITIVITY_IMAGES = 2


class Reduction(Protocol):
    """A way to lower the precision of a graph; made of its path and the images to calibrate on."""

    @property
    def layers(self) -> Sequence[str]:
        """Names of the layers that can be left in float, one by one."""
        ...

    def graph(self, in_float: Sequence[str]) -> Any:
        """Return the graph in lower precision, as the runtime takes it.

        Args:
            in_float: Names of `layers` that stay as they are.
        """
        ...


class Measure(abc.ABC):
    """Runs graphs over images that none was calibrated on, beside the float32 one.

    Args:
        source: The float32 graph.
        manifest: Of the artifact.
        samples: The images.
    """

    def __init__(self, source: Path, manifest: Manifest, samples: list[Sample]):
        self.task = QUALITIES[manifest.task]
        self.manifest = manifest
        self.samples = samples
        self.expected = run_onnx(str(source), manifest, samples)
        self.graph = None

    def __call__(self, graph: Any) -> dict[str, Any]:
        """Return the figures of a graph by name, and keep it as `graph`.

        Args:
            graph: As the runtime takes it.
        """
        self.graph = graph
        received = self.run(graph, self.samples)
        return measure_quality(self.manifest, self.samples, self.expected, received)

    @abc.abstractmethod
    def run(self, graph: Any, samples: list[Sample]) -> list[np.ndarray]:
        """Return what a graph makes of each image.

        Args:
            graph: As the runtime takes it.
            samples: The images.
        """

    def error(self, graph: Any) -> float:
        """Return the mean squared error of a graph on a few images.

        Args:
            graph: As the runtime takes it.
        """
        received = self.run(graph, self.samples[:_SENSITIVITY_IMAGES])
        pairs = zip(self.expected, received, strict=False)
        return float(np.mean([np.mean((a.astype("f8") - b) ** 2) for a, b in pairs]))

    def score(self, quality: dict[str, Any]) -> float:
        """Return the one figure that the task is measured by.

        Args:
            quality: What was measured.
        """
        return quality[self.task.name]

    def words(self, quality: dict[str, Any]) -> str:
        """Return that figure with its name.

        Args:
            quality: What was measured.
        """
        return f"{self.task.name} {self.score(quality):.4g}"


def run_onnx(model: str | bytes, manifest: Manifest, samples: list[Sample]) -> list[np.ndarray]:
    """Return what onnxruntime makes of each image.

    Args:
        model: Path or bytes of the graph.
        manifest: Of the artifact.
        samples: The images.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_mem_pattern = False
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name, output = manifest.inputs[0].name, manifest.outputs[0].name
    return [session.run([output], {name: sample.image[None]})[0][0] for sample in samples]


def least_quality_of(draft: Draft) -> float:
    """Return what graphs of lower precision must reach.

    Args:
        draft: The `Draft`.
    """
    least = QUALITIES[draft.manifest.task].least
    return least if draft.least_quality is None else draft.least_quality


def require_quality(
    measure: Measure, quality: dict[str, Any], least: float, precision: str, in_float: list[str]
) -> None:
    """Refuse a graph that loses too much.

    Args:
        measure: By which it was measured.
        quality: What was measured.
        least: What is wanted.
        precision: Of the graph, and where it runs, for the message.
        in_float: Names of the layers that were left in float.

    Raises:
        ExportError: The graph is worse than wanted.
    """
    if measure.score(quality) < least:
        raise ExportError(
            f"{precision} reaches {measure.words(quality)}, with {len(in_float)} layers left in "
            f"float; {least} is wanted. Nothing was published. Ask for less by "
            "`least_quality`, or give more images to calibrate on."
        )


def best_reduction(
    reduced: Reduction, measure: Measure, least_quality: float
) -> tuple[dict[str, Any], list[str]]:
    """Leave ever more layers in float until the quality is reached, at most half of them.

    Args:
        reduced: The graph in lower precision.
        measure: How it is measured; its `graph` is the last one afterwards.
        least_quality: What is wanted.

    Returns:
        The figures that were measured, and the names of the layers in float.
    """
    quality = measure(reduced.graph(()))
    in_float = []
    if measure.score(quality) >= least_quality or not reduced.layers:
        return quality, in_float
    ranked = _most_harmful_first(reduced, measure)
    step = max(1, len(ranked) // 16)
    while measure.score(quality) < least_quality and len(in_float) < len(ranked) // 2:
        in_float = ranked[: len(in_float) + step]
        quality = measure(reduced.graph(in_float))
    return quality, in_float


def _most_harmful_first(reduced: Reduction, measure: Measure) -> list[str]:
    def harm(layer):
        others = [name for name in reduced.layers if name != layer]
        return measure.error(reduced.graph(others))

    return sorted(reduced.layers, key=harm, reverse=True)
