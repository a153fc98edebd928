"""Motion: one BVH file for each BVH file, in the style of another clip, in the same tree."""

import dataclasses
import glob
import hashlib
import json
import os
import time
from pathlib import Path

import numpy as np

from keras_dtl.bvh import BvhError, format_bvh, read_bvh
from keras_dtl.convert.artifact import ArtifactError
from keras_dtl.convert.inputs import find_items
from keras_dtl.convert.items import Item, ItemError
from keras_dtl.convert.journal import Journal
from keras_dtl.convert.options import ConversionError
from keras_dtl.convert.report import ConversionReport, Failure
from keras_dtl.convert.run import DiskFull, no_room_is_fatal
from keras_dtl.files import sha256, write_json
from keras_dtl.images import readable_name
from keras_dtl.motion import Skeleton, features_of, heading, positions_of, read_motion, to_bvh

TASK = "motion_style"
REPORT = "report.json"
_SUFFIX = ".bvh"


def convert_motions(artifact, source, destination, options, progress=None):
    """Give every BVH file of a folder a style; see `convert_folder`.

    Args:
        artifact: An `Artifact` whose one input is motion, or whose inputs are `content` and
            `style`: then `options.style` names the BVH file whose style all others get.
        source: A BVH file, a folder, a pattern, or a list of paths.
        destination: The folder to write to.
        options: The `Options`.
        progress: Called with the number of files done and of all files.

    Returns:
        A `ConversionReport`.

    Raises:
        ConversionError: Nothing can begin: the artifact or the style cannot be used, there is
            no file, or the output would lie in the input.
    """
    started, destination = time.monotonic(), Path(destination)
    transfer = MotionTransfer(artifact, options.style)
    items = find_motions(source, options.recursive)
    run = _Run(transfer, destination, options)
    run.plan(items, source)
    if options.dry_run:
        run.planned = [item.path for item in items]
    else:
        key = json.dumps([artifact.checksum, transfer.style_checksum, options.suffix])
        with Journal(destination, hashlib.sha256(key.encode()).hexdigest()[:16]) as journal:
            run.convert(items, journal, progress or (lambda done, total: None))
    report = ConversionReport(
        converted=run.converted,
        skipped=run.skipped,
        failed=tuple(sorted(run.failures)),
        seconds=time.monotonic() - started,
        output=destination,
        planned=tuple(run.planned),
        left=run.left,
    )
    if not options.dry_run:
        name = {"name": artifact.manifest.name, "sha256": artifact.checksum}
        described = {"artifact": name, "options": dataclasses.asdict(options)}
        write_json(destination / REPORT, report.to_json() | described)
    return report


def find_motions(source, recursive=True):
    """List the BVH files of a conversion; see `keras_dtl.convert.inputs.find_items`.

    Raises:
        ConversionError: There is none.
        OSError: The source is not there.
    """
    if isinstance(source, (list, tuple)) or not Path(source).is_dir():
        if not isinstance(source, (list, tuple)) and not glob.has_magic(os.fspath(source)):
            Path(source).stat()
        return find_items(source)[0]
    folder = Path(source)
    found = folder.rglob("*") if recursive else folder.iterdir()
    names = sorted(path.relative_to(folder) for path in found if path.suffix.lower() == _SUFFIX)
    names = [name for name in names if not any(part.startswith(".") for part in name.parts)]
    if not names:
        raise ConversionError(f"{readable_name(folder)} holds no .bvh files. Check the path.")
    return [Item(index, folder / name, name.as_posix()) for index, name in enumerate(names)]


class MotionTransfer:
    """An artifact from a BVH file to a `Bvh` in another style.

    Args:
        artifact: An `Artifact` of the task `motion_style`.
        style: Path of the BVH file whose style is given, where the artifact asks for one.

    Raises:
        ConversionError: Either cannot be used.
    """

    def __init__(self, artifact, style=None):
        self.artifact = artifact
        names = [tensor.name for tensor in artifact.manifest.inputs]
        if len(names) != 1 and sorted(names) != ["content", "style"]:
            raise ConversionError(f"Motion needs one input, or content and style; it has {names}.")
        self.name = names[0] if len(names) == 1 else "content"
        self.skeleton, self.rate = _body_of(artifact.manifest)
        self.style = self.style_checksum = None
        if len(names) == 1 and style:
            raise ConversionError("This artifact has its style already; leave out style.")
        if len(names) == 2:
            self.style = self._read_style(style)
            self.style_checksum = sha256(style)

    def _read_style(self, path):
        if not path:
            raise ConversionError(
                "This model takes the style from a clip: name a BVH file (--style FILE), or export "
                "the run with `keras-dtl export RUN --style-of FILE`."
            )
        try:
            return self._read(path)[0]
        except (BvhError, OSError) as error:
            raise ConversionError(f"The style cannot be read: {error}") from error

    def _read(self, path):
        """Return features, positions and the body's own skeleton of a file."""
        positions, skeleton, _ = read_motion(read_bvh(path), self.skeleton, self.rate)
        return features_of(positions, skeleton), positions, skeleton

    def __call__(self, path):
        """Return the `Bvh` that the model makes of a file: the same body, at the model's rate.

        It begins where the file does and faces the same way.

        Raises:
            BvhError: The file cannot be used.
            ArtifactError: The model cannot be run.
            ItemError: It made what is no motion.
        """
        features, positions, skeleton = self._read(path)
        inputs = {self.name: features[None]}
        if self.style is not None:
            inputs["style"] = self.style[None]
        made = next(iter(self.artifact.run(inputs).values()))[0]
        if made.shape != features.shape or not np.isfinite(made).all():
            raise ItemError("the model made no motion of it: numbers that are not finite")
        start, facing = positions[0, 0, [0, 2]], heading(positions, skeleton)[0]
        return to_bvh(positions_of(made, skeleton, start, facing), skeleton, self.rate)


def _body_of(manifest):
    """Return `Skeleton` and rate that an artifact was trained on."""
    settings = manifest.settings
    try:
        return Skeleton.from_json(settings["skeleton"]), float(settings["rate"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConversionError(
            f"The artifact {manifest.name} does not tell its skeleton and rate ({error}): export "
            "it with settings={'skeleton': skeleton.to_json(), 'rate': 30.0}."
        ) from error


class _Run:
    """One file after the other: a network over motion is quicker than reading the file."""

    def __init__(self, transfer, destination, options):
        self.transfer = transfer
        self.destination = destination
        self.options = options
        self.failures, self.planned = [], []
        self.converted = self.skipped = self.left = 0

    def plan(self, items, source):
        """Refuse to write into the input, or two outputs to one file."""
        folder = None if isinstance(source, (list, tuple)) else Path(source)
        inside = folder is not None and folder.is_dir()
        if inside and self.destination.resolve().is_relative_to(folder.resolve()):
            raise ConversionError(
                f"The output folder {readable_name(self.destination)} is that of the input or "
                "lies in it. Choose another."
            )
        inputs = {item.path.resolve() for item in items}
        targets = set()
        for item in items:
            target = self.target(item)
            if target.resolve() in inputs or str(target).casefold() in targets:
                raise ConversionError(
                    f"{readable_name(target)} would replace an input or another output. Choose "
                    "another folder, or a suffix."
                )
            targets.add(str(target).casefold())

    def target(self, item):
        name = Path(item.name)
        return self.destination / name.with_name(name.stem + self.options.suffix + _SUFFIX)

    def convert(self, items, journal, progress):
        stopped = None
        for place, item in enumerate(items, 1):
            try:
                if stopped:
                    raise ItemError(f"not converted: {stopped}")
                self._convert(item, journal)
            except DiskFull as error:
                stopped = error.strerror
                self.failures.append(Failure(item.path, f"not converted: {stopped}"))
            except (BvhError, ItemError, ArtifactError, OSError, MemoryError) as error:
                reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
                reason = reason.removeprefix(f"{item.path.name}: ")
                self.failures.append(Failure(item.path, reason))
            progress(place, len(items))

    def _convert(self, item, journal):
        target, content = self.target(item), sha256(item.path)
        if not self.options.overwrite:
            records = journal.records(item.name, content)
            if records and journal.is_whole(records[0], target):
                self.skipped += 1
                return
            if os.path.lexists(target) and not journal.wrote(item.name, target):
                raise ItemError(
                    f"{readable_name(target)} exists and is not what a conversion wrote for it; "
                    "remove it, choose another folder or suffix, or overwrite"
                )
        if self.options.limit and self.converted >= self.options.limit:
            self.left += 1
            return
        data = format_bvh(self.transfer(item.path)).encode()
        with no_room_is_fatal():
            journal.add(item.name, content, output=hashlib.sha256(data).hexdigest())
            journal.publish(target, data)
        self.converted += 1
