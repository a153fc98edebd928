"""An exported model, opened for inference."""

import typing
from typing import Any

import numpy as np

from keras_dtl.addresses import find_artifact
from keras_dtl.convert.runtimes.feeds import check_inputs, check_names
from keras_dtl.convert.runtimes.graph_file import refuse_external_data
from keras_dtl.convert.runtimes.graphs import (
    OPENVINO_SUFFIX,
    ArtifactError,
    files_of,
    floats_of,
    graph_of,
    measured_quality,
    require_measured,
)
from keras_dtl.convert.runtimes.providers import (
    DEVICES,
    DeviceError,
    Session,
    device_of,
    open_session,
    runtime_of,
)
from keras_dtl.files import FilePath, open_regular, readable_name
from keras_dtl.manifest import Manifest, read_manifest, verify_file

__all__ = ["DEVICES", "Artifact", "ArtifactError", "DeviceError", "load_artifact"]


def load_artifact(
    path: FilePath,
    device: str = "auto",
    verify: bool = True,
    *,
    precision: str = "float32",
    threads: int | None = None,
    gpu_memory: int | None = None,
    unmeasured: bool = False,
) -> "Artifact":
    """Open an exported model for inference, without TensorFlow.

    Args:
        path: The folder that `export_model` or `keras-dtl export` wrote; a name, looked for in
            `exported/` and among what comes with the package, such as `"starry-night"`; or
            `"hf://OWNER/NAME[@REVISION]"`, which needs the extra `[hub]`.
        device: `"cpu"`, `"cuda"` and `"tensorrt"` are onnxruntime's, `"openvino"` is the package of
            that name on the CPU, `"openvino-provider"` what `onnxruntime-openvino` offers. `"auto"`
            is CUDA where it works, else that provider, else the CPU. Of a device that is named
            nothing falls back to another.
        verify: Whether to compare the checksum of the graph.
        precision: `"float32"`, `"bfloat16"` (OpenVINO), `"float16"`, `"int8"`, or `"auto"`: float16
            on a GPU where the artifact has it, else float32.
        threads: CPU threads that work on one operation; all by default.
        gpu_memory: Bytes of GPU memory that may be taken; all by default.
        unmeasured: Whether to take a graph in a runtime in which its quality was never measured.

    Returns:
        An `Artifact`.

    Raises:
        ManifestError: It is no artifact, or one that is damaged.
        HubError: The hub cannot be reached, or holds no such artifact.
        DeviceError: The device cannot be used.
        ArtifactError: The runtime cannot open the graph, or the artifact lacks the precision, or
            nobody knows what it loses in this runtime.

    Example:

    ```text
    artifact = keras_dtl.load_artifact("exported/dann")  # what `keras-dtl train dann` wrote
    images = np.zeros((4, 32, 32, 3), "uint8")  # (batch, height, width, channels)
    probabilities = artifact(images)  # float32 (4, classes)
    ```
    """
    path = find_artifact(path)
    manifest = read_manifest(path)
    chosen = "float32" if precision == "auto" else precision
    floats = floats_of(manifest, chosen) if device == "openvino" else "float32"
    settings = Session(device, threads, gpu_memory, floats, unmeasured)
    graph = graph_of(manifest, chosen, runtime_of(device))
    if not unmeasured:
        require_measured(manifest, chosen, runtime_of(device))
    session = _open(path, manifest, graph, settings, verify)
    has_half = "float16" in manifest.precisions
    if precision == "auto" and has_half and session.get_providers()[0] in _GPU_PROVIDERS:
        chosen = "float16"
        graph = graph_of(manifest, chosen)
        session = _open(path, manifest, graph, settings, verify)
    artifact = Artifact(manifest, session, path, settings, chosen)
    if not unmeasured and artifact.runtime == "openvino":
        _compare(artifact, graph)
    return artifact


def _compare(artifact, graph):
    """Refuse a float32 graph that OpenVINO computes something else of, looking once a machine."""
    # Imported where it is needed: most conversions have nothing to compare.
    from keras_dtl.convert.runtimes.agreement import is_known_to_agree, require_agreement

    if artifact.precision != "float32" or is_known_to_agree(artifact.checksum):
        return
    settings = Session("cpu", artifact.settings.threads)
    reference = _open(artifact.path, artifact.manifest, graph, settings, verify=False)
    require_agreement(artifact.manifest, artifact.session, reference, artifact.checksum)


_GPU_PROVIDERS = ("CUDAExecutionProvider", "TensorrtExecutionProvider")


def _open(folder, manifest, name, settings, verify=True):
    file, *_ = [verify_file(folder, manifest, one, compare=verify) for one in files_of(name)]
    names = {tensor.name for tensor in (*manifest.inputs, *manifest.outputs)}
    try:
        if file.suffix != OPENVINO_SUFFIX:
            with open_regular(file) as graph:
                refuse_external_data(graph)
        return open_session(file, settings, names, manifest.tiling is not None)
    except DeviceError:
        raise
    # The errors of onnxruntime have no base class but Exception.
    except Exception as error:
        raise ArtifactError(f"{readable_name(file)} cannot be opened: {error}") from error


class Artifact:
    """An exported model: arrays in, arrays out. Made by `load_artifact`.

    Args:
        manifest: Its `keras_dtl.manifest.Manifest`.
        session: An `onnxruntime.InferenceSession`.
        path: The folder.
        settings: The `Session` that the session was opened by.
        precision: Of the graph, such as `"float32"`.
    """

    def __init__(
        self,
        manifest: Manifest,
        session: typing.Any,
        path: FilePath | None = None,
        settings: Session | None = None,
        precision: str = "float32",
    ):
        self.manifest = manifest
        self.session = session
        self.path = path
        self.settings = settings
        self.precision = precision
        check_names("inputs", manifest.inputs, session.get_inputs())
        check_names("outputs", manifest.outputs, session.get_outputs())

    def __repr__(self):
        classes = f", {len(self.classes)} classes" if self.classes else ""
        return (
            f"<Artifact {self.manifest.name}: {self.task}{classes}, {self.precision} on "
            f"{self.device}>"
        )

    @property
    def task(self) -> str:
        """What the model does, such as `"classification"`."""
        return self.manifest.task

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Tuple of class names in the order of the output, or `None`."""
        return self.manifest.classes

    @property
    def image_size(self) -> tuple[int, int] | None:
        """`(height, width)` to resize images to, or `None` where the model takes any."""
        return self.manifest.preprocessing.resize

    @property
    def provider(self) -> str:
        """The onnxruntime provider that does the work, such as `"CPUExecutionProvider"`."""
        return self.session.get_providers()[0]

    @property
    def device(self) -> str:
        """What does the work, such as `"cuda"` or `"cpu"`."""
        return device_of(self.provider)

    @property
    def runtime(self) -> str:
        """The library that does the work: `"onnxruntime"` or `"openvino"`."""
        return runtime_of(self.device)

    @property
    def quality(self) -> dict[str, Any] | None:
        """What was measured of this graph in this runtime, or `None` where nothing was."""
        return measured_quality(self.manifest, self.precision, self.runtime)

    @property
    def checksum(self) -> str:
        """SHA-256 of the graph, as the manifest says."""
        return self.manifest.files[graph_of(self.manifest, self.precision, self.runtime)]

    @property
    def key(self) -> str:
        """A text that is another one where the numbers that come out are.

        Runtimes agree in float32, and differ in everything else.
        """
        if self.runtime == "onnxruntime" or self.precision == "float32":
            return self.checksum
        return f"{self.checksum} {self.precision} {self.runtime}"

    def open_graph(self, name: str) -> typing.Any:
        """Open another graph of the artifact in the same way, and return its session.

        Args:
            name: Path of the graph, relative to the artifact.

        Returns:
            An `onnxruntime.InferenceSession`.
        """
        return _open(self.path, self.manifest, name, self.settings)

    def __call__(self, inputs: np.ndarray | dict[str, np.ndarray]) -> np.ndarray | Any:
        """Run the model.

        Args:
            inputs: A dictionary of arrays by name of the input, batch first, or just the array
                where the model has one input. Images of any size, where the model takes any: what
                is missing to a multiple that it needs is mirrored, and cut off again.

        Returns:
            A dictionary of arrays by name of the output, or just the array where it has one.
        """
        outputs = self.run(inputs)
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def run(self, inputs: np.ndarray | dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the model; the same as a call, but the result is always a dictionary.

        Args:
            inputs: As in a call.

        Raises:
            ValueError: An array has another name, dtype or shape than the manifest says.
            ArtifactError: The runtime failed, for example for want of memory.
        """
        if not isinstance(inputs, dict):
            inputs = {self.manifest.inputs[0].name: inputs}
        arrays = check_inputs(inputs, self.manifest.inputs)
        preprocessing = self.manifest.preprocessing
        if preprocessing.takes_any_size:
            return self._run(arrays)
        images = self.manifest.inputs[0].name
        height, width = arrays[images].shape[1:3]
        arrays[images] = enlarge_by_mirroring(
            arrays[images], preprocessing.size_multiple, preprocessing.least_size
        )
        outputs = self._run(arrays)
        for tensor in self.manifest.outputs:
            if tensor.shape[1:3] == (None, None):
                outputs[tensor.name] = outputs[tensor.name][:, :height, :width]
        return outputs

    def _run(self, arrays):
        names = [output.name for output in self.manifest.outputs]
        try:
            return dict(zip(names, self.session.run(names, arrays), strict=True))
        # The errors of onnxruntime have no base class but Exception.
        except Exception as error:
            raise ArtifactError(f"The model could not be run: {error}") from error


def enlarge_by_mirroring(images: np.ndarray, multiple: int, least: int = 1) -> np.ndarray:
    """Return images `(..., height, width, channels)`, enlarged to multiples below and at the right.

    What is added is the mirrored edge, so that no border shows where it is cut off again.

    Args:
        images: An array `(..., height, width, channels)`.
        multiple: Of which height and width shall be multiples, 1 or more.
        least: A multiple of it that they shall reach, or 1.
    """
    sizes = images.shape[-3:-1]
    missing = [(0, int(max(-size % multiple, least - size))) for size in sizes]
    if missing == [(0, 0), (0, 0)]:
        return images
    return np.pad(images, [(0, 0)] * (images.ndim - 3) + [*missing, (0, 0)], mode="reflect")
