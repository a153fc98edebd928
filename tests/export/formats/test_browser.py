"""The page that answers dropped images: Python's numbers, and nothing from elsewhere.

`npm install onnxruntime-web`, and NODE_PATH names the folder node_modules; Chromium on the path.
"""

import dataclasses
import html
import io
import json
import re
import shutil
import subprocess
import types

import numpy as np
import pytest
from PIL import Image

from keras_dtl.convert import load_artifact
from keras_dtl.export import ExportError, export_model
from keras_dtl.export.formats.browser import browser_page, find_runtime, write_browser_page
from keras_dtl.images import read_image, resize_image
from keras_dtl.manifest import read_manifest
from tests.export.conftest import CLASSES, make_classifier, make_generator
from tests.export.test_other_clients import BROWSER, server  # noqa: F401

DROP = """<pre id="result"></pre><script>
const done = value => { document.getElementById("result").textContent = JSON.stringify(value); };
document.addEventListener("failure", event => done({failure: event.detail}));
document.addEventListener("answer", event => done(Object.fromEntries(
  Object.entries(event.detail).map(([name, {dims, data}]) => [name, {dims, data: [...data]}]))));
fetch("FILE").then(answer => answer.blob()).then(blob => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([blob], "FILE"));
  document.dispatchEvent(new DragEvent("drop", {dataTransfer}));
});
</script></body>"""


def runtime(folder, version="1.2.3"):
    """A package of empty files."""
    (folder / "dist").mkdir(parents=True)
    names = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
    for name in names:
        (folder / "dist" / name).write_bytes(b"")
    (folder / "package.json").write_text(json.dumps({"version": version, "license": "MIT"}))
    return folder


def draft(artifact, runtime, image):
    manifest = read_manifest(artifact)
    deployable = types.SimpleNamespace(image=manifest.inputs[0] if image else None)
    return types.SimpleNamespace(manifest=manifest, browser_runtime=runtime, deployable=deployable)


def test_page_and_runtime_lie_beside_the_graph(classifier_artifact, tmp_path):
    package = runtime(tmp_path / "package")
    (tmp_path / "1").mkdir()
    given = draft(classifier_artifact, package, True)
    fields = write_browser_page(given, tmp_path / "1" / "index.html")
    assert fields["versions"]["onnxruntime-web"] == "1.2.3"
    assert (tmp_path / "1" / "onnxruntime-web" / "ort-wasm-simd-threaded.wasm").is_file()
    page = (tmp_path / "1" / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://(?!localhost)", page)
    content = json.loads(re.search(r'id="model">(.*?)</script>', page, re.DOTALL)[1])
    assert content["classes"] == list(CLASSES)
    assert (content["resize"], content["channels"]) == ([12, 10], 3)


def test_names_cannot_leave_the_page_s_data(classifier_artifact):
    manifest = read_manifest(classifier_artifact)
    evil = dataclasses.replace(manifest, classes=("</script><script>alert(1)", "b", "c"))
    assert "</script><script>alert" not in browser_page(evil)


def test_what_takes_no_image_gets_no_page(two_inputs_artifact, tmp_path):
    given = draft(two_inputs_artifact, runtime(tmp_path / "package"), False)
    with pytest.raises(ExportError, match=r"one input is a grey or an RGB image.*input_0"):
        write_browser_page(given, tmp_path / "index.html")


def test_a_runtime_that_is_not_there_is_said_before_anything_is_computed(tmp_path, monkeypatch):
    options = {"task": "classification", "formats": ("browser",), "browser_runtime": tmp_path}
    with pytest.raises(ExportError, match=r"npm install onnxruntime-web"):
        export_model(None, tmp_path / "a", **options)
    package = runtime(tmp_path / "modules" / "onnxruntime-web")
    monkeypatch.setenv("NODE_PATH", str(tmp_path / "modules"))
    monkeypatch.chdir(tmp_path)
    assert find_runtime() == package


def photo(height, width):
    """A smooth picture: JPEG decoders agree on it."""
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / 9 + k) * np.cos(columns / (7 + k)) * 110 + 128 for k in range(3)]
    return Image.fromarray(np.stack(waves, -1).astype("uint8"))


def files():
    upright, clear = photo(40, 31), photo(40, 31)
    clear.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 31).astype("uint8"), (40, 1))))
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"a.png": {}, "b.jpg": {"quality": 95}, "turned.jpg": {"exif": exif}}
    options |= {"grey.png": {}, "clear.png": {}}
    for name, option in options.items():
        image = clear if name == "clear.png" else upright
        image = image.convert("L") if name == "grey.png" else image
        file = io.BytesIO()
        image.save(file, "JPEG" if name.endswith("jpg") else "PNG", **option)
        yield name, file.getvalue()


@pytest.fixture(scope="module", params=["classifier", "generator"])
def site(request, tmp_path_factory):
    """An artifact with its page."""
    try:
        find_runtime()
    except ExportError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("pages") / request.param
    options = {"task": "classification", "classes": CLASSES}
    if request.param == "generator":
        options = {"task": "image_to_image", "size_multiple": 2}
    model = make_classifier() if request.param == "classifier" else make_generator()
    export_model(model, folder, formats=("browser",), **options)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
@pytest.mark.parametrize(("name", "data"), [pytest.param(*file, id=file[0]) for file in files()])
def test_a_dropped_image_is_answered_as_in_python(name, data, site, server, tmp_path):  # noqa: F811
    folder = tmp_path / "site"
    shutil.copytree(site / "1", folder)
    (folder / name).write_bytes(data)
    page = (folder / "index.html").read_text(encoding="utf-8")
    page = page.replace("</body>", DROP.replace("FILE", name))
    (folder / "index.html").write_text(page, encoding="utf-8")
    found = dump(f"{server}/index.html", tmp_path / "profile")
    artifact = load_artifact(site, "cpu")
    image = read_image(data, 3)
    size = artifact.manifest.preprocessing.resize
    expected = artifact((image if size is None else resize_image(image, size))[None])
    [output] = [found[item.name] for item in artifact.manifest.outputs]
    values = np.array(output["data"]).reshape(output["dims"])
    # Browsers decode and blend with one level of rounding.
    tolerance = 2 if expected.dtype == np.uint8 else 1e-3
    np.testing.assert_allclose(values, expected.astype(float), rtol=0, atol=tolerance)


def dump(address, profile):
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={profile}", "--virtual-time-budget=60000", address]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240)
    found = re.search(r'<pre id="result">(.*?)</pre>', run.stdout, re.DOTALL)
    assert found and found[1], run.stdout[-2000:] + run.stderr
    return json.loads(html.unescape(found[1]))
