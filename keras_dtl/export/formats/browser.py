"""A page beside the ONNX graph that answers dropped images, in the browser alone.

It runs the graph by onnxruntime-web, whose files are copied beside it: nothing is loaded from
elsewhere, and no image leaves the browser.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from keras_dtl.export.draft import Draft
from keras_dtl.export.errors import ExportError
from keras_dtl.export.formats.browser_page import BODY, SCRIPT, SOURCES, STYLE
from keras_dtl.files import FilePath, write_text
from keras_dtl.manifest import Manifest
from keras_dtl.page import escape, html_page

PACKAGE = "onnxruntime-web"
_FILES = (
    *("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs"),
    "ort-wasm-simd-threaded.wasm",
)


def find_runtime(given: FilePath | None = None) -> Path:
    """Return the folder of the npm package onnxruntime-web.

    Args:
        given: That folder; by default it is looked for as Node does, in `node_modules` here and
            above, then where NODE_PATH says.

    Raises:
        ExportError: It is not there, or lacks a file.
    """
    here = Path.cwd()
    folders = [parent / "node_modules" for parent in (here, *here.parents)]
    folders += [Path(name) for name in os.environ.get("NODE_PATH", "").split(os.pathsep) if name]
    places = [folder / PACKAGE for folder in folders] if given is None else [Path(given)]
    for place in places:
        if all((place / "dist" / name).is_file() for name in _FILES):
            return place
    looked = given if given is not None else "node_modules here, above, and in NODE_PATH"
    raise ExportError(
        f"The page takes {PACKAGE}, of which {', '.join(_FILES)} are not in {looked}. Run `npm "
        f"install {PACKAGE}` and name the folder node_modules/{PACKAGE} as `browser_runtime`."
    )


def write_browser_page(draft: Draft, path: Path) -> dict[str, Any]:
    """Write the page, and the runtime's files into a folder beside it.

    Args:
        draft: The `Draft`, whose ONNX graph was written.
        path: The page to write, in the folder of the graph.

    Returns:
        The manifest's `versions`, with the runtime's.

    Raises:
        ExportError: The model takes something else than one image of grey or colour.
    """
    manifest, runtime = draft.manifest, find_runtime(draft.browser_runtime)
    image = draft.deployable.image
    if image is None or image.shape[3] == 4:
        raise ExportError(
            "The page is for models whose one input is a grey or an RGB image, uint8; this one "
            f"takes {[(item.name, item.dtype, item.shape) for item in manifest.inputs]}."
        )
    folder = path.parent / PACKAGE
    folder.mkdir()
    for name in _FILES:
        shutil.copyfile(runtime / "dist" / name, folder / name)
    shutil.copyfile(runtime / "package.json", folder / "package.json")  # version and licence
    write_text(path, browser_page(manifest))
    version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    return {"versions": manifest.versions | {PACKAGE: version}}


def browser_page(manifest: Manifest) -> str:
    """Return the page, which loads `model.onnx` and the runtime from beside itself.

    Args:
        manifest: The `Manifest`.
    """
    content = {
        "task": manifest.task,
        "input": manifest.inputs[0].name,
        "outputs": [item.name for item in manifest.outputs],
        "classes": manifest.classes,
        "channels": manifest.preprocessing.channels,
        "resize": manifest.preprocessing.resize,
        "colors": manifest.settings.get("colors"),
    }
    # No closing tag can be inside the script, whatever a name holds.
    data = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    name = escape(manifest.name)
    task = escape(manifest.task.replace("_", " "))
    body = BODY.substitute(name=name, task=task, data=data, script=SCRIPT, package=PACKAGE)
    return html_page(manifest.name, body, STYLE, SOURCES)
