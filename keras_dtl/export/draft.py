"""An artifact that is being written: what its writers and readers are given."""

import dataclasses
import functools
from pathlib import Path

from keras_dtl.export.deployable import Deployable
from keras_dtl.export.parity import Probe
from keras_dtl.export.quality import Sample, read_samples
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
        calibration: Folder of images like those that the model will meet, or `None`.
        least_quality: What graphs of lower precision must reach, in the measure of the task, or
            `None` for the task's own.
    """

    folder: Path
    deployable: Deployable
    manifest: Manifest
    probes: list[Probe]
    calibration: FilePath | None = None
    least_quality: float | None = None

    @functools.cached_property
    def samples(self) -> list[Sample]:
        """Images of the calibration folder, read when they are first needed."""
        if self.calibration is None:
            raise ValueError("There is no calibration folder to read images from. Name one.")
        return read_samples(self.calibration, self.manifest)
