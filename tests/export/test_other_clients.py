"""Artifacts in clients that are not Python: the same numbers in Node and in a browser.

`npm install onnxruntime-node onnxruntime-web`, and NODE_PATH names the folder node_modules.
"""

import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import threading

import numpy as np
import pytest

from keras_dtl.convert import load_artifact

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

# A client in JavaScript; `ort` is either of both packages.
CLIENT = """
async function outputs(ort, model, image) {
  const session = await ort.InferenceSession.create(model);
  const tensor = new ort.Tensor("uint8", Uint8Array.from(image.values), image.shape);
  const results = await session.run({[session.inputNames[0]]: tensor});
  const result = results[session.outputNames[0]];
  return JSON.stringify({shape: result.dims, values: Array.from(result.data)});
}
"""
NODE = (
    CLIENT
    + """
const [model, image] = process.argv.slice(1);
const values = JSON.parse(require("fs").readFileSync(image));
outputs(require("onnxruntime-node"), model, values).then(console.log);
"""
)
PAGE = f"""<!doctype html><meta charset="utf-8"><pre id="result"></pre>
<script src="ort.wasm.min.js"></script>
<script>{CLIENT}
ort.env.wasm.numThreads = 1;
fetch("image.json").then(answer => answer.json())
  .then(image => outputs(ort, "model.onnx", image))
  .then(text => {{ document.getElementById("result").textContent = text; }})
  .catch(error => {{ document.getElementById("result").textContent = "error: " + error; }});
</script>
"""

pytestmark = pytest.mark.slow


def package(name):
    """Return the file that Node would load of a package, or skip the test."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    found = subprocess.run(
        ["node", "-p", f"require.resolve({name!r})"], capture_output=True, text=True
    )
    if found.returncode:
        pytest.skip(f"{name} is not installed where NODE_PATH says")
    return found.stdout.strip()


@pytest.fixture(params=["classifier_artifact", "generator_artifact"])
def case(request, tmp_path):
    """A graph, the file of an image for it, and what Python makes of the image."""
    artifact = load_artifact(request.getfixturevalue(request.param), "cpu")
    image = np.random.default_rng(0).integers(0, 256, (2, 12, 10, 3), dtype=np.uint8)
    values = {"shape": image.shape, "values": image.ravel().tolist()}
    (tmp_path / "image.json").write_text(json.dumps(values))
    return artifact.path / artifact.manifest.onnx_file, tmp_path / "image.json", artifact(image)


def check(text, expected):
    result = json.loads(text)
    values = np.array(result["values"]).reshape(result["shape"])
    tolerance = 1 if expected.dtype == np.uint8 else 1e-5
    np.testing.assert_allclose(values, expected.astype(float), rtol=0, atol=tolerance)


def test_node_computes_the_same(case):
    package("onnxruntime-node")
    model, image, expected = case
    run = subprocess.run(["node", "-e", NODE, model, image], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    check(run.stdout, expected)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture
def server(tmp_path):
    """The address of a server of the folder `site`."""
    handler = functools.partial(Quiet, directory=tmp_path / "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_browser_computes_the_same(case, server, tmp_path):
    runtime = package("onnxruntime-web").rpartition("/")[0]
    model, image, expected = case
    shutil.copytree(runtime, tmp_path / "site", ignore=shutil.ignore_patterns("*.map"))
    shutil.copy(model, tmp_path / "site" / "model.onnx")
    shutil.copy(image, tmp_path / "site" / "image.json")
    (tmp_path / "site" / "page.html").write_text(PAGE, encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=60000"]
    run = subprocess.run(
        [*command, f"{server}/page.html"], capture_output=True, text=True, timeout=240
    )
    found = re.search(r'<pre id="result">(.*?)</pre>', run.stdout, re.DOTALL)
    assert found, run.stderr
    check(html.unescape(found[1]), expected)
