"""Which graph of an artifact a runtime is given, and what is known of its quality there.

What a graph of lower precision loses depends on the runtime, too: the same int8 graph may differ by
tens of decibels between two. The manifest says what was measured in which.
"""

from typing import Any

from keras_dtl.convert.runtimes.openvino_session import computes
from keras_dtl.manifest import Manifest

RUNTIMES = ("onnxruntime", "openvino")
OPENVINO_SUFFIX = ".xml"
"""Of OpenVINO's own graphs."""


class ArtifactError(ValueError):
    """A graph that cannot be opened or run; the message holds the runtime's own words."""


def graph_of(manifest: Manifest, precision: str, runtime: str = "onnxruntime") -> str:
    """Return the path of the graph of a precision, relative to the artifact.

    Args:
        manifest: Of the artifact.
        precision: Such as `"float32"`.
        runtime: One of `RUNTIMES`.

    Raises:
        ArtifactError: The artifact has none.
    """
    own = manifest.runtimes.get(runtime, {}).get(precision)
    if own is not None:
        return own["file"]
    # OpenVINO computes in half precision what is written in float32.
    if precision == "float32" or (runtime == "openvino" and precision in ("bfloat16", "float16")):
        return manifest.onnx_file
    if precision == "bfloat16":
        raise ArtifactError(
            "bfloat16 is what OpenVINO computes in: choose the device openvino with it, or another "
            "precision."
        )
    if precision not in manifest.precisions:
        offered = ", ".join(("float32", *manifest.precisions))
        raise ArtifactError(
            f"The artifact {manifest.name} holds {offered}; received precision={precision!r}. "
            f"Export it again with `--precision {precision}`, or choose another."
        )
    return manifest.precisions[precision]["file"]


def files_of(graph: str) -> list[str]:
    """Return the files of a graph: OpenVINO's own has its weights in a second one.

    Args:
        graph: Path of the graph.
    """
    stem = graph.removesuffix(OPENVINO_SUFFIX)
    return [graph] if stem == graph else [graph, f"{stem}.bin"]


def measured_quality(manifest: Manifest, precision: str, runtime: str) -> dict[str, Any] | None:
    """Return what an export measured of a graph in a runtime, or `None` where it measured nothing.

    Args:
        manifest: Of the artifact.
        precision: Such as `"int8"`.
        runtime: One of `RUNTIMES`.
    """
    if runtime != "onnxruntime":
        return manifest.runtimes.get(runtime, {}).get(precision, {}).get("quality")
    if precision == "float32":
        return {}  # every export compares it with Keras
    return manifest.precisions.get(precision, {}).get("quality")


def floats_of(manifest: Manifest, precision: str) -> str:
    """Return what OpenVINO computes in where it computes in float.

    Beside int8 that is bfloat16 where it was measured so and the processor has it.

    Args:
        manifest: Of the artifact.
        precision: Such as `"int8"`.
    """
    if precision != "int8":
        return precision
    floats = (measured_quality(manifest, precision, "openvino") or {}).get("floats")
    return "bfloat16" if floats == "bfloat16" and computes("bfloat16") else "float32"


def require_measured(manifest: Manifest, precision: str, runtime: str) -> None:
    """Refuse a graph of lower precision in a runtime that nobody has measured it in.

    Args:
        manifest: Of the artifact.
        precision: Such as `"int8"`.
        runtime: One of `RUNTIMES`.

    Raises:
        ArtifactError: Its quality there is not known.
    """
    if precision == "float32" or measured_quality(manifest, precision, runtime) is not None:
        return
    raise ArtifactError(
        f"What {precision} loses in {runtime} was never measured for the artifact "
        f"{manifest.name}. Export it again with `--precision {precision} --runtime {runtime} "
        "--calibration FOLDER`; or let `--device auto --least-quality ...` measure it on your own "
        "images; or take it as it is by `--unmeasured`."
    )
