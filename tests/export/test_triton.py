"""The folder of artifacts as a real Triton core reads it: `pip install --no-deps nvidia-pytriton`.

No package index carries Triton's backend for ONNX, but that package brings its core and its backend
for Python: through a few lines of it, below, the core runs what `config.pbtxt` describes.
"""

import contextlib
import importlib.util
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest

from keras_dtl.convert import load_artifact

BACKEND = """
import json
import os

import onnxruntime
import triton_python_backend_utils as triton


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        folder = os.path.join(args["model_repository"], args["model_version"])
        self.session = onnxruntime.InferenceSession(
            os.path.join(folder, config["default_model_filename"])
        )
        self.inputs = [item["name"] for item in config["input"]]
        self.outputs = [item["name"] for item in config["output"]]

    def execute(self, requests):
        answers = []
        for request in requests:
            given = {
                name: triton.get_input_tensor_by_name(request, name).as_numpy()
                for name in self.inputs
            }
            found = self.session.run(self.outputs, given)
            tensors = [triton.Tensor(*pair) for pair in zip(self.outputs, found)]
            answers.append(triton.InferenceResponse(tensors))
        return answers
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("pytriton") is None, reason="nvidia-pytriton is not installed"
    ),
]


def core():
    [place] = importlib.util.find_spec("pytriton").submodule_search_locations
    return pathlib.Path(place) / "tritonserver"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def serving(repository, folder):
    """Yield the address of a Triton core that serves a folder of artifacts."""
    backends, port = folder / "backends", free_port()
    shutil.copytree(core() / "backends", backends)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = core() / "python_backend_stubs" / version / "triton_python_backend_stub"
    shutil.copy(stub, backends / "python")
    (backends / "onnxruntime").mkdir()
    # The core's Python looks for packages elsewhere.
    found = f"import sys\n\nsys.path += {[path for path in sys.path if path]!r}\n"
    (backends / "onnxruntime" / "model.py").write_text(found + BACKEND)
    options = {"http-port": port, "allow-grpc": "false", "allow-metrics": "false"}
    options |= {"model-repository": repository, "backend-directory": backends}
    words = [f"--{name}={value}" for name, value in options.items()]
    paths = {"LD_LIBRARY_PATH": str(core().parents[1] / "nvidia_pytriton.libs")}
    with (folder / "log").open("w") as log:
        command = [core() / "bin" / "tritonserver", *words]
        server = subprocess.Popen(command, env=os.environ | paths, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}/v2/health/ready", server, folder / "log")
            yield f"http://127.0.0.1:{port}/v2/models"
        finally:
            server.terminate()
            server.wait(60)


def _wait(address, server, log):
    for _ in range(240):
        with contextlib.suppress(OSError), urllib.request.urlopen(address):
            return
        assert server.poll() is None, log.read_text()[-3000:]
        time.sleep(0.5)
    raise AssertionError(log.read_text()[-3000:])


TYPES = {"uint8": "UINT8", "float32": "FP32"}


def ask(address, **arrays):
    """Return what the answer to a request of the Open Inference Protocol says of its outputs."""
    inputs = [
        {
            "name": name,
            "shape": array.shape,
            "datatype": TYPES[str(array.dtype)],
            "data": array.ravel().tolist(),
        }
        for name, array in arrays.items()
    ]
    body = {"inputs": inputs, "parameters": {"binary_data_output": True}}
    request = urllib.request.Request(f"{address}/infer", json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        length = answer.headers.get("Inference-Header-Content-Length")
        text = answer.read(int(length)) if length else answer.read()
    return {one["name"]: one for one in json.loads(text)["outputs"]}


def test_triton_serves_the_folder_as_it_is(
    classifier_artifact, generator_artifact, two_inputs_artifact, tmp_path
):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (2, 12, 10, 3), dtype=np.uint8)
    floats = {"input_0": random.normal(size=(2, 5, 6)), "input_1": random.normal(size=(2, 4))}
    floats = {name: array.astype("float32") for name, array in floats.items()}
    requests = {classifier_artifact: {"image": images}, generator_artifact: {"image": images}}
    requests[two_inputs_artifact] = floats
    for artifact in requests:
        shutil.copytree(artifact, tmp_path / "exported" / artifact.name)
    with serving(tmp_path / "exported", tmp_path) as models:
        for artifact, arrays in requests.items():
            check(artifact, arrays, f"{models}/{artifact.name}")


def check(artifact, arrays, address):
    """Compare what the core read in the folder, and the shapes and types that it answers.

    Its backend for Python, in nvidia-pytriton 0.7.0 on a machine without a GPU, hands no numbers
    over: test_other_clients.py compares those.
    """
    with urllib.request.urlopen(address) as answer:
        described = json.load(answer)
    expected = json.loads((artifact / "open_inference.json").read_text())
    for key in ("name", "versions", "inputs", "outputs"):
        assert described[key] == expected[key]
    outputs = ask(address, **arrays)
    for name, array in load_artifact(artifact, "cpu").run(arrays).items():
        assert outputs[name]["shape"] == list(array.shape)
        assert outputs[name]["datatype"] == TYPES[str(array.dtype)]
