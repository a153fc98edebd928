"""Whole folders through an artifact."""

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from keras_dtl.convert.artifact import Artifact
from keras_dtl.convert.disk import DiskFull, no_room_is_fatal
from keras_dtl.convert.engines.choice import run_of
from keras_dtl.convert.gallery import gallery_page
from keras_dtl.convert.inputs import find_inputs, leave_out_outputs
from keras_dtl.convert.items import Item
from keras_dtl.convert.journal import Checksums, Journal
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.report import ConversionReport, Failure, LeftOut
from keras_dtl.convert.tasks.by_name import task_class, task_of
from keras_dtl.convert.tiles.tiling import warn_of_small_tiles
from keras_dtl.files import FilePath, is_no_room, readable_name, resolved
from keras_dtl.folders import require_output_folder

REPORT, GALLERY = "report.json", "gallery.html"


def convert_folder(
    artifact: Artifact,
    source: FilePath | Sequence[FilePath],
    destination: FilePath,
    *,
    progress: Callable[[int, int], None] | None = None,
    **options,
) -> ConversionReport:
    """Run an artifact over images and write what it makes of them.

    A classifier writes one table of predictions, a generator writes one image for each image, in
    the same tree of folders, and a model of motion does so with BVH files. An image that cannot
    be read or converted is reported with the reason and does not keep the others from being
    converted; files of a folder that are no images are named, too. Nothing is ever left half
    written; a conversion that was stopped or killed goes on where it was when it is called again,
    and an image is converted again when its content, the artifact or an option that matters has
    changed.

    Beside the results are `report.json` and `gallery.html`, and the journal in a hidden folder.

    Args:
        artifact: What `load_artifact` returned.
        source: An image file, or one of motion, a folder, a pattern such as
            `"photos/**/*.jpg"`, or a list of paths.
        destination: The folder to write to.
        progress: Called with the number of images done and the number of all images.
        **options: The fields of `keras_dtl.convert.Options`, such as `batch_size=32`.

    Returns:
        A `ConversionReport`; its `exit_status` is 0, 1 or 2.

    Raises:
        ConversionError: There is nothing to convert, or an output is in the way.
        OSError: The source cannot be listed, or the destination cannot be written.
    """
    if not hasattr(artifact, "task"):
        raise ConversionError(
            f"`artifact` must be what load_artifact returns. Received: {type(artifact).__name__}. "
            "Open it first: load_artifact(path)."
        )
    options = Options(**options)
    items, failures, left_out = find_inputs(source, options.recursive, task_class(artifact))
    folder = source if not isinstance(source, (list, tuple)) and Path(source).is_dir() else None
    if folder is not None:
        _check_destination(destination, folder, options)
        items = leave_out_outputs(items, folder, destination)
    return convert_items(
        artifact, items, failures, folder, destination, options, progress, left_out
    )


def convert_items(
    artifact: Artifact,
    items: list[Item],
    failures: list[Failure],
    folder: FilePath | None,
    destination: FilePath,
    options: Options,
    progress: Callable[[int, int], None] | None = None,
    left_out: tuple[LeftOut, ...] = (),
    checksums: Checksums | None = None,
) -> ConversionReport:
    """Convert what `find_inputs` found; see `convert_folder`.

    Args:
        artifact: What `load_artifact` returned.
        items: The files.
        failures: What could not be listed.
        folder: The folder that was searched, or `None`; the destination must lie outside.
        destination: The folder to write to.
        options: The `Options`.
        progress: Called with the number of files done and the number of all files.
        left_out: The files of the folder that are no input, for the report.
        checksums: Of files that need not be read again as long as they do not change.
    """
    started = time.monotonic()
    destination = Path(destination)
    task = task_of(artifact, destination, options)
    warn_of_small_tiles(artifact, options)
    _check_destination(destination, folder, options)
    task.plan(items)
    report = None
    with contextlib.ExitStack() as stack:

        def is_told(kind, error, trace):
            """Closing the journal has no room either where there is none."""
            nonlocal report
            if report is not None and not report.full and is_no_room(error):
                report = dataclasses.replace(report, full=error.strerror)
            return isinstance(error, OSError) and report is not None and bool(report.full)

        stack.push(is_told)
        journal = stack.enter_context(_journal(task, destination, options, checksums))
        progress = progress or (lambda done, total: None)
        run = run_of(artifact, task, journal, items, destination, options, progress)
        _execute(run, task, journal, items)
        seconds = time.monotonic() - started
        report = _report_of(run, failures, seconds, task.output, left_out)
        if not options.dry_run:
            _describe(report, artifact, task, items, journal, options)
    return report


def _report_of(run, failures, seconds, output, left_out):
    return ConversionReport(
        converted=run.converted,
        skipped=run.skipped,
        failed=tuple(sorted([*failures, *run.failures])),
        seconds=seconds,
        output=output,
        planned=tuple(item.path for item in sorted(run.planned, key=lambda item: item.index)),
        left=run.left,
        stages=run.stages,
        left_out=left_out,
        full=run.full,
    )


class _NotWritten(Exception):
    """Every image failed, or the disk is full: an older result must not be replaced by less."""


def _execute(run, task, journal, items):
    if run.options.dry_run:
        task.journal = journal  # to be read
        run.convert(items)
        return
    try:
        with no_room_is_fatal(), task.writing(journal):
            run.convert(items)
            if run.full or not (run.converted or run.skipped):
                # Leaving by an exception drops what the task has begun to write.
                raise _NotWritten
    except _NotWritten:
        return
    except DiskFull as error:
        run.stop_full(error)


def _check_destination(destination, folder, options):
    destination = Path(destination)
    if folder is not None and resolved(destination).is_relative_to(resolved(folder)):
        raise ConversionError(
            f"The output folder {readable_name(destination)} is that of the input or lies in it: "
            "images would be overwritten, or converted again by the next run. Choose another."
        )
    require_output_folder(destination)
    for name in (REPORT, GALLERY):
        if (destination / name).exists() and not options.overwrite:
            if Journal.exists(destination):
                continue
            raise ConversionError(
                f"{readable_name(destination / name)} exists and would be replaced. Choose "
                "another folder, or overwrite it."
            )


def _journal(task, destination, options, checksums):
    """Return the journal; a dry run reads an existing one and makes none."""
    if options.dry_run and not Journal.exists(destination):
        return contextlib.nullcontext()
    return Journal(destination, task.journal_key(), checksums)


def _describe(report, artifact, task, items, journal, options):
    """Write what was done beside the results, by way of what a killed run may leave."""
    manifest = artifact.manifest
    value = report.to_json() | {
        "artifact": {
            "name": manifest.name,
            "version": manifest.version,
            "task": manifest.task,
            "precision": artifact.precision,
            "sha256": artifact.checksum,
        },
        "provider": artifact.provider,
        "options": dataclasses.asdict(options),
    }
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    journal.publish(journal.folder / REPORT, text.encode())
    if options.gallery:
        page = gallery_page(journal.folder, report, task, items, manifest.name, options)
        journal.publish(journal.folder / GALLERY, page.encode())
