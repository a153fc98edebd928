"""What a generator needs so that images beyond memory can go through it in tiles.

Two things: how far around a pixel it looks, which is how far tiles must overlap, and, where it
normalises over the whole image, a second graph that takes these statistics from outside.
"""

import dataclasses
import math

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from keras_dtl.export.onnx_fusion import remove_unused

STATISTICS, GIVEN, MEASURED = "statistics", "given", "measured"

# These leave every pixel where it is.
_POINTWISE = {
    *("Abs", "Add", "BatchNormalization", "Cast", "Clip", "Concat", "Div", "Elu", "Erf", "Exp"),
    *("Gelu", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization", "LeakyRelu"),
    *("Log", "Max", "Min", "Mul", "Neg", "PRelu", "Pad", "Pow", "Reciprocal", "Relu", "Round"),
    *("Selu", "Sigmoid", "Slice", "Softplus", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tanh"),
    *("Transpose", "Unsqueeze", "Where"),
}
_WINDOWS = ("Conv", "MaxPool", "AveragePool")


class NotLocal(Exception):
    """The graph holds an operation whose result depends on the whole image."""


@dataclasses.dataclass(frozen=True)
class Reach:
    """What one value of a graph depends on.

    Args:
        radius: How far it looks on each side, in pixels of the image.
        stride: How many pixels of the image lie between two of its own.
        channels: How many numbers it holds at each place.
    """

    radius: float
    stride: float
    channels: int


def write_tiling(folder, manifest):
    """Write what tiles need beside the ONNX graph, and check that it holds.

    Args:
        folder: The artifact, not yet published.
        manifest: Its `Manifest`.

    Returns:
        The manifest's `tiling`: `overlap`, `multiple`, `bytes_per_pixel` and the `file` of the
        second graph; `None` where the model needs whole images.
    """
    image, output = manifest.inputs[0], manifest.outputs[0]
    single = len(manifest.inputs) == len(manifest.outputs) == 1
    if not (single and image.is_image and output.is_image) or manifest.preprocessing.resize:
        return None
    model = onnx.load(folder / manifest.onnx_file)
    try:
        radius, stride, numbers = measure_reach(model, image.shape[3])
    except NotLocal:
        return None
    multiple = math.lcm(stride, manifest.preprocessing.size_multiple)
    tiling = {
        "overlap": math.ceil(radius / multiple) * multiple,
        "multiple": multiple,
        # Of float32, twice: the runtime keeps more than one operation's values.
        "bytes_per_pixel": 8 * numbers + 16,
        "file": None,
    }
    graph, length = tiled_graph(model)
    if length:
        tiling["file"] = f"{manifest.version}/model_tiles.onnx"
        tiling["statistics"] = length
        onnx.save_model(graph, folder / tiling["file"])
    if _is_seamless(model, graph, length, tiling, image.shape[3]):
        return tiling
    if length:
        (folder / tiling["file"]).unlink()
    return None


def _is_seamless(model, graph, length, tiling, channels):
    """Whether a part of an image becomes the same alone as within the whole image."""
    overlap, multiple = tiling["overlap"], tiling["multiple"]
    half = math.ceil(64 / multiple) * multiple
    shape = (1, half + overlap, half + overlap + multiple, channels)
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    part = image[:, :, : half + overlap]
    whole = _run(model, image)
    if length:
        nothing = np.zeros(length, np.float32)
        same, statistics = _run(graph, image, statistics=nothing, given=np.array(False))
        if _differ(same, whole[0]):
            return False
        tile = _run(graph, part, statistics=statistics, given=np.array(True))
    else:
        tile = _run(graph, part)
    return not _differ(tile[0][:, :, :half], whole[0][:, :, :half])


def _run(model, image, **more):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {model.graph.input[0].name: image, **more})


def _differ(one, other):
    return np.abs(one.astype(np.int16) - other).max() > 1


def measure_reach(model, image_channels):
    """Follow the image through a graph.

    Args:
        model: An `onnx.ModelProto` with one image as input and one as output.
        image_channels: Of the input.

    Returns:
        `(radius, stride, numbers)`: how far a pixel of the output looks, the largest stride
        within, and the most numbers for each pixel that an operation takes and makes.

    Raises:
        NotLocal: Its result depends on the whole image, or an operation is not known.
    """
    constants = {item.name: item for item in model.graph.initializer}
    known = {model.graph.input[0].name: Reach(0, 1, image_channels)}
    largest, numbers = 1, 0
    for node in model.graph.node:
        sources = [known[name] for name in node.input if name in known]
        # Sizes of images are no images.
        if not sources or node.op_type in ("Shape", "Size"):
            continue
        result = _through(node, sources, constants)
        known |= dict.fromkeys(node.output, result)
        largest = max(largest, result.stride)
        held = [*sources, result]
        numbers = max(numbers, sum(item.channels / item.stride**2 for item in held))
    result = known[model.graph.output[0].name]
    if result.stride != 1:
        raise NotLocal("the output has another size than the input")
    return math.ceil(result.radius), math.ceil(largest), math.ceil(numbers)


def _through(node, sources, constants):
    radius = max(source.radius for source in sources)
    stride = max(source.stride for source in sources)
    channels = max(source.channels for source in sources)
    if node.op_type in _POINTWISE:
        if node.op_type == "Concat":
            channels = sum(source.channels for source in sources)
        return Reach(radius, stride, channels)
    values = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    if node.op_type in _WINDOWS:
        return _window(node, Reach(radius, stride, channels), values, constants)
    if node.op_type == "ConvTranspose":
        kernel = constants[node.input[1]].dims
        step = max(values.get("strides", [1]))
        finer = stride / step
        return Reach(radius + max(kernel[2:]) * finer, finer, kernel[1])
    if node.op_type == "DepthToSpace":
        step = values["blocksize"]
        return Reach(radius + stride, stride / step, channels // step**2)
    if node.op_type in ("Resize", "Upsample"):
        factors = constants.get(node.input[-1] if node.op_type == "Upsample" else node.input[2])
        if factors is None:
            raise NotLocal("an image is resized by a factor that is not constant")
        factor = float(max(numpy_helper.to_array(factors)))
        return Reach(radius + 2 * stride, stride / factor, channels)
    raise NotLocal(f"{node.op_type} may look at the whole image")


def _window(node, source, values, constants):
    if node.op_type == "Conv":
        kernel = constants[node.input[1]].dims
        size, channels = kernel[2:], kernel[0]
    else:
        size, channels = values["kernel_shape"], source.channels
    dilations = values.get("dilations") or [1] * len(size)
    # All of it on one side: padding may be uneven.
    extent = max((n - 1) * d for n, d in zip(size, dilations, strict=True))
    step = max(values.get("strides", [1]))
    radius = source.radius + max(extent / 2, extent - min(values.get("pads") or [extent // 2]))
    radius = source.radius + (radius - source.radius) * source.stride
    return Reach(radius, source.stride * step, channels)


def tiled_graph(model):
    """Return a copy of a graph whose statistics can be given, and the length of their vector.

    It takes two inputs more: `statistics`, a vector of all means and then all variances, and
    `given`, whether to use it. Where it is not given they are taken of the whole batch together,
    so that a batch of parts stands for the image that they were cut from. What was used is an
    output, `measured`. Without instance normalisation there is nothing to give: the length is 0.
    """
    original, model = model, onnx.ModelProto()
    model.CopyFrom(original)
    opset = next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))
    nodes, means, variances, place = [], [], [], 0
    constants = {item.name: item for item in model.graph.initializer}
    normalizations = [node for node in model.graph.node if node.op_type == "InstanceNormalization"]
    half = sum(constants[node.input[1]].dims[0] for node in normalizations)
    for node in model.graph.node:
        if node.op_type != "InstanceNormalization":
            nodes.append(node)
            continue
        made, added = _given_normalization(node, constants, place, place + half, opset)
        nodes += made
        means.append(f"{node.output[0]}/mean_flat")
        variances.append(f"{node.output[0]}/variance_flat")
        model.graph.initializer.extend(added)
        place += constants[node.input[1]].dims[0]
    if not half:
        return model, 0
    nodes.append(helper.make_node("Concat", means + variances, [MEASURED], axis=0))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.append(numpy_helper.from_array(np.array([-1], np.int64), "flat"))
    _add_axes(model, opset)
    model.graph.input.extend(
        [
            helper.make_tensor_value_info(STATISTICS, TensorProto.FLOAT, [2 * half]),
            helper.make_tensor_value_info(GIVEN, TensorProto.BOOL, []),
        ]
    )
    model.graph.output.append(
        helper.make_tensor_value_info(MEASURED, TensorProto.FLOAT, [2 * half])
    )
    remove_unused(model.graph)
    onnx.checker.check_model(model, full_check=True)
    return model, 2 * half


def _add_axes(model, opset):
    if opset >= 18:
        axes = np.array([0, 2, 3], np.int64)
        model.graph.initializer.append(numpy_helper.from_array(axes, "pooled_axes"))


def _given_normalization(node, constants, mean_place, variance_place, opset):
    """Return the nodes and the constants of one normalisation."""
    name = node.output[0]
    channels = constants[node.input[1]].dims[0]
    epsilon = helper.get_attribute_value(node.attribute[0]) if node.attribute else 1e-5
    shape = np.array([1, channels, 1, 1], np.int64)
    added = {
        "shape": shape,
        "epsilon": np.array(epsilon, np.float32),
        "mean_from": np.array([mean_place], np.int64),
        "mean_to": np.array([mean_place + channels], np.int64),
        "variance_from": np.array([variance_place], np.int64),
        "variance_to": np.array([variance_place + channels], np.int64),
        "scale4": numpy_helper.to_array(constants[node.input[1]]).reshape(shape),
        "offset4": numpy_helper.to_array(constants[node.input[2]]).reshape(shape),
    }
    nodes = []

    def make(kind, inputs, output, **values):
        own = [key if key in _SHARED else f"{name}/{key}" for key in inputs]
        target = name if output is None else f"{name}/{output}"
        own = [node.input[0] if key == f"{name}/x" else key for key in own]
        nodes.append(helper.make_node(kind, own, [target], **values))

    def pooled(source, output):
        if opset >= 18:
            make("ReduceMean", [source, "pooled_axes"], output, keepdims=1)
        else:
            make("ReduceMean", [source], output, axes=[0, 2, 3], keepdims=1)

    def chosen(key):
        make("Slice", [STATISTICS, f"{key}_from", f"{key}_to"], f"{key}_vector")
        make("Reshape", [f"{key}_vector", "shape"], f"{key}_given")
        make("Where", [GIVEN, f"{key}_given", f"{key}_measured"], key)
        make("Reshape", [key, "flat"], f"{key}_flat")

    pooled("x", "mean_measured")
    chosen("mean")
    make("Sub", ["x", "mean"], "centred")
    make("Mul", ["centred", "centred"], "squares")
    pooled("squares", "variance_measured")
    chosen("variance")
    make("Add", ["variance", "epsilon"], "total")
    make("Sqrt", ["total"], "deviation")
    make("Div", ["scale4", "deviation"], "factor")
    make("Mul", ["centred", "factor"], "scaled")
    make("Add", ["scaled", "offset4"], None)
    tensors = [numpy_helper.from_array(value, f"{name}/{key}") for key, value in added.items()]
    return nodes, tensors


_SHARED = (STATISTICS, GIVEN, "flat", "pooled_axes")
