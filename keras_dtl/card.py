"""The card of an artifact: a page of Markdown that says what it is, made from its manifest.

Hubs show it as the first page. Standard library only.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_dtl.files import FilePath, readable_name
from keras_dtl.manifest import Manifest

PIPELINES = {
    "classification": "image-classification",
    "image_to_image": "image-to-image",
    "multi_label_classification": "image-classification",
    "segmentation": "image-segmentation",
}
"""How hubs name tasks."""
_LONGEST = 120  # characters of a value in a table


def card_of(
    manifest: Manifest,
    folder: FilePath,
    address: str,
    about: str = "",
    licence: str | None = None,
) -> str:
    """Return the card of an artifact, with the lines at its head that hubs read.

    Args:
        manifest: Its `Manifest`.
        folder: Where its files lie, for their sizes.
        address: By which `keras-dtl convert` finds it, such as `"hf://OWNER/NAME"`.
        about: Markdown below the first command, such as what it was trained on.
        licence: Its identifier at hubs, such as `"apache-2.0"`; without one the card names none.
    """
    tensors = [("in", tensor) for tensor in manifest.inputs]
    tensors += [("out", tensor) for tensor in manifest.outputs]
    rows = [
        (way, tensor.name, tensor.dtype, " x ".join(str(n or "any") for n in tensor.shape))
        for way, tensor in tensors
    ]
    parts = [
        _front_matter(manifest, licence),
        f"# {_cell(manifest.name)}",
        _sentence(manifest),
        f"```sh\nkeras-dtl convert {address} INPUT out/\n```",
        about.strip(),
        _table("In and out", ("", "name", "type", "shape, batch first"), rows),
        _table("Beside Keras", ("file", "output", "difference", "allowed"), _parity(manifest)),
        _table("Measured", ("measure", "value"), _pairs(manifest.metrics)),
        _table("Trained with", ("setting", "value"), _pairs(manifest.settings)),
        _table("Files", ("file", "bytes", "SHA-256"), _files(manifest, Path(folder))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(manifest, licence):
    lines = ["library_name: keras_dtl", "tags: [keras_dtl, onnx]"]
    lines += [f"license: {licence}"] if licence else []
    if manifest.task in PIPELINES:
        lines.append(f"pipeline_tag: {PIPELINES[manifest.task]}")
    return "\n".join(["---", *lines, "---"])


def _sentence(manifest):
    task = manifest.task.replace("_", " ")
    made = f"exported by keras_dtl {manifest.versions.get('keras_dtl', '')}".strip()
    classes = f" of {len(manifest.classes)} classes" if manifest.classes else ""
    return _cell(f"{task[0].upper()}{task[1:]}{classes}, {made} on {manifest.created[:10]}.")


def _parity(manifest):
    keys = ("file", "output", "difference", "tolerance")
    return [[_number(record.get(key)) for key in keys] for record in manifest.parity]


def _number(value):
    return f"{value:.3g}" if isinstance(value, float) else value


def _pairs(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _pairs(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _number(value)


def _files(manifest, folder):
    for name, checksum in sorted(manifest.files.items()):
        yield name, (folder / name).stat().st_size, f"`{checksum}`"


def _table(heading: str, columns: Sequence[str], rows) -> str:
    lines = [" | ".join(map(_cell, row)) for row in rows]
    if not lines:
        return ""
    head = [" | ".join(columns), " | ".join("---" for _ in columns)]
    return "\n".join([f"## {heading}", "", *(f"| {line} |" for line in [*head, *lines])])


def _cell(value: Any) -> str:
    """Return a value as text that stays in its cell, whatever a name holds."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = readable_name(text)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    for mark in "|<>":
        text = text.replace(mark, f"&#{ord(mark)};")
    return text
