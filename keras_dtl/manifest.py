"""The manifest of an artifact: what an exported model takes and gives, and what its files hold.

`keras_dtl.export` writes it, `keras_dtl.convert` reads it; standard library only. A manifest may
come from anywhere, so every value is checked before it is used, and nothing in it is executed.
"""

import dataclasses
import json
import reprlib
from pathlib import Path
from typing import Any, Literal

from keras_dtl.files import FilePath, read_regular, sha256, write_json
from keras_dtl.manifest_values import (
    are_runtimes,
    is_channels,
    is_classes,
    is_files,
    is_integer,
    is_list_of_objects,
    is_object,
    is_positive,
    is_precisions,
    is_range,
    is_shape,
    is_size,
    is_text,
    is_texts,
    is_tiling,
)

FORMAT = 1
FILE_NAME = "manifest.json"
_LARGEST = 16 * 2**20  # bytes
DTYPES = (
    *("bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64"),
)
"""What tensors may hold, by the names of NumPy."""

ReducedPrecision = Literal["float16", "int8"]
"""Graphs that an export may write beside the float32 one: the lossy rows of its formats."""
ExportedPrecision = Literal["bfloat16", ReducedPrecision]
"""What an export may write or measure beside float32; bfloat16 is OpenVINO's."""
Precision = Literal["float32", ExportedPrecision, "auto"]
"""Which graph of an artifact a client may ask for."""


class ManifestError(ValueError):
    """An artifact whose manifest is missing, damaged, or at odds with its files."""


@dataclasses.dataclass(frozen=True)
class Tensor:
    """One input or output of an exported model.

    Args:
        name: The same in the SavedModel and in the ONNX graph.
        dtype: Such as `"uint8"`.
        shape: The batch first; `None` for every size that is free.
        range: The lowest and the highest value, or `None` where there is no bound.
    """

    name: str
    dtype: str
    shape: tuple
    range: tuple | None = None

    @property
    def is_image(self) -> bool:
        """Whether it is a batch of uint8 images, `(batch, height, width, channels)`."""
        return self.dtype == "uint8" and len(self.shape) == 4 and self.shape[3] in (1, 3, 4)


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """What a client does to an image before it calls the model.

    Args:
        resize: The `(height, width)` to resize to, or `None` to keep the image's own.
        channels: 1, 3 or 4, or `None` where the model takes no image.
        size_multiple: Height and width must be multiples of it.
        least_size: Height and width must reach it.
    """

    resize: tuple | None = None
    channels: int | None = None
    size_multiple: int = 1
    least_size: int = 1

    @property
    def takes_any_size(self) -> bool:
        """Whether no image must be enlarged before the model takes it."""
        return self.size_multiple == self.least_size == 1


@dataclasses.dataclass(frozen=True)
class Manifest:
    """Everything that a client must know of an exported model.

    Args:
        name: The artifact's name.
        task: What the model does, such as `"classification"` or `"image_to_image"`.
        version: Number of the version folder.
        inputs: Tuple of `Tensor`.
        outputs: Tuple of `Tensor`.
        classes: Names in the order of the model's last axis, or `None`.
        preprocessing: A `Preprocessing`.
        files: SHA-256 checksums by path relative to the artifact, with `/`.
        versions: Version texts by name of the software that made it.
        settings: The recipe's settings.
        parity: One record for each file and output compared with Keras.
        metrics: Measured quality by name.
        created: When, in UTC, as ISO 8601.
        precisions: Of each other precision the `file` of its graph and the measured `quality`.
        runtimes: Of each runtime beside onnxruntime, such as `"openvino"`, by precision: the `file`
            of the graph that it is given, and the `quality` that was measured in it.
        tiling: How images beyond memory are cut: the `overlap` of tiles in pixels on each side,
            the `multiple` that they begin at, `bytes_per_pixel` of memory, and the `file` of a
            graph that takes statistics of the whole image, or `None` where none is needed.
            `None` where the model needs the whole image.
        litert: Of each graph for LiteRT, `"float32"` and `"int8"`, its `file`, and of the latter
            the measured `quality`.
    """

    name: str
    task: str
    version: int
    inputs: tuple
    outputs: tuple
    classes: tuple | None
    preprocessing: Preprocessing
    files: dict
    versions: dict
    settings: dict
    parity: tuple
    metrics: dict
    created: str
    precisions: dict = dataclasses.field(default_factory=dict)
    runtimes: dict = dataclasses.field(default_factory=dict)
    tiling: dict | None = None
    litert: dict = dataclasses.field(default_factory=dict)

    def __repr__(self):
        shapes = (
            ", ".join(f"{t.dtype} {t.shape}" for t in tensors)
            for tensors in (self.inputs, self.outputs)
        )
        return (
            f"<Manifest of {self.name}, version {self.version}: {self.task}, {' to '.join(shapes)}>"
        )

    @property
    def onnx_file(self) -> str:
        """Path of the ONNX graph, relative to the artifact."""
        return f"{self.version}/model.onnx"

    def to_json(self) -> dict:
        """Return the manifest as values that `json` can write."""
        return {"format": FORMAT, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, value: object) -> "Manifest":
        """Check what `json` read and return it as a `Manifest`.

        Args:
            value: The value.

        Raises:
            ManifestError: Something is missing, of the wrong kind, or of an unknown format.
        """
        record = _Record(value, "the manifest")
        record.take("format", f"{FORMAT} (a newer keras_dtl may read it)", _is_format)
        return cls(
            inputs=_tensors(record, "inputs"),
            outputs=_tensors(record, "outputs"),
            classes=record.take("classes", "a list of texts or null", is_classes, tuple),
            preprocessing=_preprocessing(record),
            parity=record.take("parity", "a list of objects", is_list_of_objects, tuple),
            files=record.take("files", "an object of safe paths and SHA-256 sums", is_files),
            versions=record.take("versions", "an object of texts", is_texts),
            version=record.take("version", "an integer of 1 or more", is_positive),
            precisions=record.take("precisions", "an object of graphs", is_precisions),
            runtimes=record.take("runtimes", "an object of graphs", are_runtimes, default={}),
            tiling=record.take("tiling", "a description of tiles", is_tiling),
            litert=record.take("litert", "an object of graphs", is_precisions, default={}),
            **{key: record.take(key, "a text", is_text) for key in ("name", "task", "created")},
            **{key: record.take(key, "an object", is_object) for key in ("settings", "metrics")},
        )


def write_manifest(folder: FilePath, manifest: Manifest) -> None:
    """Write `manifest` to the artifact `folder`.

    Args:
        folder: The artifact.
        manifest: A `Manifest`.

    Raises:
        ManifestError: It is larger than what is read.
    """
    path = Path(folder) / FILE_NAME
    write_json(path, manifest.to_json())
    if (size := path.stat().st_size) > _LARGEST:
        path.unlink()
        raise ManifestError(
            f"The manifest of {manifest.name} would have {size} bytes, and {_LARGEST} are read. "
            "Leave large tables out of its settings and metrics."
        )


def read_manifest(folder: FilePath) -> Manifest:
    """Read and check the manifest of the artifact `folder`.

    Args:
        folder: The artifact.

    Raises:
        ManifestError: There is none, or it cannot be trusted; the message says why.
    """
    path = Path(folder) / FILE_NAME
    try:
        value = json.loads(read_regular(path, _LARGEST))
    except OSError as error:
        raise ManifestError(
            f"{folder} is not an artifact: {FILE_NAME} cannot be read ({error.strerror}). "
            "Give a folder that export_model or `keras-dtl export` wrote."
        ) from error
    # json raises RecursionError on deep nesting, and ValueError on everything else.
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: not valid JSON: {error}. Export the model again.") from error
    try:
        return Manifest.from_json(value)
    except ManifestError as error:
        raise ManifestError(f"{path}: {error} Export the model again.") from error


def verify_file(folder: FilePath, manifest: Manifest, name: str, compare: bool = True) -> Path:
    """Return the path of an artifact's file after comparing its checksum.

    Args:
        folder: The artifact.
        manifest: Its `Manifest`.
        name: A key of `manifest.files`.
        compare: Whether to compare the checksum, which reads the whole file.

    Raises:
        ManifestError: The file is not listed, missing, outside the artifact, or changed.
    """
    if name not in manifest.files:
        raise ManifestError(f"{folder}: the manifest lists no file {name}. Export the model again.")
    path = Path(folder) / name
    try:
        if not path.resolve().is_relative_to(Path(folder).resolve()):
            raise ManifestError(f"{path} leads out of the artifact; it is not read.")
        found = sha256(path) if compare else manifest.files[name]
        path.stat()
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a loop, before Python 3.13
        raise ManifestError(f"{path}: cannot be read: {error}. Copy the artifact again.") from error
    if found != manifest.files[name]:
        raise ManifestError(
            f"{path}: its SHA-256 is {found[:12]}..., the manifest says "
            f"{manifest.files[name][:12]}...; the file was changed or damaged. Copy the artifact "
            "again or export the model again."
        )
    return path


class _Record:
    """A JSON object that is read key by key, with errors that name the place."""

    def __init__(self, value, place):
        self.place = place
        if not isinstance(value, dict):
            raise ManifestError(f"{place} must be an object; received {_short(value)}.")
        self.value = value

    def take(self, key, expected, is_right, convert=None, default=None) -> Any:
        """Return the value of `key` when `is_right` says so, converted unless it is `None`.

        What manifests of earlier versions lack has a `default`.
        """
        if key not in self.value and default is None:
            raise ManifestError(f"{self.place} has no {key!r}; expected {expected}.")
        value = self.value.get(key, default)
        if not is_right(value):
            raise ManifestError(
                f"{key!r} of {self.place} must be {expected}; received {_short(value)}."
            )
        return value if convert is None or value is None else convert(value)


def _tensors(record, key):
    values = record.take(key, "a list of one object or more", is_list_of_objects)
    tensors = tuple(_tensor(_Record(value, f"an entry of {key!r}")) for value in values)
    names = {tensor.name for tensor in tensors}
    if not tensors or len(names) < len(tensors):
        raise ManifestError(f"{key!r} must have one entry or more with different names.")
    return tensors


def _tensor(record):
    return Tensor(
        name=record.take("name", "a text", is_text),
        dtype=record.take("dtype", f"one of {', '.join(DTYPES)}", lambda value: value in DTYPES),
        shape=record.take("shape", "a list of integers of 1 or more or null", is_shape, tuple),
        range=record.take("range", "[lowest, highest] or null", is_range, tuple),
    )


def _preprocessing(record):
    record = _Record(
        record.take("preprocessing", "an object", is_object), "'preprocessing' of the manifest"
    )
    return Preprocessing(
        resize=record.take("resize", "[height, width] or null", is_size, tuple),
        channels=record.take("channels", "1, 3, 4 or null", is_channels),
        size_multiple=record.take("size_multiple", "an integer of 1 or more", is_positive),
        least_size=record.take("least_size", "an integer of 1 or more", is_positive, default=1),
    )


def _short(value):
    return reprlib.repr(value)  # short, whatever the depth and length of the value


def _is_format(value):
    return is_integer(value) and value == FORMAT
