"""The verb stylize, on a network of features of a few weights."""

import errno
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from keras_dtl.cli import stylize
from keras_dtl.cli.command import run
from keras_dtl.images import read_image, read_profile, write_image
from keras_dtl.methods import StyleTransfer
from tests.methods.style.test_style_transfer import LAYERS, picture
from tests.networks import features


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Return a function from words to the exit status, and the folder with `style.png`."""
    monkeypatch.setattr("keras_dtl.cli.session.start_session", lambda seed: "")
    model = StyleTransfer(features(), **LAYERS, loss_scale="johnson")
    monkeypatch.setattr(stylize, "build_model", lambda arguments: model)
    write_image(tmp_path / "style.png", picture(1))
    few = ["--size", "16", "--iterations", "2"]

    def call(content, output, *words):
        names = [str(tmp_path / name) for name in (content, "style.png", output)]
        return run(stylize.Stylize, stylize.main, [*names, *few, *map(str, words)])

    return call


def save(path, picture, **options):
    path.parent.mkdir(exist_ok=True)
    picture.save(path, **options)


def test_one_image_keeps_alpha_and_profile(command, tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    alpha = np.zeros((12, 16, 1), "uint8")
    alpha[:, 8:] = 255
    pixels = np.concatenate([picture(0), alpha], axis=2)
    save(tmp_path / "content.png", Image.fromarray(pixels), icc_profile=profile)
    assert command("content.png", "out.png") == 0
    image = read_image(tmp_path / "out.png", channels=4)
    np.testing.assert_array_equal(image[..., 3:], alpha)
    assert read_profile(tmp_path / "out.png") == profile
    assert not list(tmp_path.glob(".*"))  # no state is left


@pytest.mark.parametrize(("output", "red"), [("out.png", 200), ("out.jpg", 222)])
def test_transparent_pixels_are_not_laid_over_white_twice(
    command, tmp_path, monkeypatch, output, red
):
    """Red of which 60 % are seen: kept beside its alpha, or laid over white once."""
    content = np.full((12, 16, 4), (200, 0, 0, 153), "uint8")
    save(tmp_path / "content.png", Image.fromarray(content))
    monkeypatch.setattr(StyleTransfer, "stylize", lambda self, content, **options: content)
    assert command("content.png", output) == 0
    image = read_image(tmp_path / output, channels=4)
    np.testing.assert_allclose(image[..., 0], red, atol=2)
    assert (image[..., 3] == (153 if output == "out.png" else 255)).all()


def test_pictures_of_a_folder_that_are_not_read_are_named(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(StyleTransfer, "stylize", lambda self, content, **options: content)
    save(tmp_path / "photos" / "a.png", Image.fromarray(picture(0)))
    (tmp_path / "photos" / "b.tga").write_bytes(b"")
    assert command("photos", "out") == 1
    told = capsys.readouterr().err
    assert "left out: 1 (pictures of the format TGA are not read): " in told
    assert str(tmp_path / "photos" / "b.tga") in told


def test_photo_of_a_format_that_is_not_written_becomes_png(command, tmp_path, monkeypatch):
    heif = pytest.importorskip("pillow_heif")
    monkeypatch.setattr(StyleTransfer, "stylize", lambda self, content, **options: content)
    (tmp_path / "photos").mkdir()
    heif.from_pillow(Image.fromarray(picture(0))).save(tmp_path / "photos" / "a.heic")
    assert command("photos", "out") == 0
    assert (tmp_path / "out" / "a.heic.png").is_file()


def test_folder_keeps_its_tree_and_reports_what_cannot_be_done(command, tmp_path, capsys):
    folder, rgb = tmp_path / "photos", Image.fromarray(picture(0))
    save(folder / "grey.png", rgb.convert("L"))
    save(folder / "deep.png", Image.fromarray(picture(0)[..., 0].astype("uint16") * 257))
    save(folder / "cmyk.jpg", rgb.convert("CMYK"))
    save(folder / "moving.gif", rgb, save_all=True, append_images=[rgb.rotate(180)])
    save(folder / "dot.png", rgb.resize((1, 1)))
    encoded = io.BytesIO()
    rgb.save(encoded, "PNG")
    (folder / "half.png").write_bytes(encoded.getvalue()[:200])
    assert command("photos", "out") == 1
    errors = capsys.readouterr().err
    assert errors.count("failed:") == 1 and "half.png: cannot be read" in errors
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"grey.png", "deep.png", "cmyk.jpg", "moving.gif", "dot.png"}
    first = (tmp_path / "out" / "grey.png").stat().st_mtime_ns
    assert command("photos", "out") == 2  # what is left cannot be done
    assert (tmp_path / "out" / "grey.png").stat().st_mtime_ns == first


def test_too_small_image_fails_with_its_size(command, tmp_path, capsys):
    save(tmp_path / "dot.png", Image.new("RGB", (1, 1)))
    assert command("dot.png", "out.png", "--size", "1") == 2
    assert "1x1 pixels is too small" in capsys.readouterr().err


def test_stopped_work_goes_on_with_resume_alone(command, tmp_path, monkeypatch, capsys):
    save(tmp_path / "a.png", Image.fromarray(picture(0)))
    monkeypatch.setattr("keras_dtl.methods.style.stages.SAVE_EVERY", 1)

    def stop(self, step):
        if step.iteration == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stylize.IterationLog, "__call__", stop)
        assert command("a.png", "out.png") == 130
    assert "--resume" in capsys.readouterr().out
    assert command("a.png", "out.png") == 2
    assert command("a.png", "out.png", "--resume") == 0
    assert command("a.png", "again.png") == 0
    np.testing.assert_array_equal(*(read_image(tmp_path / x) for x in ("out.png", "again.png")))


def test_styles_masks_and_snapshots(command, tmp_path):
    save(tmp_path / "a.png", Image.fromarray(picture(0)))
    for name, values in (("left", (255, 0)), ("right", (0, 255))):
        mask = np.repeat([values], 12, 0).repeat(8, 1).astype("uint8")
        save(tmp_path / f"{name}.png", Image.fromarray(mask))
    words = ["--style", tmp_path / "a.png", "--weight", 2, 1, "--snapshots", 1]
    words += ["--mask", tmp_path / "left.png", tmp_path / "right.png"]
    assert command("a.png", "out.jpg", *words) == 0
    assert {path.name for path in tmp_path.glob("out*")} == {
        *("out.jpg", "out-0001.png", "out-0002.png")
    }


def test_weights_are_normalized_by_a_folder_and_kept(tmp_path, monkeypatch):
    from keras_dtl.backbones import vgg19_features

    layers = ("conv1_1", "conv1_2")
    monkeypatch.setattr(
        "keras_dtl.backbones.vgg19_features",
        lambda weights, pooling: vgg19_features(layers, None if weights == "imagenet" else weights),
    )
    monkeypatch.setattr("keras_dtl.methods.StyleTransfer", lambda network, **words: network)
    photos = tmp_path / "photos"
    for seed in (0, 1):
        write_image(photos / f"{seed}.png", picture(seed, (256, 192)))
    words = {"content": Path("a"), "style_image": Path("b"), "output": Path("c")}
    kept = tmp_path / "kept.npz"
    network = stylize.build_model(stylize.Stylize(**words, normalize=photos, save_weights=kept))
    maps = [network(picture(seed, (256, 192))[None].astype("float32")) for seed in (0, 1)]
    for layer in layers:
        means = np.mean([x[layer].numpy().mean((0, 1, 2)) for x in maps], axis=0)
        np.testing.assert_allclose(means[means > 0], 1, rtol=1e-3)
    again = stylize.build_model(stylize.Stylize(**words, weights=str(kept)))
    for a, b in zip(again.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no images to normalize by"):
        stylize.build_model(stylize.Stylize(**words, normalize=tmp_path / "empty"))
    with pytest.raises(ValueError, match="--normalize"):
        stylize.build_model(stylize.Stylize(**words, save_weights=kept))


def test_wrong_weights_and_broken_styles_are_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("keras_dtl.cli.session.start_session", lambda seed: "")
    save(tmp_path / "a.png", Image.fromarray(picture(0)))
    (tmp_path / "broken.png").write_bytes((tmp_path / "a.png").read_bytes()[:100])
    np.savez(tmp_path / "other.npz", **{"block1_conv1/kernel": np.zeros((3, 3, 3, 32))})
    names = [str(tmp_path / name) for name in ("a.png", "broken.png", "out.png")]
    assert run(stylize.Stylize, stylize.main, names) == 2
    assert "broken.png: cannot be read" in capsys.readouterr().err
    names[1], words = names[0], ["--weights", str(tmp_path / "other.npz")]
    assert run(stylize.Stylize, stylize.main, [*names, *words]) == 2
    error = capsys.readouterr().err
    assert "does not hold the weights of VGG19" in error and error.count("\n") == 1


def test_large_and_odd_styles_are_taken(command, tmp_path):
    save(tmp_path / "a.png", Image.fromarray(picture(0)))
    wide = Image.fromarray(picture(1, (40, 90)))
    save(tmp_path / "large.png", wide)
    save(tmp_path / "cmyk.tif", wide.convert("CMYK"))
    save(tmp_path / "alpha.png", wide.convert("LA"))
    names = [tmp_path / name for name in ("large.png", "cmyk.tif", "alpha.png")]
    assert command("a.png", "out.png", "--style", *names) == 0
    assert read_image(tmp_path / "out.png").shape == (12, 16, 3)


@pytest.mark.parametrize(
    ("content", "output", "message"),
    [
        ("missing.png", "out.png", "There is no image or folder"),
        ("style.png", "out.xyz", "must end in"),
        ("style.png", "style.png", "Name another output"),
        ("style.png", "there.png", "--overwrite"),
        ("empty", "out", "holds no images"),
        ("empty", "empty/out", "lies in the folder"),
    ],
)
def test_unusable_paths_are_one_line(command, tmp_path, capsys, content, output, message):
    Path(tmp_path / "empty").mkdir()
    Path(tmp_path / "there.png").touch()
    assert command(content, output) == 2
    assert message in capsys.readouterr().err


def test_full_disk_ends_the_work_at_once(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(StyleTransfer, "stylize", lambda self, content, **options: content)
    for name in ("a.png", "b.png", "c.png"):
        save(tmp_path / "photos" / name, Image.fromarray(picture(0)))
    tried, write = [], stylize.write_image

    def write_first(path, *rest):
        tried.append(path.name)
        if len(tried) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, *rest)

    monkeypatch.setattr(stylize, "write_image", write_first)
    assert command("photos", "out") == 2
    assert tried == ["a.png", "b.png"]
    assert capsys.readouterr().err.count("No space left on device") == 1
