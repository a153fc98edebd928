"""Reading, finding, resizing and writing image files."""

import io
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from keras_dtl.files import readable_name
from keras_dtl.images import (
    ImageError,
    find_images,
    read_image,
    read_profile,
    resize_image,
    writable_suffixes,
    write_image,
)
from keras_dtl.images.formats import DECODERS, Decoder

LEFT_RED = np.zeros((4, 6, 3), np.uint8)
LEFT_RED[:, :3, 0] = 255  # red left of black


def encode(picture, suffix="PNG", **options):
    file = io.BytesIO()
    picture.save(file, suffix, **options)
    return file.getvalue()


def test_read_image_returns_rgb_of_path_and_bytes(tmp_path):
    Image.fromarray(LEFT_RED).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, LEFT_RED)
    np.testing.assert_array_equal(read_image((tmp_path / "a.png").read_bytes()), LEFT_RED)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "YCbCr", "LAB"]
)
def test_read_image_gives_asked_channels_of_every_mode(mode, channels):
    grey = Image.fromarray(np.full((3, 5), 255, np.uint8))
    if mode == "I;16":
        picture = Image.fromarray(np.full((3, 5), 65535, np.uint16))
    else:
        picture = grey.convert("RGB").convert(mode)
    image = read_image(encode(picture, "TIFF"), channels)
    assert image.shape == (3, 5, channels)
    np.testing.assert_allclose(image, 255, atol=1 if mode == "LAB" else 0)


def test_read_image_scales_16_bit_grey():
    deep = np.array([[0, 257, 32768, 65535]], np.uint16)
    image = read_image(encode(Image.fromarray(deep)), channels=1)
    np.testing.assert_array_equal(image[0, :, 0], [0, 1, 128, 255])


def test_read_image_refuses_pixels_of_unknown_range():
    for values in (np.ones((2, 2), np.float32), np.full((2, 2), 10**6, np.int32)):
        with pytest.raises(ImageError, match="range is not known"):
            read_image(encode(Image.fromarray(values), "TIFF"))


def test_read_image_lays_alpha_over_white():
    picture = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    picture.putpixel((1, 0), (10, 20, 30, 255))
    np.testing.assert_array_equal(read_image(encode(picture))[0], [[255] * 3, [10, 20, 30]])
    assert read_image(encode(picture), channels=1)[0, 0, 0] == 255
    np.testing.assert_array_equal(read_image(encode(picture), channels=4)[0, 0], [0, 0, 0, 0])


def test_read_image_lays_transparent_palette_colour_over_white():
    picture = Image.new("P", (2, 1))
    picture.putpalette([0, 0, 0, 9, 9, 9])
    picture.putpixel((1, 0), 1)
    image = read_image(encode(picture, transparency=0))
    np.testing.assert_array_equal(image[0], [[255] * 3, [9] * 3])


def test_read_image_converts_cmyk():
    picture = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red = read_image(encode(picture, "JPEG", quality=100))[0, 0].astype(int)
    assert np.abs(red - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize("suffix", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_read_image_applies_exif_orientation(suffix, orientation):
    # How the camera's pixels must lie so that the picture is upright once turned back.
    stored = {
        1: LEFT_RED,
        2: LEFT_RED[:, ::-1],
        3: LEFT_RED[::-1, ::-1],
        4: LEFT_RED[::-1],
        5: LEFT_RED.transpose(1, 0, 2),
        6: np.rot90(LEFT_RED, 1),
        7: np.rot90(LEFT_RED, 2).transpose(1, 0, 2),
        8: np.rot90(LEFT_RED, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}.get(suffix, {})
    encoded = encode(Image.fromarray(np.ascontiguousarray(stored)), suffix, exif=exif, **options)
    image = read_image(encoded)
    assert image.shape == LEFT_RED.shape
    assert image[:, 0, 0].min() > 200
    assert image[:, -1, 0].max() < 60


def test_read_image_survives_damaged_exif():
    encoded = encode(Image.fromarray(LEFT_RED), exif=b"Exif\0\0garbage garbage garbage")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*EXIF.*")
        assert read_image(encoded).shape == LEFT_RED.shape


def test_read_image_takes_first_frame_of_animation():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for suffix in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if suffix == "WEBP" else {}
        encoded = encode(frames[0], suffix, save_all=True, append_images=frames[1:], **options)
        np.testing.assert_array_equal(read_image(encoded)[0, 0], [255, 0, 0])


@pytest.mark.parametrize(
    "data", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"P6"]
)
def test_read_image_reports_what_is_no_image(data):
    with pytest.raises(ImageError, match=r"cannot be read as an image: ."):
        read_image(data)


@pytest.mark.parametrize("suffix", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_read_image_reports_truncated_files(suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    encoded = encode(Image.fromarray(noise), suffix)
    with pytest.raises(ImageError):
        read_image(encoded[: len(encoded) // 2])


def test_read_image_names_the_file_and_the_reason(tmp_path):
    with pytest.raises(ImageError, match=r"missing\.jpg: cannot be read .* No such file"):
        read_image(tmp_path / "missing.jpg")
    (tmp_path / "folder.jpg").mkdir()
    with pytest.raises(ImageError, match=r"Is a directory|Permission"):
        read_image(tmp_path / "folder.jpg")


def test_read_image_refuses_decompression_bombs():
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    bomb = io.BytesIO()
    bomb.write(b"\x89PNG\r\n\x1a\n")
    PngImagePlugin.putchunk(bomb, b"IHDR", header)
    PngImagePlugin.putchunk(bomb, b"IDAT", b"\0" * 10)
    PngImagePlugin.putchunk(bomb, b"IEND", b"")
    with pytest.raises(ImageError, match="exceed the limit"):
        read_image(bomb.getvalue())


def test_read_image_runs_no_other_decoder():
    with pytest.raises(ImageError, match="not one of the formats"):
        read_image(encode(Image.fromarray(LEFT_RED), "ICO"))


def test_limit_of_pixels_is_that_of_the_call_and_not_of_the_process(monkeypatch):
    """Neither an error, from twice Pillow's own limit on, nor a warning, which tests forbid.

    TIFF and WebP are the exceptions: their decoders in Pillow ask for its limit once more.
    """
    for limit in (LEFT_RED.shape[0] * LEFT_RED.shape[1] - 1, 2):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        for suffix in DECODERS.keys() - {"TIFF", "WEBP", "HEIC"}:
            assert read_image(encode(Image.fromarray(LEFT_RED), suffix)).shape == LEFT_RED.shape
    with pytest.raises(ImageError, match="6 x 4 pixels exceed the limit of 23"):
        read_image(encode(Image.fromarray(LEFT_RED)), max_pixels=23)


def test_a_format_that_can_only_be_read_is_one_line(tmp_path, monkeypatch):
    icon = encode(Image.new("RGB", (16, 16), "red"), "ICO")
    (tmp_path / "a.ico").write_bytes(icon)
    assert find_images(tmp_path) == []
    row = Decoder((".ico",), rb"\x00\x00\x01\x00", ("PIL.IcoImagePlugin", "IcoImageFile"))
    monkeypatch.setitem(DECODERS, "ICO", row)
    assert find_images(tmp_path) == [tmp_path / "a.ico"]
    np.testing.assert_array_equal(read_image(tmp_path / "a.ico")[0, 0], [255, 0, 0])
    assert ".ico" not in writable_suffixes()
    with pytest.raises(ValueError, match=r"cannot be written with the suffix '\.ico'"):
        write_image(tmp_path / "b.ico", LEFT_RED)


def test_pictures_of_a_camera_open_as_their_first_image():
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    image = read_image(encode(first, "MPO", save_all=True, append_images=[second], quality=100))
    assert np.abs(image.astype(int) - [255, 0, 0]).max() < 5


def test_read_image_refuses_other_channels():
    with pytest.raises(ValueError, match=r"must be 1, 3 or 4; received 2"):
        read_image(encode(Image.fromarray(LEFT_RED)), channels=2)


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")
def test_read_image_closes_files(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Image.fromarray(LEFT_RED).save(tmp_path / "whole.png")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        read_image(tmp_path / "whole.png")
        with pytest.raises(ImageError):
            read_image(tmp_path / "broken.png")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


SEEDS = [
    encode(Image.fromarray(LEFT_RED), suffix)
    for suffix in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM")
]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=8),
    end=st.integers(0, 2000),
)
def test_read_image_raises_only_image_error_on_damaged_bytes(seed, edits, end):
    data = bytearray(seed[: max(1, end)])
    for place, value in edits:
        data[place % len(data)] = value
    try:
        image = read_image(bytes(data))
    except ImageError:
        return
    assert image.dtype == np.uint8
    assert image.ndim == 3


def test_find_images_sorts_and_leaves_out_what_is_hidden_or_no_image(tmp_path):
    for name in ("b.PNG", "a.jpg", "sub/c.webp", ".hidden.png", ".git/d.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    names = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert names == ["a.jpg", "b.PNG", "sub/c.webp"]
    assert [path.name for path in find_images(tmp_path, recursive=False)] == ["a.jpg", "b.PNG"]


def test_find_images_follows_links_but_no_loop(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.png").touch()
    (tmp_path / "photos" / "loop").symlink_to(tmp_path / "photos")
    (tmp_path / "photos" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "broken.png").symlink_to(tmp_path / "nowhere")
    names = [
        p.relative_to(tmp_path / "photos").as_posix() for p in find_images(tmp_path / "photos")
    ]
    assert names == ["broken.png", "link/x.png"]


def test_find_images_says_what_is_wrong_with_the_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        find_images(tmp_path / "missing")
    (tmp_path / "a.png").touch()
    with pytest.raises(NotADirectoryError, match="not a folder"):
        find_images(tmp_path / "a.png")


def test_resize_image_antialiases_and_keeps_channels():
    stripes = np.zeros((8, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize_image(stripes, (4, 8))
    assert small.shape == (4, 8, 3)
    assert np.abs(small.astype(int) - 128).max() < 10  # without antialiasing: all 0 or 255
    assert resize_image(stripes[:, :, :1], (2, 3)).shape == (2, 3, 1)
    assert resize_image(stripes, (8, 64)) is stripes


@pytest.mark.parametrize("suffix", sorted(writable_suffixes() - {".pbm", ".pgm"}))
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_write_image_can_be_read_again(tmp_path, suffix, channels):
    image = np.full((8, 9, channels), 255, np.uint8)
    path = tmp_path / "deep" / f"a{suffix}"
    write_image(path, image)
    np.testing.assert_array_equal(read_image(path, channels), image)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_write_image_says_what_it_cannot_write(tmp_path):
    with pytest.raises(ValueError, match=r"'\.xyz'"):
        write_image(tmp_path / "a.xyz", LEFT_RED)
    with pytest.raises(ValueError, match="received float64"):
        write_image(tmp_path / "a.png", LEFT_RED / 255)
    assert list(tmp_path.iterdir()) == []


def test_readable_name_fits_one_line_of_utf8():
    name = readable_name("a\nb\udcff\u00fc,c")
    assert name == "a\\nb\\udcff\u00fc,c"
    name.encode("utf-8")


def test_profile_of_rgb_is_kept_and_that_of_other_values_is_not(tmp_path):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for suffix in (".jpg", ".png", ".tif", ".webp"):
        write_image(tmp_path / f"a{suffix}", LEFT_RED, profile=profile)
        assert read_profile(tmp_path / f"a{suffix}") == profile
    write_image(tmp_path / "b.png", LEFT_RED)
    assert read_profile(tmp_path / "b.png") is None
    cmyk = profile[:16] + b"CMYK" + profile[20:]
    Image.new("CMYK", (4, 4)).save(tmp_path / "c.jpg", icc_profile=cmyk)
    assert read_profile(tmp_path / "c.jpg") is None
    with pytest.raises(ImageError, match="No such file"):
        read_profile(tmp_path / "missing.jpg")
