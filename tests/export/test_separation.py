import numpy as np
import pytest

from keras_dtl.backbones import latent_decoder, latent_encoder, pair_discriminator
from keras_dtl.cli.export import Export, draw_views, exported_part
from keras_dtl.convert import ConversionError, Options, convert_folder, load_artifact
from keras_dtl.convert.single import convert_file
from keras_dtl.export import export_model
from keras_dtl.images import read_image, write_image
from keras_dtl.methods import CGMV, SwapVAE

SHAPE = (8, 8, 1)


def swap_vae():
    networks = latent_encoder(SHAPE, 3, 2, 2), latent_decoder(SHAPE, 3, 2, 2)
    return SwapVAE(*networks, pair_discriminator(SHAPE, filters=2))


def cgmv():
    encoders = [latent_encoder(SHAPE, n, filters=2) for n in (3, 2)]
    judge = pair_discriminator(SHAPE, filters=2)
    return CGMV(encoders[0], latent_decoder(SHAPE, 3, 2, 2), judge, encoders[1])


def test_flags_choose_what_is_exported(tmp_path):
    vae, views = swap_vae(), cgmv()
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 1), dtype="uint8")
    write_image(tmp_path / "style.png", image)
    assert exported_part(vae, Export(tmp_path)) == (vae, None)
    for model, flags, task in (
        (vae, {"part": "decoder"}, "decoder"),
        (vae, {"style_of": tmp_path / "style.png"}, "image_to_image"),
        (views, {"view": 3}, "image_to_image"),
        (views, {"views": 4}, "image_to_views"),
    ):
        network, found = exported_part(model, Export(tmp_path, **flags))
        assert found == task and network.outputs[0].dtype == "uint8"


@pytest.mark.parametrize(
    ("make", "flags", "message"),
    [
        (swap_vae, {"view": 1}, "--view cannot"),
        (cgmv, {"style_of": "a.png"}, "--style-of cannot"),
        (cgmv, {"view": 1, "part": "encoder"}, "give one"),
        (swap_vae, {"views": 3}, "--views cannot"),
        (cgmv, {"views": 1}, "two views or more"),
        (cgmv, {"part": "decoder"}, "one of .'encoder', 'generator', 'view_encoder'"),
    ],
)
def test_flags_that_fit_no_network_are_refused(make, flags, message):
    with pytest.raises(ValueError, match=message):
        exported_part(make(), Export("run", **flags))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "names"),
    [(swap_vae, {"encoder", "decoder"}), (cgmv, {"encoder", "view_encoder", "generator"})],
)
def test_every_part_and_the_whole_export_with_parity(make, names, tmp_path):
    model = make()
    parts = model.parts()
    assert set(parts) == names
    for name, part in {**parts, "whole": model.deployable()}.items():
        manifest = export_model(part, tmp_path / name, task=name)
        assert {record["file"] for record in manifest.parity} >= {"1/model.onnx"}, name


@pytest.mark.slow
def test_a_folder_takes_the_style_of_one_image_and_new_views(tmp_path):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (3, *SHAPE), dtype="uint8")
    for index, image in enumerate(images):
        write_image(tmp_path / "in" / f"{index}.png", image)
    vae, views = swap_vae(), cgmv()
    networks = {"style": vae.in_style_of(images[0])}
    networks["view"] = views.in_view(np.array([0.5, -0.5], "float32"))
    for name, network in networks.items():
        export_model(network, tmp_path / name, task="image_to_image")
        convert_folder(load_artifact(tmp_path / name), tmp_path / "in", tmp_path / f"{name}_out")
        for index, expected in enumerate(np.asarray(network(images))):
            found = read_image(tmp_path / f"{name}_out" / f"{index}.png", 1)
            np.testing.assert_allclose(found.astype(int), expected, atol=1)


@pytest.mark.slow
def test_every_image_of_a_folder_gets_a_folder_of_its_views(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), dtype="uint8")
    for index, image in enumerate(images):
        write_image(tmp_path / "in" / f"{index}.png", image)
    model = cgmv()
    views = draw_views(model, 4)
    network = model.in_views(views)
    export_model(network, tmp_path / "views", task="image_to_views")
    artifact = load_artifact(tmp_path / "views")
    assert convert_folder(artifact, tmp_path / "in", tmp_path / "out").converted == 3
    for index, expected in enumerate(np.asarray(network(images))):
        folder = tmp_path / "out" / f"{index}.png"
        files = sorted(folder.iterdir())
        assert [file.name for file in files] == [f"{number:05}.png" for number in range(4)]
        found = np.stack([read_image(file, 1) for file in files])
        np.testing.assert_allclose(found.astype(int), expected, atol=1)
        one = np.asarray(model.in_view(views[2])(images[index][None]))[0]
        np.testing.assert_allclose(found[2].astype(int), one, atol=1)
    # What is there is not made again, and what is lost is.
    (tmp_path / "out/1.png/00002.png").unlink()
    again = convert_folder(artifact, tmp_path / "in", tmp_path / "out")
    assert (again.converted, again.skipped) == (1, 2)
    with pytest.raises(ConversionError, match="cannot hold 4 views"):
        convert_file(artifact, tmp_path / "in/0.png", tmp_path / "one.png", Options())
