"""Artifacts made by hand, so that nothing here needs TensorFlow."""

import dataclasses

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from keras_dtl.convert import load_artifact
from keras_dtl.files import sha256
from keras_dtl.images import write_image
from keras_dtl.manifest import Manifest, Preprocessing, Tensor, write_manifest

CLASSES = ("red", "green", "blue")


def write_artifact(folder, nodes, outputs, task, resize=None, constants=(), inputs=None, **changes):
    """Write an ONNX graph that takes uint8 RGB images, or other inputs, with its manifest."""
    size = resize or (None, None)
    inputs = inputs or (Tensor("image", "uint8", (None, *size, 3), (0.0, 255.0)),)
    values = [[_value(item) for item in tensors] for tensors in (inputs, outputs)]
    graph = helper.make_graph(nodes, "graph", *values, list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    (folder / "1").mkdir(parents=True)
    onnx.save_model(model, folder / "1" / "model.onnx")
    manifest = Manifest(
        name=folder.name,
        task=task,
        version=1,
        inputs=inputs,
        outputs=outputs,
        classes=None,
        preprocessing=Preprocessing(resize, 3),
        files={"1/model.onnx": sha256(folder / "1" / "model.onnx")},
        versions={},
        settings={},
        parity=(),
        metrics={},
        created="2030-01-01T00:00:00+00:00",
    )
    write_manifest(folder, dataclasses.replace(manifest, **changes))
    return folder


def _value(tensor):
    kind = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}[tensor.dtype]
    axes = "NVHWC" if len(tensor.shape) == 5 else "NHWC"
    sizes = [name if size is None else size for name, size in zip(axes, tensor.shape, strict=False)]
    return helper.make_tensor_value_info(tensor.name, kind, sizes)


def classifier_nodes():
    """The softmax of a tenth of the mean red, green and blue."""
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "tenth"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    constants = [
        helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2]),
        helper.make_tensor("tenth", TensorProto.FLOAT, [1], [0.1]),
    ]
    return nodes, constants


def write_classifier(folder, resize):
    nodes, constants = classifier_nodes()
    return write_artifact(
        folder,
        nodes,
        (Tensor("probabilities", "float32", (None, 3), (0.0, 1.0)),),
        "classification",
        resize=resize,
        constants=constants,
        classes=CLASSES,
    )


@pytest.fixture(scope="session")
def classifier_folder(tmp_path_factory):
    return write_classifier(tmp_path_factory.mktemp("artifacts") / "colours", (8, 8))


@pytest.fixture(scope="session")
def free_classifier(tmp_path_factory):
    """A classifier of images of any size."""
    folder = write_classifier(tmp_path_factory.mktemp("artifacts") / "free", None)
    return load_artifact(folder, device="cpu")


@pytest.fixture(scope="session")
def classifier(classifier_folder):
    return load_artifact(classifier_folder, device="cpu")


def write_negative(folder, white=255, **changes):
    """Write a generator that turns images into their negatives."""
    return write_artifact(
        folder,
        [helper.make_node("Sub", ["white", "image"], ["negative"])],
        (
            Tensor(
                "negative", "uint8", (None, *changes.get("resize", (None, None)), 3), (0.0, 255.0)
            ),
        ),
        "image_to_image",
        constants=[helper.make_tensor("white", TensorProto.UINT8, [1], [white])],
        **changes,
    )


@pytest.fixture(scope="session")
def negative(tmp_path_factory):
    """A generator whose sizes must be multiples of 4."""
    folder = write_negative(
        tmp_path_factory.mktemp("artifacts") / "negative",
        preprocessing=Preprocessing(None, 3, size_multiple=4),
    )
    return load_artifact(folder, device="cpu")


def colour(name, height=6, width=7):
    image = np.zeros((height, width, 3), np.uint8)
    image[..., CLASSES.index(name)] = 255
    return image


@pytest.fixture
def photos(tmp_path):
    """Five images in a tree, one of them truncated, and a file that is none."""
    folder = tmp_path / "photos"
    write_image(folder / "a.png", colour("red"))
    write_image(folder / "b, c.png", colour("green", 9, 5))
    write_image(folder / "sub" / "d\ne.png", colour("blue"))
    write_image(folder / "sub" / "ü.bmp", colour("blue", 20, 20))
    whole = folder / "whole.png"
    write_image(whole, np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    (folder / "truncated.png").write_bytes(whole.read_bytes()[:2000])
    whole.unlink()
    (folder / "notes.txt").write_text("no image")
    return folder
