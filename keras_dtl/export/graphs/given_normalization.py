"""An instance normalisation whose statistics can be given, as nodes of an ONNX graph."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from keras_dtl.export.graphs.graph import GraphIndex, attributes
from keras_dtl.layers.instance_normalization import EVEN

STATISTICS, GIVEN, INNER = "statistics", "given", "inner"
MEASURED, USED = "measured", "used"
_LEAST_VARIANCE = 1 / 16
"""What is left at least of a variance of the batch's own, whatever is added to it."""
_INTEGERS = {
    "flat": [-1],
    "sides": [2, 3],
    "row_axes": [3],
    "pooled_axes": [0, 2],
    "from_height": [1],
    "from_width": [3],
    "first": [0],
    "second": [2],
    "last": [4],
}
_SIZES = "image_sizes"
_SHARED = (STATISTICS, GIVEN, INNER, _SIZES, *_INTEGERS)


def shared_nodes(image: str) -> tuple[list[onnx.NodeProto], list[TensorProto]]:
    """Return the nodes and the constants that all normalisations of one graph use.

    Args:
        image: Name of the graph's input, a batch of images with their channels last.
    """
    nodes = [
        helper.make_node("Shape", [image], ["image_shape"]),
        helper.make_node("Slice", ["image_shape", "from_height", "from_width"], ["image_size"]),
        helper.make_node("Concat", ["image_size", "image_size"], [_SIZES], axis=0),
    ]
    arrays = {name: np.array(values, np.int64) for name, values in _INTEGERS.items()}
    return nodes, [numpy_helper.from_array(array, name) for name, array in arrays.items()]


class GivenNormalization:
    """The nodes in place of one `InstanceNormalization`.

    Args:
        index: Of the graph.
        node: The node that is replaced.
        opset: Version of the graph's operators.
    """

    def __init__(self, index: GraphIndex, node: onnx.NodeProto, opset: int):
        self.node, self.opset, self.name = node, opset, node.output[0]
        self.scale, self.offset = (index.constant(name) for name in node.input[1:])
        self.nodes: list[onnx.NodeProto] = []

    def build(
        self, mean_place: int, variance_place: int
    ) -> tuple[list[onnx.NodeProto], list[TensorProto]]:
        """Return the nodes and their constants.

        Args:
            mean_place: Where its means begin in the vector of statistics.
            variance_place: Where its variances begin.
        """
        self._bound()
        self._mean()
        self._variance()
        self._scale()
        constants = self._constants({"mean": mean_place, "variance": variance_place})
        named = {f"{self.name}/{key}": value for key, value in constants.items()}
        return self.nodes, [numpy_helper.from_array(value, key) for key, value in named.items()]

    def statistics(self, output: str) -> tuple[str, str]:
        """Return the names of the vectors of means and of variances.

        Args:
            output: `MEASURED` or `USED`.
        """
        return f"{self.name}/mean_{output}", f"{self.name}/variance_{output}"

    def _make(self, kind: str, inputs: list[str], output: str | None, **values: Any) -> None:
        own = [key if key in _SHARED else f"{self.name}/{key}" for key in inputs]
        own = [self.node.input[0] if key == f"{self.name}/x" else key for key in own]
        target = self.name if output is None else f"{self.name}/{output}"
        self.nodes.append(helper.make_node(kind, own, [target], **values))

    def _bound(self) -> None:
        """Find where the inner part of the images lies in this layer's maps."""
        self._make("Shape", ["x"], "x_shape")
        self._make("Slice", ["x_shape", "second", "last"], "x_size")
        self._make("Concat", ["x_size", "x_size"], "x_sizes", axis=0)
        self._make("Mul", [INNER, "x_sizes"], "inner_scaled")
        self._make("Div", ["inner_scaled", _SIZES], "inner_here")
        self._make("Slice", ["inner_here", "first", "second"], "inner_from")
        self._make("Slice", ["inner_here", "second", "last"], "inner_to")

    def _mean(self) -> None:
        self._cut("x", "x_inner")
        # Sums in float32 lose some of an even plane's mean; they lose little of what is left.
        self._pool("x_inner", "mean_first")
        self._make("Sub", ["x_inner", "mean_first"], "x_rest")
        self._pool("x_rest", "mean_rest")
        self._make("Add", ["mean_first", "mean_rest"], "mean_pooled")
        self._move("mean")
        self._choose("mean", "mean_added")

    def _variance(self) -> None:
        self._make("Sub", ["x", "mean"], "centred")
        self._cut("centred", "centred_inner")
        self._make("Mul", ["centred_inner", "centred_inner"], "squares")
        self._pool("squares", "variance_pooled")
        self._move("variance")
        self._make("Mul", ["variance_pooled", "least"], "variance_least")
        self._make("Max", ["variance_added", "variance_least"], "variance_moved")
        self._choose("variance", "variance_moved")

    def _scale(self) -> None:
        self._make("Add", ["variance", "epsilon"], "total")
        self._make("Sqrt", ["total"], "deviation")
        self._make("Div", ["own_scale", "deviation"], "some_factor")
        self._make("Mul", ["mean", "even"], "rounding")
        self._make("Mul", ["rounding", "rounding"], "rounding_variance")
        self._make("Greater", ["variance", "rounding_variance"], "is_uneven")
        self._make("Where", ["is_uneven", "some_factor", "nothing"], "factor")
        self._make("Mul", ["centred", "factor"], "scaled")
        self._make("Add", ["scaled", "own_offset"], None)

    def _cut(self, source: str, output: str) -> None:
        self._make("Slice", [source, "inner_from", "inner_to", "sides"], output)

    def _pool(self, source: str, output: str) -> None:
        # The width first: a whole plane is too many numbers for one sum in float32.
        self._take_mean(source, f"{output}_rows", "row_axes")
        self._take_mean(f"{output}_rows", output, "pooled_axes")

    def _take_mean(self, source: str, output: str, axes: str) -> None:
        if self.opset >= 18:
            self._make("ReduceMean", [source, axes], output, keepdims=1)
        else:
            self._make("ReduceMean", [source], output, keepdims=1, axes=_INTEGERS[axes])

    def _move(self, key: str) -> None:
        """Add what the graph is told to what it finds."""
        self._make("Slice", [STATISTICS, f"{key}_from", f"{key}_to"], f"{key}_vector")
        self._make("Reshape", [f"{key}_vector", "shape"], f"{key}_given")
        self._make("Add", [f"{key}_pooled", f"{key}_given"], f"{key}_added")
        self._make("Reshape", [f"{key}_pooled", "flat"], f"{key}_{MEASURED}")

    def _choose(self, key: str, moved: str) -> None:
        self._make("Where", [GIVEN, f"{key}_given", moved], key)
        self._make("Reshape", [key, "flat"], f"{key}_{USED}")

    def _constants(self, places: dict[str, int]) -> dict[str, np.ndarray]:
        shape = np.array([1, len(self.scale), 1, 1], np.int64)
        ends = {key: place + len(self.scale) for key, place in places.items()}
        return {
            "shape": shape,
            "epsilon": np.array(attributes(self.node).get("epsilon", 1e-5), np.float32),
            "even": np.array(EVEN, np.float32),
            "nothing": np.array(0, np.float32),
            "least": np.array(_LEAST_VARIANCE, np.float32),
            "own_scale": self.scale.reshape(shape),
            "own_offset": self.offset.reshape(shape),
            **{f"{key}_from": np.array([place], np.int64) for key, place in places.items()},
            **{f"{key}_to": np.array([place], np.int64) for key, place in ends.items()},
        }
