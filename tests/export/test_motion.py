import numpy as np
import pytest

from keras_dtl import backbones
from keras_dtl.cli.export import Export, exported_part
from keras_dtl.convert import convert_folder, load_artifact
from keras_dtl.data.walker import walk, walker_skeleton
from keras_dtl.export import export_model
from keras_dtl.methods import SequenceStyleTransfer, SequentialAdversarialAutoencoder
from keras_dtl.motion import (
    features_of,
    heading,
    positions_of,
    read_bvh,
    read_motion,
    to_bvh,
    write_bvh,
)

SKELETON = walker_skeleton()
FEATURES = SKELETON.num_features
SETTINGS = {"skeleton": SKELETON.to_json(), "rate": 30.0}
SCALE = ([0.1] * FEATURES, [0.5] * FEATURES)


def transfer(kind="convolutional"):
    sizes = {"filters": 4, "kind": kind}
    return SequenceStyleTransfer(
        backbones.content_encoder(FEATURES, content=5, **sizes),
        backbones.style_encoder(FEATURES, style=3, **sizes),
        backbones.motion_decoder(FEATURES, content=5, style=3, **sizes),
        backbones.motion_critic(FEATURES, 2, 2, filters=4),
        backbones.code_classifier(5, 2, hidden=4),
        backbones.mlp((3,), (4,), 2),
        *SCALE,
    )


def autoencoder():
    networks = (
        backbones.recurrent_encoder(FEATURES, 4, 3),
        backbones.recurrent_decoder(FEATURES, 4, 5),
    )
    return SequentialAdversarialAutoencoder(
        *networks, backbones.mlp((5,), (4,), 1), *SCALE, num_classes=2
    )


def clip(path, frequency=1.0, frames=40):
    positions = walk(frequency, 0.4, 0.1, 0.2, frames=frames)
    write_bvh(path, to_bvh(positions, SKELETON, 30.0))
    return positions


def test_flags_choose_what_is_exported(tmp_path):
    model, other = transfer(), autoencoder()
    style = features_of(clip(tmp_path / "style.bvh"), SKELETON)
    assert exported_part(model, Export(tmp_path, part="transfer"), SETTINGS)[1] == "motion_style"
    assert exported_part(model, Export(tmp_path, part="encoder"), SETTINGS)[1] == "encoder"
    network, task = exported_part(other, Export(tmp_path, part="decoder"), SETTINGS)
    assert task == "decoder" and network.input_shape == (None, None, 5)
    flags = Export(tmp_path, style_of=tmp_path / "style.bvh")
    network, task = exported_part(model, flags, SETTINGS)
    motion = np.repeat(style[None], 2, 0)[:, :30]
    assert task == "motion_style"
    np.testing.assert_allclose(network(motion), model((motion, style[None])), atol=1e-4)
    with pytest.raises(ValueError, match="--style-of cannot"):
        exported_part(other, flags, SETTINGS)


def test_implicit_networks_are_exported_for_their_length(tmp_path):
    networks = (
        backbones.implicit_encoder(FEATURES, 12, 4, 3),
        backbones.implicit_decoder(FEATURES, 12, 4, 5),
    )
    model = SequentialAdversarialAutoencoder(
        *networks, backbones.mlp((5,), (4,), 1), *SCALE, num_classes=2
    )
    random = np.random.default_rng(0)
    model.prior.adapt(random.normal(size=(60, 3)) * 4, random.integers(0, 2, 60))
    export_model(model.deployable(), tmp_path / "generator", task="generator")
    artifact = load_artifact(tmp_path / "generator", device="cpu")
    noise = random.normal(size=(8, 1, 6)).repeat(12, 1).astype("float32")
    noise[..., 4:] = np.eye(2)[random.integers(0, 2, 8), None]
    np.testing.assert_allclose(artifact(noise), model.deployable()(noise), atol=1e-4)
    assert np.ptp(artifact(noise), 0).max() > 0.1
    with pytest.raises(ValueError, match="12"):
        artifact(noise[:, :9])


@pytest.mark.slow
@pytest.mark.parametrize("make", [transfer, lambda: transfer("recurrent"), autoencoder])
def test_every_part_is_exported_and_takes_any_length(make, tmp_path):
    model = make()
    for name, part in model.parts().items():
        manifest = export_model(part, tmp_path / name, task=name)
        files = {record["file"] for record in manifest.parity}
        assert files >= {"1/model.onnx", "1/saved_model.pb"}, name
        shapes = {shape for record in manifest.parity for shape in record["inputs"]}
        assert len(shapes) == 3, name  # batches of 1 and 3, two lengths
        artifact = load_artifact(tmp_path / name, device="cpu")
        random = np.random.default_rng(0)
        lengths = iter((37, 51))  # contents and styles need not be as long
        inputs = [
            random.normal(size=(2, *(next(lengths) if n is None else n for n in tensor.shape[1:])))
            for tensor in manifest.inputs
        ]
        inputs = [array.astype("float32") for array in inputs]
        named = dict(zip([tensor.name for tensor in manifest.inputs], inputs, strict=True))
        expected = part(inputs if len(inputs) > 1 else inputs[0])
        expected = list(expected.values()) if isinstance(expected, dict) else [expected]
        for found, wanted in zip(artifact.run(named).values(), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.slow
def test_a_folder_of_files_takes_the_style_of_a_clip(tmp_path):
    model = transfer()
    style = features_of(clip(tmp_path / "style.bvh", 1.3, 50), SKELETON)
    positions = clip(tmp_path / "in" / "a.bvh")
    features = features_of(positions, SKELETON)
    made = np.asarray(model((features[None], style[None])))[0]
    expected = positions_of(
        made, SKELETON, positions[0, 0, [0, 2]], heading(positions, SKELETON)[0]
    )
    # Nothing was learnt: a file holds what of it a body with stiff joints can do.
    expected = read_motion(to_bvh(expected, SKELETON, 30.0))[0]
    export_model(model, tmp_path / "two", settings=SETTINGS)
    fixed = model.in_style_of(style)
    export_model(fixed, tmp_path / "one", task="motion_style", settings=SETTINGS)
    for name, options in (("two", {"style": str(tmp_path / "style.bvh")}), ("one", {})):
        artifact = load_artifact(tmp_path / name, device="cpu")
        report = convert_folder(artifact, tmp_path / "in", tmp_path / f"{name}_out", **options)
        assert report.exit_status == 0
        found, skeleton, _ = read_motion(read_bvh(tmp_path / f"{name}_out" / "a.bvh"), SKELETON)
        np.testing.assert_allclose(found, expected, atol=0.05)
        np.testing.assert_allclose(skeleton.lengths, SKELETON.lengths, rtol=1e-6)
