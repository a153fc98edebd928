"""Where the images of a conversion are decoded and converted."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_dtl.convert.artifact import Artifact, ArtifactError
from keras_dtl.convert.engines.run import Run
from keras_dtl.convert.items import Item
from keras_dtl.convert.journal import Journal
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.runtimes.cores import core_count
from keras_dtl.convert.tasks.by_name import task_class
from keras_dtl.convert.tasks.task import Task

_MANY_FILES = 5000  # from where on it is looked at what pays
# From where on processes of their own pay for any model: it takes them as long to begin as it takes
# to convert some ten thousand small files by a light one.
_VERY_MANY_FILES = 20_000
_SMALL_FILE = 2**16  # bytes
# Of the processor for an image: less than reading it takes.
_LIGHT_SECONDS = 1.5e-4


def run_of(
    artifact: Artifact,
    task: Task,
    journal: Journal | None,
    items: list[Item],
    destination: Path,
    options: Options,
    progress: Callable[[int, int], None],
) -> Run:
    """Return the `Run` of a conversion, by the engine that the options name.

    Args:
        artifact: An `Artifact`.
        task: Its `Task`.
        journal: The `Journal`, or `None` for a dry run without one.
        items: All `Item`s.
        destination: The output folder.
        options: The `Options`.
        progress: Called with the number of files done and of all.

    Raises:
        ConversionError: The engine cannot be used.
    """
    parts = {
        "task": task,
        "journal": journal,
        "options": options,
        "progress": progress,
    }
    engine = "threads" if options.dry_run else options.engine
    small = engine == "auto" and _are_many_and_small(artifact, items)
    if engine == "threads" or (engine == "auto" and not small):
        return Run(model=task.model(), **parts)
    # Imported where it is needed, so that command lines answer at once.
    from keras_dtl.convert.engines.remote import RemoteRun
    from keras_dtl.convert.engines.worker import Worker, setup_of

    if artifact.path is None:
        raise ConversionError("An artifact that was not opened from a folder runs in threads only.")
    setup = setup_of(artifact, destination, options)
    if small and len(items) < _VERY_MANY_FILES and _is_light(artifact, task.model()):
        # As in a worker, on one thread: while one reads, those of all cores get in its way.
        return Run(model=Worker(setup).model, **parts)
    if engine == "ray":
        from keras_dtl.convert.engines.ray_cluster import ray_workers as workers
    else:
        from keras_dtl.convert.engines.processes import process_workers as workers
    return RemoteRun(workers=workers(setup), **parts)


def _are_many_and_small(artifact, items):
    """Whether what is done beside the model may take longer than the model does."""
    if not task_class(artifact).takes_small_files:
        return False
    if artifact.device not in ("cpu", "openvino") or artifact.path is None:
        return False
    if len(items) < _MANY_FILES or core_count() < 2:
        return False
    try:
        return all(item.path.stat().st_size < _SMALL_FILE for item in items[:: len(items) // 8])
    except OSError:
        return False


def _is_light(artifact, model):
    """Whether the model takes less for an image than reading it does, as seen by two batches."""
    shape = artifact.manifest.inputs[0].shape[1:]
    if None in shape:
        return False
    images = np.zeros((8, *shape), "uint8")
    with contextlib.suppress(ArtifactError, MemoryError):
        model(images)  # the first time takes memory, and longer
        started = time.process_time()  # whatever else the machine does meanwhile
        model(images)
        return time.process_time() - started < len(images) * _LIGHT_SECONDS
    return False
