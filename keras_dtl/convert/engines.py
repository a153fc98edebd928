"""Where the images of a conversion are decoded and converted."""

from collections.abc import Callable
from pathlib import Path

from keras_dtl.convert.artifact import Artifact
from keras_dtl.convert.cores import core_count
from keras_dtl.convert.items import Item
from keras_dtl.convert.journal import Journal
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.run import Run
from keras_dtl.convert.task import Task
from keras_dtl.convert.tasks import task_class

_MANY_FILES = 5000  # from where on a session for each core pays
_SMALL_FILE = 2**16  # bytes
# On two cores Python's lock is hardly waited for, and processes take as long to begin as some ten
# thousand files do.
_FEW_CORES = 2


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
    many = engine == "auto" and _is_for_every_core(artifact, items)
    if engine == "threads" or (engine == "auto" and not many):
        return Run(model=task.model(), **parts)
    # Imported where it is needed, so that command lines answer at once.
    from keras_dtl.convert.remote import RemoteRun
    from keras_dtl.convert.worker import setup_of

    if artifact.path is None:
        raise ConversionError("An artifact that was not opened from a folder runs in threads only.")
    setup = setup_of(artifact, destination, options)
    if engine == "ray":
        from keras_dtl.convert.ray_cluster import ray_workers as workers
    elif engine == "auto" and core_count() <= _FEW_CORES:
        from keras_dtl.convert.threads import thread_workers as workers
    else:
        from keras_dtl.convert.processes import process_workers as workers
    return RemoteRun(workers=workers(setup), **parts)


def _is_for_every_core(artifact, items):
    """Whether files are so many and small that each core shall have a session of its own."""
    if not task_class(artifact).takes_small_files:
        return False
    if artifact.device not in ("cpu", "openvino") or artifact.path is None:
        return False
    if len(items) < _MANY_FILES or core_count() < 2:
        return False
    some = items[:: max(1, len(items) // 8)]
    try:
        return all(item.path.stat().st_size < _SMALL_FILE for item in some)
    except OSError:
        return False
