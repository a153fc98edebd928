"""The table of all files of an artifact: who writes each, who reads it back, for which tasks.

A new format is a file of its own, with a writer and a reader, and a row here. The writer gets the
`Draft` and the path to write; the reader yields what a client would run, which is then compared
with Keras before anything is published.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from keras_dtl.export.checks.parity import Reading, compare
from keras_dtl.export.checks.quality import QUALITIES
from keras_dtl.export.description import write_settings
from keras_dtl.export.draft import Draft
from keras_dtl.export.errors import ExportError
from keras_dtl.export.formats.browser import find_runtime, write_browser_page
from keras_dtl.export.formats.keras_file import read_keras_file, write_keras_file
from keras_dtl.export.formats.litert import (
    check_litert,
    read_litert,
    write_litert,
    write_litert_int8,
)
from keras_dtl.export.formats.onnx_model import read_onnx, write_onnx
from keras_dtl.export.formats.openvino_graphs import check_runtimes, write_openvino
from keras_dtl.export.formats.precision import write_float16, write_int8
from keras_dtl.export.formats.saved_model import read_saved_model, write_saved_model
from keras_dtl.export.formats.serving import write_open_inference_description, write_triton_config
from keras_dtl.export.formats.tiling import write_tiling
from keras_dtl.export.formats.warm_up import PLACE, write_warm_up
from keras_dtl.files import FilePath

Writer = Callable[[Draft, Path], dict[str, Any] | None]
"""Writes a file, and returns the fields of the manifest that speak of it, if there are any."""
Reader = Callable[[Draft, Path], Iterable[Reading]]
"""Opens a file as a client would."""


@dataclasses.dataclass(frozen=True)
class Format:
    """A file of an artifact.

    Args:
        name: Such as `"onnx"`; of a lossy one the precision, such as `"int8"`.
        file: Its path in the artifact, in which `{version}` is the number of the version.
        write: The `Writer`.
        read: The `Reader`, or `None` where nothing is computed, or the writer measures it.
        tasks: The tasks it is for, such as `("classification",)`; `None` for all.
        source: Name of the format that it is made from, and written after that has passed.
        asked: Words of which all must be asked for, such as `("int8",)`; without any it is always
            written.
        lossy: Whether it is an ONNX graph of lower precision, by a writer that refuses what loses
            too much; clients ask for it by its name.
        runtime: The only one that it is for, such as `"openvino"`; `None` for all.
    """

    name: str
    file: str
    write: Writer
    read: Reader | None = None
    tasks: Collection[str] | None = None
    source: str | None = None
    asked: Collection[str] = ()
    lossy: bool = False
    runtime: str | None = None

    def file_of(self, version: int) -> str:
        """Return its path relative to the artifact.

        Args:
            version: Number of the version, 1 or more.
        """
        return self.file.format(version=version)


_ROWS = (
    Format("keras", "model.keras", write_keras_file, read_keras_file),
    Format("saved_model", "{version}/saved_model.pb", write_saved_model, read_saved_model),
    Format("onnx", "{version}/model.onnx", write_onnx, read_onnx),
    Format("triton", "config.pbtxt", write_triton_config),
    Format("open_inference", "open_inference.json", write_open_inference_description),
    Format("settings", "settings.json", write_settings),
    Format("warm_up", f"{{version}}/{PLACE}", write_warm_up, source="saved_model"),
    Format("tiles", "{version}/model_tiles.onnx", write_tiling, source="onnx"),
    Format(
        "float16",
        "{version}/model_float16.onnx",
        write_float16,
        tasks=tuple(QUALITIES),
        source="onnx",
        asked=("float16",),
        lossy=True,
        runtime="onnxruntime",
    ),
    Format(
        "int8",
        "{version}/model_int8.onnx",
        write_int8,
        tasks=tuple(QUALITIES),
        source="onnx",
        asked=("int8",),
        lossy=True,
        runtime="onnxruntime",
    ),
    Format(
        "openvino",
        "{version}/model_openvino_int8.xml",
        write_openvino,
        tasks=tuple(QUALITIES),
        source="onnx",
        runtime="openvino",
    ),
    Format(
        "litert",
        "{version}/model.tflite",
        write_litert,
        read_litert,
        source="saved_model",
        asked=("litert",),
    ),
    Format(
        "litert_int8",
        "{version}/model_int8.tflite",
        write_litert_int8,
        tasks=tuple(QUALITIES),
        source="litert",
        asked=("litert", "int8"),
    ),
    Format(
        "browser",
        "{version}/index.html",
        write_browser_page,
        source="onnx",
        asked=("browser",),
    ),
)
FORMATS: dict[str, Format] = {row.name: row for row in _ROWS}
"""All formats by name, in the order in which they are written."""


CHOICES = ("litert", "browser")
"""Formats that are written where they are asked for."""


def check_choices(formats: Collection[str], runtime: FilePath | None = None) -> None:
    """Refuse, before anything is computed, formats that are not known or cannot be written.

    Args:
        formats: Names of `CHOICES`.
        runtime: Folder of the package onnxruntime-web, for the page.

    Raises:
        ValueError: A format is not known.
        ExportError: What it takes is not installed.
    """
    unknown = [name for name in formats if name not in CHOICES]
    if isinstance(formats, str) or unknown:
        raise ValueError(f"formats must be a tuple of {', '.join(CHOICES)}; received {formats!r}.")
    if "litert" in formats:
        check_litert()
    if "browser" in formats:
        find_runtime(runtime)


def check_precisions(
    precisions: tuple[str, ...],
    calibration: FilePath | None,
    task: str,
    runtimes: tuple[str, ...] = ("onnxruntime",),
) -> None:
    """Refuse, before anything is computed, graphs of lower precision that cannot be written.

    Args:
        precisions: Names of lossy formats.
        calibration: Folder of images to measure on, or `None`.
        task: What the model does.
        runtimes: What they are made for.

    Raises:
        ValueError: A precision or a runtime is not known, or there is nothing to calibrate and
            measure on.
        ExportError: There is no measure of quality for the task.
    """
    known = [row.name for row in FORMATS.values() if row.lossy]
    if "openvino" in runtimes:
        known.insert(0, "bfloat16")
    check_runtimes(runtimes, precisions)
    unknown = [precision for precision in precisions if precision not in known]
    if isinstance(precisions, str) or unknown:
        raise ValueError(
            f"`precisions` must be a tuple of {', '.join(known)}; received {precisions!r}."
        )
    if (precisions or "openvino" in runtimes) and calibration is None:
        raise ValueError(
            f"{(*precisions, 'openvino')[0]} loses quality, which must be measured: name a folder "
            "of images like those that the model will meet as `calibration`."
        )
    rows = [FORMATS[name] for name in (*precisions, *runtimes) if name in FORMATS]
    for row in rows:
        if row.tasks is not None and task not in row.tasks:
            raise ExportError(
                f"The quality of {row.name} can be measured for {', '.join(row.tasks)}; this model "
                f"is for {task!r}. Export it in float32."
            )


def write_formats(draft: Draft, asked: Collection[str] = ()) -> None:
    """Write all files of an artifact, and compare with Keras those that can be read back.

    Args:
        draft: The `Draft`, whose manifest takes up what the files say of themselves.
        asked: Names of the precisions and formats to write beside the others.

    Raises:
        ExportError: A file cannot be written or opened, or differs, or loses too much.
    """
    waiting = [row for row in FORMATS.values() if _is_wanted(row, draft, asked)]
    while waiting:
        names = [row.name for row in waiting]
        stage = [row for row in waiting if row.source not in names] or waiting
        for row in stage:
            _write(row, draft)
        for row in stage:
            _check(row, draft)
        waiting = [row for row in waiting if row not in stage]


def _is_wanted(row: Format, draft: Draft, asked: Collection[str]) -> bool:
    if not set(row.asked) <= set(asked):
        return False
    if row.runtime is not None and row.runtime not in draft.runtimes:
        return False
    return row.tasks is None or draft.manifest.task in row.tasks


def _write(row: Format, draft: Draft) -> None:
    path = draft.folder / row.file_of(draft.manifest.version)
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = row.write(draft, path)
    draft.manifest = dataclasses.replace(draft.manifest, **(fields or {}))


def _check(row: Format, draft: Draft) -> None:
    """Compare a file with Keras; its records go into the manifest."""
    if row.read is None:
        return
    manifest, file = draft.manifest, row.file_of(draft.manifest.version)
    records = []
    for reading in row.read(draft, draft.folder / file):
        label = f"{file} ({reading.signature})" if reading.signature else file
        probes = draft.probes if reading.probes is None else reading.probes
        records += compare(label, reading.run, probes, manifest.outputs)
    if not records:
        raise ExportError(
            f"{file}: its reader gives nothing to run, so that it cannot be compared with Keras. "
            "Nothing was published."
        )
    draft.manifest = dataclasses.replace(manifest, parity=(*manifest.parity, *records))
