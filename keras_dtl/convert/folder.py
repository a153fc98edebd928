"""Whole folders through an artifact: read ahead, run in batches of one shape, write behind."""

import collections
import concurrent.futures
import contextlib
import os
import time
from pathlib import Path

import numpy as np

from keras_dtl.convert.artifact import ArtifactError
from keras_dtl.convert.items import Item, ItemError, Loaded, batches_by_shape
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.report import ConversionReport, Failure
from keras_dtl.convert.tasks import TASKS
from keras_dtl.images import ImageError, find_images, read_image, readable_name

_READERS = min(8, os.cpu_count() or 1)


def convert_folder(artifact, source, destination, *, progress=None, **options):
    """Run an artifact over a file or a folder of images and write what it makes of them.

    A classifier writes one table of predictions, a generator writes one image for each image, in
    the same tree of folders. An image that cannot be read or converted is reported with the
    reason and does not keep the others from being converted. Nothing is ever left half written.

    Args:
        artifact: What `load_artifact` returned.
        source: An image file, or a folder.
        destination: The folder to write to.
        progress: Called with the number of images done and the number of all images.
        **options: The fields of `keras_dtl.convert.Options`, such as `batch_size=32`.

    Returns:
        A `ConversionReport`; its `exit_status` is 0, 1 or 2.

    Raises:
        ConversionError: There is nothing to convert, or an output is in the way.
        OSError: The source cannot be listed, or the destination cannot be written.
    """
    started = time.monotonic()
    options = Options(**options)
    items, failures = _find(Path(source), options.recursive)
    task = _task(artifact, Path(source), Path(destination), options)
    selected = task.select(items)
    run = _Run(artifact, task, options, failures, progress or (lambda done, total: None))
    with contextlib.suppress(_NothingConverted), task:
        run.convert(selected)
        if selected and not run.converted:
            # Leaving by an exception drops what the task has begun to write.
            raise _NothingConverted
    return ConversionReport(
        converted=run.converted,
        skipped=len(items) - len(selected),
        failed=tuple(sorted(failures)),
        seconds=time.monotonic() - started,
        output=task.output,
    )


class _NothingConverted(Exception):
    """Every image failed: an older result must not be replaced by an empty one."""


def _find(source, recursive):
    """Return the `Item`s below `source` and a list with a `Failure` for each unlisted folder."""
    if source.is_file():
        return [Item(0, source, source.name)], []
    failures = []
    paths = find_images(
        source,
        recursive,
        on_error=lambda error: failures.append(Failure(Path(error.filename), error.strerror)),
    )
    if not paths and not failures:
        raise ConversionError(
            f"{readable_name(source)} holds no images. Give a folder with JPEG, PNG, WebP, BMP, "
            "TIFF, GIF or PPM files."
        )
    items = [
        Item(index, path, path.relative_to(source).as_posix()) for index, path in enumerate(paths)
    ]
    return items, failures


def _task(artifact, source, destination, options):
    if artifact.task not in TASKS:
        raise ConversionError(
            f"Folders can be converted by models for {', '.join(sorted(TASKS))}; this one is for "
            f"{artifact.task!r}. Call the artifact itself: load_artifact(path)(inputs)."
        )
    inputs = artifact.manifest.inputs
    if len(inputs) != 1 or not inputs[0].is_image:
        raise ConversionError(
            "Folders can be converted by models whose one input is a batch of uint8 images; this "
            f"one takes {[(item.name, item.dtype, item.shape) for item in inputs]}."
        )
    return TASKS[artifact.task](artifact, source, destination, options)


class _Run:
    """One conversion on its way: what is done, what failed, what is still being written."""

    def __init__(self, artifact, task, options, failures, progress):
        self.artifact = artifact
        self.task = task
        self.batch_size = options.batch_size
        self.failures = failures
        self.progress = progress
        self.converted = 0
        self.done = 0

    def convert(self, items):
        """Read, run and write the items in three stages that overlap."""
        self.total = len(items)
        self.writing = collections.deque()
        self.readers = concurrent.futures.ThreadPoolExecutor(_READERS)
        self.writers = concurrent.futures.ThreadPoolExecutor(self.task.writers)
        try:
            for batch in batches_by_shape(self._load(items), self.batch_size):
                self._convert_batch(batch)
            self._finish_writing(waiting=0)
        finally:
            self.readers.shutdown(cancel_futures=True)
            self.writers.shutdown(cancel_futures=True)

    def _load(self, items):
        """Yield what could be read, in order, while a few threads read ahead."""
        ahead = max(2 * _READERS, self.batch_size if self.artifact.image_size else 0)
        reading = collections.deque()
        for item in items:
            reading.append((item, self.readers.submit(self._read, item)))
            if len(reading) > ahead:
                yield from self._loaded(*reading.popleft())
        while reading:
            yield from self._loaded(*reading.popleft())

    def _read(self, item):
        image = read_image(item.path, self.artifact.manifest.preprocessing.channels)
        return Loaded(item, image.shape[:2], self.task.prepare(image))

    def _loaded(self, item, future):
        try:
            yield future.result()
        except (ImageError, MemoryError) as error:
            self._fail(item, error)

    def _convert_batch(self, batch):
        try:
            outputs = self.artifact.run(np.stack([loaded.pixels for loaded in batch]))
        except (ArtifactError, MemoryError) as error:
            if len(batch) == 1:
                self._fail(batch[0].item, error)
                return
            # One of them may be at fault, or all of them together too large.
            for loaded in batch:
                self._convert_batch([loaded])
            return
        for index, loaded in enumerate(batch):
            row = {name: array[index] for name, array in outputs.items()}
            self.writing.append((loaded.item, self.writers.submit(self.task.write, loaded, row)))
        self._finish_writing(waiting=len(batch))

    def _finish_writing(self, waiting):
        """Collect what was written until only as many as `waiting` are still on their way."""
        while len(self.writing) > waiting:
            item, future = self.writing.popleft()
            try:
                future.result()
            except ItemError as error:
                self._fail(item, error)
            else:
                self.converted += 1
                self._advance()

    def _fail(self, item, error):
        reason = str(error).removeprefix(f"{readable_name(item.path)}: ")
        self.failures.append(Failure(item.path, reason or type(error).__name__))
        self.writers.submit(self.task.leave_out, item)
        self._advance()

    def _advance(self):
        self.done += 1
        self.progress(self.done, self.total)
