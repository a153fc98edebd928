"""A conversion without a journal: bytes of files in, what is kept of them out.

`main` serves a conversion through the standard input and output of a process of its own.
"""

import dataclasses
import os
import pickle
import sys
import time
import typing
from pathlib import Path
from typing import BinaryIO

from keras_dtl.convert.artifact import Artifact, load_artifact
from keras_dtl.convert.engines.batches import reason_of, run_batch
from keras_dtl.convert.items import Groups, Item, ItemError
from keras_dtl.convert.options import Options
from keras_dtl.convert.runtimes.providers import Session
from keras_dtl.convert.tasks.by_name import task_of
from keras_dtl.images import ImageError


class WorkerLost(RuntimeError):
    """A worker, or the machine it ran on, has gone with what it was doing."""


@dataclasses.dataclass(frozen=True)
class Setup:
    """What a worker is made of; it can be pickled.

    Args:
        artifact: Path of the artifact.
        session: The `keras_dtl.convert.runtimes.providers.Session` settings.
        precision: Of the graph.
        destination: Output folder, which is only named here and not written to.
        options: The `Options`.
    """

    artifact: str
    session: Session
    precision: str
    destination: str
    options: Options


def setup_of(artifact: Artifact, destination: Path, options: Options) -> Setup:
    """Return the `Setup` of workers that do what an `Artifact` does.

    Args:
        artifact: An `Artifact` that was opened from a folder.
        destination: The output folder.
        options: The `Options`.
    """
    session = artifact.settings
    if artifact.device in ("cpu", "openvino") and session.threads is None:
        # There is a worker for each core.
        session = session._replace(device=artifact.device, threads=1)
    return Setup(
        os.path.abspath(artifact.path),  # noqa: PTH100 (links are kept)
        session,
        artifact.precision,
        os.fspath(destination),
        options,
    )


class Worker:
    """Converts files that are given as bytes.

    Args:
        setup: A `Setup`.
    """

    def __init__(self, setup: Setup):
        session = setup.session
        artifact = load_artifact(
            setup.artifact,
            session.device,
            precision=setup.precision,
            threads=session.threads,
            gpu_memory=session.gpu_memory,
            unmeasured=session.unmeasured,
        )
        self.options = setup.options
        self.task = task_of(artifact, Path(setup.destination), setup.options)
        self.model = self.task.model()

    def convert(self, files: list[tuple[str, bytes]]) -> tuple[list, float]:
        """Convert some files.

        Args:
            files: List of pairs of a name and the bytes of the file.

        Returns:
            A list with, for each file, either what the task made of each frame, in a list, or the
            reason why it failed; and how many seconds the model took.
        """
        self.seconds = 0.0
        self.made: list[typing.Any] = [{} for _ in files]  # by frame, or a reason
        groups = Groups(self.options.batch_size)
        for index, (name, data) in enumerate(files):
            item = Item(index, name, name)
            try:
                for image in self.task.load(item, data):
                    for batch in groups.add(image):
                        self._run(batch)
            except (ImageError, ItemError, MemoryError) as error:
                self.made[index] = reason_of(error, item)
        for batch in groups.rest():
            self._run(batch)
        made = [
            one if isinstance(one, str) else [one[frame] for frame in sorted(one)]
            for one in self.made
        ]
        return made, self.seconds

    def _run(self, batch):
        for images, outputs in run_batch(self._timed_model, batch):
            failed = isinstance(outputs, Exception)
            made = [outputs] if failed else self.task.make_each(images, outputs)
            for image, one in zip(images, made, strict=True):
                self._note(image, one)

    def _timed_model(self, pixels):
        started = time.perf_counter()
        try:
            return self.model(pixels)
        finally:
            self.seconds += time.perf_counter() - started

    def _note(self, image, made):
        index = image.item.index
        if isinstance(self.made[index], str):
            return  # another frame failed, and the file with it
        if isinstance(made, Exception):
            self.made[index] = reason_of(made, image.item)
        else:
            self.made[index][image.frame or 0] = made


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Read a setup and then files, pickled; write what became of them, until the source ends.

    A defect is written, too, so that it is raised where the conversion began.

    Args:
        source: A binary stream to read from.
        target: One to write to.
    """
    try:
        worker = Worker(pickle.load(source))  # noqa: S301 (what began this process)
        pickle.dump(None, target)
        target.flush()
        while True:
            files = pickle.load(source)  # noqa: S301
            pickle.dump(worker.convert(files), target)
            target.flush()
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:  # noqa: BLE001 (raised again by the other side)
        pickle.dump(error, target)
        target.flush()


def main() -> None:
    """Serve the process that began this one."""
    with os.fdopen(os.dup(1), "wb") as channel:
        os.dup2(2, 1)  # whatever a library prints must not come between
        serve(sys.stdin.buffer, channel)
