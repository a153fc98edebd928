"""An artifact in JavaScript: the same numbers. Needs `npm install onnxruntime-node`, NODE_PATH."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from keras_dtl.convert import load_artifact

_RUN = """
const ort = require('onnxruntime-node');
const chunks = [];
process.stdin.on('data', chunk => chunks.push(chunk)).on('end', async () => {
  const session = await ort.InferenceSession.create(process.argv[1]);
  const shape = JSON.parse(process.argv[2]);
  const image = new ort.Tensor('uint8', new Uint8Array(Buffer.concat(chunks)), shape);
  const outputs = await session.run({image});
  const output = outputs[session.outputNames[0]];
  console.log(JSON.stringify({shape: output.dims, values: Array.from(output.data)}));
});
"""


def has_runtime():
    if shutil.which("node") is None:
        return False
    command = ["node", "-e", "require('onnxruntime-node')"]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["classifier", "generator"])
def test_node_computes_the_same(kind, classifier_artifact, generator_artifact):
    if not has_runtime():
        pytest.skip("node with onnxruntime-node is not installed")
    folder = {"classifier": classifier_artifact, "generator": generator_artifact}[kind]
    artifact = load_artifact(folder, device="cpu")
    noise = np.random.default_rng(0)
    images = noise.integers(0, 256, (2, 12, 10, 3), dtype=np.uint8)
    words = [str(folder / artifact.manifest.onnx_file), json.dumps(images.shape)]
    command = ["node", "-e", _RUN, *words]
    answer = subprocess.run(command, input=images.tobytes(), check=True, capture_output=True)
    value = json.loads(answer.stdout)
    received = np.array(value["values"]).reshape(value["shape"])
    np.testing.assert_allclose(received, artifact(images), atol=1 if kind == "generator" else 1e-5)
