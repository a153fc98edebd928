"""Published weights of PyTorch in our networks: the same images come out."""

import importlib
import pickle

import numpy as np
import pytest

from keras_dtl.backbones import (
    TorchFileError,
    load_torch_weights,
    patch_discriminator,
    resnet_generator,
    torch_generator,
    unet,
)
from keras_dtl.cli.__main__ import main
from keras_dtl.convert import load_artifact
from tests.torch_files import fake_torch, state_dict, write_archive


def convolution(out, inside, side, bias, random):
    shape = (out, inside, side, side)
    arrays = {"weight": random.uniform(-0.3, 0.3, shape).astype("float32")}
    return {**arrays, "bias": np.full(out, 0.25, "float32")} if bias else arrays


def resnet_arrays(filters=4, blocks=1):
    """Return a state dict of the CycleGAN generator, as far as shapes go."""
    random, wide = np.random.default_rng(0), 4 * filters
    layers = [(filters, 3, 7), (2 * filters, filters, 3), (wide, 2 * filters, 3)]
    layers += 2 * blocks * [(wide, wide, 3)]
    layers += [(wide, 2 * filters, 3), (2 * filters, filters, 3), (3, filters, 7)]
    return {
        f"module.model.{place}.{name}": array
        for place, layer in enumerate(layers)
        for name, array in convolution(*layer, True, random).items()
    }


@pytest.fixture
def write(tmp_path, monkeypatch):
    def write(arrays):
        with monkeypatch.context() as while_writing:
            value = state_dict(arrays, *fake_torch(while_writing))
            write_archive(tmp_path / "net.pth", *value)
        return tmp_path / "net.pth"

    return write


def test_layout_is_told_by_the_file_and_kernels_are_turned(write):
    arrays = resnet_arrays()
    network = torch_generator(write(arrays))
    assert network.name == "resnet_generator"
    assert network.input_shape == (None, None, None, 3)
    first, last = network.weights[0].numpy(), network.layers[-2].get_weights()
    np.testing.assert_array_equal(first[1, 2, 0, 3], arrays["module.model.0.weight"][3, 0, 1, 2])
    np.testing.assert_array_equal(last[1], np.full(3, 0.25, "float32"))


@pytest.mark.parametrize(
    ("build", "settings", "message"),
    [
        (
            resnet_generator,
            {"filters": 8, "blocks": 1},
            r"shape \(7, 7, 3, 8\), the file \(7, 7, 3",
        ),
        (resnet_generator, {"filters": 4, "blocks": 2}, r"shape .*, the file \(3, 3, 8, 16\)"),
        (resnet_generator, {"filters": 4, "blocks": 0}, "has kernel of shape"),
        (resnet_generator, {"blocks": 1, "filters": 4, "normalization": "batch"}, "='instance'"),
        (unet, {"filters": 4}, "does not fit unet: conv"),
    ],
    ids=["filters", "deeper", "shallower", "normalization", "kind"],
)
def test_other_layouts_are_refused_and_nothing_is_changed(write, build, settings, message):
    network = build((8, 8, 3), **settings)
    before = [weight.numpy() for weight in network.weights]
    with pytest.raises(TorchFileError, match=message):
        load_torch_weights(network, write(resnet_arrays()))
    for old, new in zip(before, network.weights, strict=True):
        np.testing.assert_array_equal(old, new.numpy())


def test_a_file_of_another_network_is_told(write):
    kernel = {"a.weight": np.zeros((4, 3, 5, 5), "float32")}
    with pytest.raises(TorchFileError, match="convolution of 5x5; that of a published generator"):
        torch_generator(write(kernel))
    with pytest.raises(TorchFileError, match="holds no convolutions"):
        torch_generator(write({"a.weight": np.zeros((4, 3), "float32")}))


# With PyTorch itself, where it is installed (the extra [peers]).


def peer_of(kind, normalization, random):
    """Return a published network of PyTorch with random weights."""
    torch = pytest.importorskip("torch", reason="needs the extra [peers]")
    peers = importlib.import_module("scripts.benchmarks.torch_translation")
    peer = {
        "unet": lambda: peers.unet(3, 4, 4, normalization, 0.5),
        "resnet": lambda: peers.resnet(3, 4, 2, normalization),
        "patch": lambda: peers.patch(3, 4, 3, normalization),
    }[kind]()
    convolutions = [m for m in peer.modules() if hasattr(m, "kernel_size")]
    if normalization == "batch":  # published without biases but the last
        for module in convolutions[:-1]:
            module.bias = None
    for name, value in peer.state_dict().items():
        low = 0.5 if "running_var" in name else -0.3
        if value.is_floating_point():
            value.copy_(torch.from_numpy(random.uniform(low, low + 0.6, value.shape)))
    return torch, peer


def check(network, torch, peer, size, training):
    peer.train(training)
    for module in peer.modules():
        if isinstance(module, torch.nn.Dropout):
            module.eval()
    x = np.random.default_rng(1).uniform(-1, 1, (2, *size, 3)).astype("float32")
    with torch.no_grad():
        theirs = peer(torch.from_numpy(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(network(x, training=False).numpy(), theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("is_new", [True, False], ids=["archive", "old"])
@pytest.mark.parametrize("normalization", ["batch", "instance"])
@pytest.mark.parametrize(("kind", "size"), [("unet", (16, 32)), ("resnet", (16, 20))])
def test_generator_equals_pytorch(tmp_path, kind, size, normalization, is_new):
    torch, peer = peer_of(kind, normalization, np.random.default_rng(0))
    path = tmp_path / "latest_net_G.pth"
    torch.save(peer.state_dict(), path, _use_new_zipfile_serialization=is_new)
    check(torch_generator(path), torch, peer, size, training=False)


@pytest.mark.parametrize("normalization", ["batch", "instance"])
def test_discriminator_equals_pytorch(tmp_path, normalization):
    torch, peer = peer_of("patch", normalization, np.random.default_rng(0))
    torch.save(peer.state_dict(), tmp_path / "net.pth")
    network = patch_discriminator((40, 40, 3), filters=4, normalization=normalization)
    load_torch_weights(network, tmp_path / "net.pth")
    check(network, torch, peer, (40, 40), training=False)


def test_a_whole_module_is_refused(tmp_path):
    torch, peer = peer_of("unet", "batch", np.random.default_rng(0))
    torch.save(peer, tmp_path / "whole.pth")
    with pytest.raises(TorchFileError, match="only weights are read"):
        torch_generator(tmp_path / "whole.pth")
    with pytest.raises(pickle.UnpicklingError):  # as PyTorch itself does by now
        torch.load(tmp_path / "whole.pth", weights_only=True)


@pytest.mark.slow
def test_a_file_becomes_an_artifact(write, tmp_path, capsys):
    path, folder = write(resnet_arrays()), tmp_path / "artifact"
    assert main(["export", str(path), "--output", str(folder)]) == 0
    assert "1/model.onnx: translated within" in capsys.readouterr().out
    artifact = load_artifact(folder, "cpu")
    assert artifact(np.zeros((1, 13, 9, 3), "uint8")).shape == (1, 13, 9, 3)
    assert artifact.manifest.settings == {"weights": "net.pth"}
