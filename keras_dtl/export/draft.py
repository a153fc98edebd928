"""An artifact that is being written: what its writers and readers are given."""

import dataclasses
import functools
from pathlib import Path

import onnx

from keras_dtl.export.checks.parity import Probe, cut_probe
from keras_dtl.export.checks.quality import Sample
from keras_dtl.export.deployable import Deployable
from keras_dtl.files import FilePath
from keras_dtl.manifest import Manifest


@dataclasses.dataclass
class Draft:
    """An artifact before it is published.

    Args:
        folder: Where it is written until it is complete.
        deployable: The `Deployable` that is exported.
        manifest: Its `Manifest`, to which each file that is written adds what it says of itself.
        probes: Random inputs and what Keras makes of them.
        samples: Images like those that the model will meet, where they are needed.
        least_quality: What graphs of lower precision must reach, in the measure of the task, or
            `None` for the task's own.
        browser_runtime: Folder of the npm package onnxruntime-web, or `None` to look for it.
        precisions: Names of those that are written or measured beside float32.
        runtimes: What these are made for and measured in: `"onnxruntime"`, `"openvino"`.
        core: The ONNX graph as it was converted, once it was; graphs of other forms are made of it.
    """

    folder: Path
    deployable: Deployable
    manifest: Manifest
    probes: list[Probe]
    samples: list[Sample] = dataclasses.field(default_factory=list)
    least_quality: float | None = None
    browser_runtime: FilePath | None = None
    precisions: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ("onnxruntime",)
    core: onnx.ModelProto | None = None

    @functools.cached_property
    def odd_probes(self) -> list[Probe]:
        """Images of sizes that the model does not take, where servers take any."""
        image, preprocessing = self.deployable.image, self.manifest.preprocessing
        if image is None or preprocessing.takes_any_size or image.shape[1:3] != (None, None):
            return []
        images = self.probes[1].inputs[image.name]
        parts, least = [images[:, :-1, :-1]], preprocessing.least_size
        if least > 1:
            parts.append(images[:, : least - 1, : least // 2])
        return [cut_probe(self.deployable, part, preprocessing) for part in parts]
