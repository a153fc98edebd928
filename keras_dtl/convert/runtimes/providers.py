"""What a model is computed on; nothing falls back to something else silently."""

import dataclasses
import logging
import typing
from collections.abc import Collection

from keras_dtl.convert.runtimes import openvino_session
from keras_dtl.convert.runtimes.arena import take_one_region
from keras_dtl.convert.runtimes.openvino_session import UnfitDevice, open_openvino, version
from keras_dtl.files import FilePath

DEVICES = ("auto", "cpu", "cuda", "openvino", "openvino-provider", "tensorrt")
_ERRORS_ONLY = 3

logger = logging.getLogger("keras_dtl")


class DeviceError(ValueError):
    """The device asked for cannot be used; nothing falls back to another one silently."""


@dataclasses.dataclass(frozen=True)
class _Provider:
    name: str
    install: str  # how to get an onnxruntime that was built with it
    libraries: str  # what it needs beside


_CUDA_LIBRARIES = (
    "Its CUDA and cuDNN libraries must match the wheel: below onnxruntime-gpu 1.27 CUDA is 12, "
    'from there on 13. `pip install "keras_dtl[gpu]"` installs what fits TensorFlow.'
)
_GPU = '`pip uninstall onnxruntime`, then `pip install "keras_dtl[gpu]"`'
_OPENVINO = "`pip uninstall onnxruntime`, then `pip install onnxruntime-openvino`"
_PROVIDERS = {
    "cpu": _Provider("CPUExecutionProvider", "`pip install onnxruntime`", ""),
    "cuda": _Provider("CUDAExecutionProvider", _GPU, _CUDA_LIBRARIES),
    "openvino-provider": _Provider(
        "OpenVINOExecutionProvider", _OPENVINO, "`pip install openvino` of a fitting version."
    ),
    "tensorrt": _Provider(
        "TensorrtExecutionProvider", _GPU, "`pip install tensorrt`. " + _CUDA_LIBRARIES
    ),
}
_BEST_FIRST = ("cuda", "openvino-provider", "cpu")  # TensorRT builds for minutes: by choice only


class Session(typing.NamedTuple):
    """Settings of a session.

    Args:
        device: One of `DEVICES`.
        threads: Of the CPU that work on one operation; all by default.
        gpu_memory: Bytes of GPU memory that may be taken; all by default.
        floats: What OpenVINO computes in where it does not in int8; onnxruntime does as the graph
            says.
        unmeasured: Whether to take graphs in runtimes in which nobody measured them.
    """

    device: str = "auto"
    threads: int | None = None
    gpu_memory: int | None = None
    floats: str = "float32"
    unmeasured: bool = False


def runtime_of(device: str) -> str:
    """Return what computes on a device: `"openvino"` or `"onnxruntime"`.

    Args:
        device: One of `DEVICES`.
    """
    return "openvino" if device == "openvino" else "onnxruntime"


def device_of(provider: str) -> str:
    """Return the device that a provider of onnxruntime computes on.

    Args:
        provider: Such as `"CPUExecutionProvider"`.
    """
    if provider == openvino_session.PROVIDER:
        return "openvino"
    return next((name for name, known in _PROVIDERS.items() if known.name == provider), provider)


def open_session(
    file: FilePath, settings: Session, names: Collection[str] = (), any_size: bool = False
) -> typing.Any:
    """Open a graph on the device that was asked for, or on none.

    Args:
        file: Path of the graph.
        settings: A `Session`.
        names: What its inputs and outputs are called.
        any_size: Whether images of any size go through it, so that memory matters.

    Raises:
        DeviceError: The device cannot be used.
        Exception: Whatever the runtime raises where it cannot open the graph.
    """
    if settings.device == "openvino":
        return _open_openvino(file, settings, names)
    return _open_onnxruntime(file, settings, any_size)


def offered_gpu() -> bool:
    """Whether the installed onnxruntime was built for a GPU, or has OpenVINO's provider."""
    import onnxruntime

    others = {known.name for name, known in _PROVIDERS.items() if name != "cpu"}
    return bool(others.intersection(onnxruntime.get_available_providers()))


def _open_openvino(file, settings, names):
    if version("onnxruntime-openvino") is not None:
        logger.warning(
            "The device openvino is the package openvino. The provider of onnxruntime-openvino, "
            "which bore this name before, is the device openvino-provider."
        )
    try:
        return open_openvino(file, settings.floats, settings.threads, names)
    except UnfitDevice as error:
        raise DeviceError(str(error)) from error


def _open_onnxruntime(file, settings, any_size):
    # Imported where a session is made, so that command lines answer at once.
    import onnxruntime

    device = _chosen(onnxruntime, settings.device)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    # Patterns are remembered for each shape: with free image sizes memory would grow and grow.
    options.enable_mem_pattern = False
    # Threads that wait for work by spinning take the cores on which images are read and written.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if settings.threads:
        options.intra_op_num_threads = settings.threads
    if any_size and device == "cpu":
        take_one_region(options)
    if device in ("cuda", "tensorrt"):
        onnxruntime.preload_dlls()
    session = onnxruntime.InferenceSession(
        file, options, providers=_providers(device, settings.gpu_memory)
    )
    session.disable_fallback()
    wanted = _PROVIDERS[device]
    if settings.device not in ("auto", "cpu") and session.get_providers()[0] != wanted.name:
        raise DeviceError(
            f"{device} was asked for, but onnxruntime could not load it, and its log above says "
            f"why. {wanted.libraries} Or choose the device cpu."
        )
    return session


def _chosen(onnxruntime, device):
    """Return the device to try, by what is asked for and what the wheel was built with."""
    if device not in DEVICES:
        raise DeviceError(f"device must be one of {', '.join(DEVICES)}; received {device!r}.")
    offered = onnxruntime.get_available_providers()
    if device == "auto":
        return next(
            name
            for name in _BEST_FIRST
            if _PROVIDERS[name].name in [*offered, "CPUExecutionProvider"]
        )
    if _PROVIDERS[device].name not in offered:
        raise DeviceError(
            f"{device} was asked for, but the installed onnxruntime was built without it. "
            f"{_PROVIDERS[device].install}; or choose the device cpu."
        )
    return device


def _providers(device, gpu_memory):
    """Return the providers of a session, best first; what the best cannot do the CPU does."""
    # A search for the best algorithm at every new image size, and memory that grows in powers
    # of two, are made for fixed sizes; images come in many.
    cuda = {
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
    }
    if gpu_memory:
        cuda["gpu_mem_limit"] = str(gpu_memory)
    cpu = _PROVIDERS["cpu"].name
    chain = {
        "cpu": [cpu],
        "cuda": [(_PROVIDERS["cuda"].name, cuda), cpu],
        "tensorrt": [_PROVIDERS["tensorrt"].name, (_PROVIDERS["cuda"].name, cuda), cpu],
        "openvino-provider": [_PROVIDERS["openvino-provider"].name, cpu],
    }
    return chain[device]
