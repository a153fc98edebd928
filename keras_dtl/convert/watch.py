"""A folder that is converted as files arrive."""

import dataclasses
import time
from pathlib import Path

from keras_dtl.convert.folder import convert_items
from keras_dtl.convert.inputs import find_items
from keras_dtl.convert.options import ConversionError, Options


def watch_folder(artifact, source, destination, *, interval=1.0, on_report=None, **options):
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
    """
    options = Options(**options)
    if not Path(source).is_dir():
        raise ConversionError(f"Only a folder can be watched; received {source}.")
    seen, done = {}, {}
    while True:
        looked = _look(source, options.recursive)
        settled = {path: state for path, state in looked.items() if seen.get(path) == state}
        if any(done.get(path) != state for path, state in settled.items()):
            report = _convert(artifact, source, destination, options, set(settled))
            done |= settled
            # What was written once is this watch's own.
            options = dataclasses.replace(options, overwrite=False)
            if on_report is not None and on_report(report):
                return
        seen = looked
        time.sleep(interval)


def _convert(artifact, source, destination, options, settled):
    items, failures = find_items(source, options.recursive)
    # Numbered anew, since a table keeps the order without gaps.
    items = [item for item in items if item.path in settled]
    items = [dataclasses.replace(item, index=index) for index, item in enumerate(items)]
    return convert_items(artifact, items, failures, source, destination, options)


def _look(source, recursive):
    """Return size and time of each image file by its path."""
    try:
        items, _ = find_items(source, recursive)
    except ConversionError:
        return {}  # nothing there yet
    looked = {}
    for item in items:
        try:
            status = item.path.stat()
        except OSError:
            continue  # gone meanwhile, or a broken link
        looked[item.path] = (status.st_size, status.st_mtime_ns)
    return looked
