"""What inputs of integers may hold, where the model tells: 0 and 1 alone would hide much."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_dtl.manifest import Tensor

Limits = tuple[int, int]
"""The lowest and the highest integer."""

_UNTOLD = (0, 1)  # what every table and every condition takes
_IMAGE = (0, 255)
_LARGE = 1000  # as many as ages, counts and codes are
_FREE_SIDE = 32
# Which of their inputs are indices, and which one is passed on as it is.
_LOOKUPS = {"GatherV2": 1, "ResourceGather": 1, "OneHot": 0, "DenseBincount": 0}
_PASSING = dict.fromkeys(("Cast", "ExpandDims", "Identity", "Reshape", "Squeeze"), 0)
_PASSING |= {"StridedSlice": 0, "Transpose": 0, "SelectV2": 2}  # negative indices are wrapped so
_BLIND = ("Shape", "Size", "Rank")  # to the values


def integer_limits(
    model: Any, inputs: tuple[Tensor, ...], with_floats: bool = False
) -> dict[str, Limits]:
    """Return what each input of integers, other than uint8 images, may hold, by its name.

    As an index into tables, such as those of `Embedding` or `one_hot`, what all of them hold, and
    0 and 1 where that cannot be told; other images than those of 16 bits up to 255; else what the
    model answers with finite numbers, of all that 8 or 16 bits hold, or -1000 to 1000.

    Args:
        model: A function from arrays by name of the input, such as a `Deployable`.
        inputs: Its inputs.
        with_floats: Whether inputs of floats, which are then among the answers, may be indices.
    """
    kinds = ("int", "uint", "float") if with_floats else ("int", "uint")
    asked = [item for item in inputs if item.dtype.startswith(kinds) and not item.is_image]
    if not asked:
        return {}
    sizes = _table_sizes(model, inputs)
    limits = {item.name: _limits(item, sizes[item.name]) for item in asked}
    limits = {name: pair for name, pair in limits.items() if pair is not None}
    wide = {name: pair for name, pair in limits.items() if not sizes[name]}
    limits |= dict.fromkeys(wide, _UNTOLD)
    for name, (low, high) in wide.items():
        tried = ({**limits, name: pair} for pair in ((low, high), (0, high)))
        limits = next((each for each in tried if _answers(model, inputs, each)), limits)
    return limits


def _limits(item: Tensor, sizes: list[int | None]) -> Limits | None:
    rows = min((size or 0 for size in sizes), default=0)  # 0 where one cannot be told
    if item.dtype.startswith("float"):
        return (0, rows - 1) if rows else None
    numbers = np.iinfo(item.dtype)
    if sizes:
        return (0, min(rows - 1, int(numbers.max))) if rows else _UNTOLD
    if numbers.bits <= 16:
        return int(numbers.min), int(numbers.max)
    is_image = len(item.shape) == 4 and item.shape[3] in (1, 3, 4)
    return _IMAGE if is_image else (max(-_LARGE, int(numbers.min)), _LARGE)


def _answers(model: Any, inputs: tuple[Tensor, ...], limits: dict[str, Limits]) -> bool:
    """Whether a model takes integers within limits, and answers with finite numbers."""
    random = np.random.default_rng(0)
    given = {}
    for item in inputs:
        shape = (2, *(size or _FREE_SIDE for size in item.shape[1:]))
        values = random_integers(shape, limits.get(item.name), random)
        given[item.name] = values.astype(item.dtype)
    try:
        outputs = [np.asarray(value) for value in model(given).values()]
    except (ValueError, tf.errors.OpError):
        return False
    return all(np.isfinite(value).all() for value in outputs if value.dtype.kind == "f")


def random_integers(
    shape: tuple[int, ...], limits: Limits | None, random: np.random.Generator
) -> np.ndarray:
    """Return random integers that hold the lowest and the highest, which chance might miss.

    Args:
        shape: Of the array.
        limits: The lowest and the highest, 0 and 1 where there are none.
        random: Where the numbers come from.
    """
    low, high = limits or _UNTOLD
    values = random.integers(low, high, shape, endpoint=True)
    if values.size > 1:
        values.flat[[0, -1]] = high, low
    return values


def _table_sizes(model: Any, inputs: tuple[Tensor, ...]) -> dict[str, list[int | None]]:
    """Return by name of the input the rows of each table that it, or what is made of it, indexes.

    `None` stands for a table of unknown size, or an index that was computed with.
    """
    names = [item.name for item in inputs]
    specs = [tf.TensorSpec(item.shape, item.dtype) for item in inputs]
    run = tf.function(lambda *flat: model(dict(zip(names, flat, strict=True))), autograph=False)
    graph = run.get_concrete_function(*specs).graph
    given = {id(tensor.op): name for tensor, name in zip(graph.inputs, names, strict=False)}
    sizes = {name: [] for name in names}
    for operation in graph.get_operations():
        if operation.type in _LOOKUPS:
            source, is_same = _source(operation.inputs[_LOOKUPS[operation.type]].op)
            size = _rows(operation) if is_same else None
            found = [source] if is_same else _origins(source)
            for name in {given[id(each)] for each in found if id(each) in given}:
                sizes[name].append(size)
    return sizes


def _source(operation: tf.Operation) -> tuple[tf.Operation, bool]:
    """Go back to where values come from, and say whether that is an input or a constant."""
    while operation.type in _PASSING:
        operation = operation.inputs[_PASSING[operation.type]].op
    return operation, not operation.inputs


def _origins(operation: tf.Operation) -> Iterator[tf.Operation]:
    """Yield all that the values of an operation come from."""
    waiting, seen = [operation], set()
    while waiting:
        operation = waiting.pop()
        if id(operation) not in seen and operation.type not in _BLIND:
            seen.add(id(operation))
            waiting += [tensor.op for tensor in operation.inputs]
            yield operation


def _rows(operation: tf.Operation) -> int | None:
    if operation.type == "OneHot":
        depth = tf.get_static_value(operation.inputs[1])
        return None if depth is None else int(depth)
    if operation.type == "DenseBincount":
        return operation.outputs[0].shape[-1]
    if operation.type == "ResourceGather":
        return None
    axis = tf.get_static_value(operation.inputs[2])
    shape = operation.inputs[0].shape
    return None if axis is None or shape.rank is None else shape[int(axis)]
