"""An exported model, opened for inference."""

import numpy as np

from keras_dtl.images import readable_name
from keras_dtl.manifest import read_manifest, verified_file

DEVICES = ("auto", "cpu", "cuda")
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
# A search for the best algorithm at every new image size, and memory that grows in powers of
# two, are made for fixed sizes; images come in many.
_CUDA_OPTIONS = {
    "cudnn_conv_algo_search": "HEURISTIC",
    "arena_extend_strategy": "kSameAsRequested",
}
_ERRORS_ONLY = 3


class DeviceError(ValueError):
    """The device asked for cannot be used; nothing falls back to another one silently."""


class ArtifactError(ValueError):
    """An ONNX graph that cannot be opened or run; the message holds the runtime's own words."""


def load_artifact(path, device="auto", verify=True):
    """Open an exported model for inference, without TensorFlow.

    Args:
        path: The folder that `export_model` or `keras-dtl export` wrote.
        device: `"cpu"`, `"cuda"`, or `"auto"`: CUDA where it works, else the CPU.
        verify: Whether to compare the checksum of the ONNX graph.

    Returns:
        An `Artifact`.

    Raises:
        ManifestError: It is no artifact, or one that is damaged.
        DeviceError: The device cannot be used.
        ArtifactError: The runtime cannot open the graph.

    Example:

    ```python
    artifact = keras_dtl.load_artifact("exported/dann")
    probabilities = artifact(images)  # uint8 (batch, height, width, channels)
    ```
    """
    manifest = read_manifest(path)
    file = verified_file(path, manifest, manifest.onnx_file, compare=verify)
    return Artifact(manifest, _open_session(file, device))


class Artifact:
    """An exported model: arrays in, arrays out. Made by `load_artifact`.

    Args:
        manifest: Its `keras_dtl.manifest.Manifest`.
        session: An `onnxruntime.InferenceSession`.
    """

    def __init__(self, manifest, session):
        self.manifest = manifest
        self.session = session
        _check_names("inputs", manifest.inputs, session.get_inputs())
        _check_names("outputs", manifest.outputs, session.get_outputs())

    @property
    def task(self):
        """What the model does, such as `"classification"`."""
        return self.manifest.task

    @property
    def classes(self):
        """Tuple of class names in the order of the output, or `None`."""
        return self.manifest.classes

    @property
    def image_size(self):
        """`(height, width)` to resize images to, or `None` where the model takes any."""
        return self.manifest.preprocessing.resize

    @property
    def provider(self):
        """The onnxruntime provider that does the work, such as `"CPUExecutionProvider"`."""
        return self.session.get_providers()[0]

    @property
    def device(self):
        """`"cuda"` or `"cpu"`, whichever does the work."""
        return "cuda" if self.provider == _CUDA else "cpu"

    def __call__(self, inputs):
        """Run the model.

        Args:
            inputs: A dictionary of arrays by name of the input, batch first, or just the array
                where the model has one input.

        Returns:
            A dictionary of arrays by name of the output, or just the array where it has one.
        """
        outputs = self.run(inputs)
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def run(self, inputs):
        """Run the model; the same as a call, but the result is always a dictionary.

        Raises:
            ValueError: An array has another name, dtype or shape than the manifest says.
            ArtifactError: The runtime failed, for example for want of memory.
        """
        if not isinstance(inputs, dict):
            inputs = {self.manifest.inputs[0].name: inputs}
        arrays = _checked(inputs, self.manifest.inputs)
        names = [output.name for output in self.manifest.outputs]
        try:
            return dict(zip(names, self.session.run(names, arrays), strict=True))
        # The errors of onnxruntime have no base class but Exception.
        except Exception as error:
            raise ArtifactError(f"The model could not be run: {error}") from error


def _checked(inputs, tensors):
    expected = [tensor.name for tensor in tensors]
    if sorted(inputs) != sorted(expected):
        raise ValueError(f"The model takes the inputs {expected}; received {sorted(inputs)}.")
    arrays = {name: np.asarray(array) for name, array in inputs.items()}
    for tensor in tensors:
        array = arrays[tensor.name]
        if array.dtype != tensor.dtype or not _fits(array.shape, tensor.shape):
            shape = tuple("any" if size is None else size for size in tensor.shape)
            raise ValueError(
                f"Input {tensor.name!r} must be {tensor.dtype} of shape {shape}; received "
                f"{array.dtype} of shape {array.shape}."
            )
    return arrays


def _fits(shape, expected):
    return len(shape) == len(expected) and all(
        wanted in (None, size) and size > 0 for size, wanted in zip(shape, expected, strict=True)
    )


def _check_names(kind, tensors, values):
    expected, received = {item.name for item in tensors}, {value.name for value in values}
    if expected != received:
        raise ArtifactError(
            f"The ONNX graph has the {kind} {sorted(received)}, the manifest says "
            f"{sorted(expected)}. Export the model again."
        )


def _open_session(file, device):
    # Imported where a session is made, so that command lines answer at once.
    import onnxruntime

    providers = _providers(onnxruntime, device)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    # Patterns are remembered for each shape: with free image sizes memory would grow and grow.
    options.enable_mem_pattern = False
    try:
        session = onnxruntime.InferenceSession(file, options, providers=providers)
    # The errors of onnxruntime have no base class but Exception.
    except Exception as error:
        raise ArtifactError(f"{readable_name(file)} cannot be opened: {error}") from error
    session.disable_fallback()
    if device == "cuda" and session.get_providers()[0] != _CUDA:
        raise DeviceError(
            "CUDA was asked for, but onnxruntime could not load it, and its log above says why. "
            "Its CUDA and cuDNN libraries must match the wheel: below onnxruntime-gpu 1.27 CUDA "
            'is 12, from there on 13. `pip install "keras_dtl[gpu]"` installs what fits '
            "TensorFlow. Or choose the device cpu."
        )
    return session


def _providers(onnxruntime, device):
    """Return the providers to try, best first, by what the device and the wheel allow."""
    if device not in DEVICES:
        raise DeviceError(f"device must be one of {', '.join(DEVICES)}; received {device!r}.")
    offered = _CUDA in onnxruntime.get_available_providers()
    if device == "cpu" or (device == "auto" and not offered):
        return [_CPU]
    if not offered:
        raise DeviceError(
            "CUDA was asked for, but the installed onnxruntime was built without it. "
            '`pip uninstall onnxruntime`, then `pip install "keras_dtl[gpu]"`; or choose the '
            "device cpu."
        )
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    return [(_CUDA, _CUDA_OPTIONS), _CPU]
