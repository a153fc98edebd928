"""A folder that is converted as files arrive."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from keras_dtl.convert.artifact import Artifact
from keras_dtl.convert.folder import convert_items
from keras_dtl.convert.inputs import find_items, find_left_out, leave_out_outputs
from keras_dtl.convert.journal import Checksums
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.report import ConversionReport
from keras_dtl.convert.tasks.by_name import task_class
from keras_dtl.files import FilePath


def watch_folder(
    artifact: Artifact,
    source: FilePath,
    destination: FilePath,
    *,
    interval: float = 1.0,
    on_report: Callable[[ConversionReport], bool | None] | None = None,
    **options,
) -> None:
    """Convert what is in a folder and what comes, until an exception such as Ctrl-C ends it.

    A file is taken once it is settled: its size and its time are the same in two looks, so that
    none is read while another program still writes it. A file that failed is tried again when
    it changes; one that changes after it was converted is converted again.

    Args:
        artifact: What `load_artifact` returned.
        source: The folder.
        destination: The folder to write to.
        interval: Seconds between two looks.
        on_report: Called with the `ConversionReport` of each look that found something; when it
            returns `True` the watch ends.
        **options: The fields of `keras_dtl.convert.Options`.

    Raises:
        ConversionError: There is no such folder, or nothing can be converted into `destination`.
    """
    options = Options(**options)
    if not Path(source).is_dir():
        raise ConversionError(f"Only a folder can be watched; received {source}.")
    task = task_class(artifact)
    before, done, told, checksums = {}, {}, set(), Checksums()
    while True:
        now = _look(source, destination, options.recursive, task)
        settled = {path: state for path, state in now.items() if before.get(path) == state}
        if any(done.get(path) != state for path, state in settled.items()):
            left_out = find_left_out(source, options.recursive, task)
            fresh = tuple(file for file in left_out if file.path not in told)
            told.update(file.path for file in fresh)
            news = {"left_out": fresh, "checksums": checksums}
            report = _convert(artifact, task, source, destination, options, set(settled), news)
            done |= settled
            # What was written once is this watch's own.
            options = dataclasses.replace(options, overwrite=False)
            if on_report is not None and on_report(report):
                return
        before = now
        time.sleep(interval)


def _convert(artifact, task, source, destination, options, settled, news):
    items, failures = find_items(source, options.recursive, task)
    # Numbered anew, since a table keeps the order without gaps.
    items = [item for item in items if item.path in settled]
    items = [item._replace(index=index) for index, item in enumerate(items)]
    return convert_items(artifact, items, failures, source, destination, options, **news)


def _look(source, destination, recursive, task):
    """Return size and time of each file by its path."""
    try:
        items = leave_out_outputs(find_items(source, recursive, task)[0], source, destination)
    except ConversionError:
        return {}  # nothing there yet
    states = {}
    for item in items:
        try:
            status = item.path.stat()
        except OSError:
            continue  # gone meanwhile, or a broken link
        states[item.path] = (status.st_size, status.st_mtime_ns)
    return states
