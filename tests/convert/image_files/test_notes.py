"""What a photo says about itself, in the output as in the input, and true of it."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms, IptcImagePlugin
from PIL.PngImagePlugin import PngInfo

from keras_dtl.convert import convert_folder
from keras_dtl.images import encode_image, read_image

SIDES = 32, 24  # of the stored pixels; turned, they are 24 wide and 32 high
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"
 exif:PixelXDimension='32' exif:GPSLatitude="52,30N" dc:title="a title"
 ><tiff:ImageLength>24</tiff:ImageLength><exif:GPSAltitude>34/1</exif:GPSAltitude>
 <tiff:Orientation>6</tiff:Orientation></rdf:Description></x:xmpmeta>"""


def camera_exif():
    exif = Image.Exif()
    exif[0x010F], exif[0x0132], exif[0x0112] = "Maker", "2030:05:01 10:00:00", 6
    exif.get_ifd(0x8769).update({0x9003: "2030:05:01 10:00:00", 0xA002: 32, 0xA003: 24})
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0)})
    return exif


def iptc_segment(caption):
    record = b"\x1c\x02\x78" + struct.pack(">H", len(caption)) + caption
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record
    body = b"Photoshop 3.0\0" + block + b"\0" * (len(record) % 2)
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body


def write_camera_photo(path):
    pixels = np.random.default_rng(0).integers(0, 256, (SIDES[1], SIDES[0], 3), "uint8")
    file = io.BytesIO()
    Image.fromarray(pixels).save(
        file,
        "JPEG",
        exif=camera_exif().tobytes(),
        dpi=(300, 300),
        icc_profile=SRGB,
        comment=b"a comment",
        xmp=XMP,
    )
    data = file.getvalue()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data[:2] + iptc_segment(b"A caption") + data[2:])


def converted(negative, tmp_path, suffix, **options):
    convert_folder(negative, tmp_path / "in", tmp_path / "out", format=suffix, **options)
    image = Image.open(next((tmp_path / "out").glob(f"photo.{suffix}")))
    image.load()
    return image


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "avif", "tif"])
def test_camera_notes_are_kept_and_true_of_the_upright_output(negative, tmp_path, suffix):
    write_camera_photo(tmp_path / "in" / "photo.jpg")
    image = converted(negative, tmp_path, suffix)
    exif = image.getexif()
    inner = exif.get_ifd(0x8769)
    assert image.size == (24, 32)
    assert (exif[0x010F], exif[0x0132], exif.get(0x0112, 1)) == ("Maker", "2030:05:01 10:00:00", 1)
    assert (inner[0x9003], inner[0xA002], inner[0xA003]) == ("2030:05:01 10:00:00", 24, 32)
    assert exif.get_ifd(0x8825)[1] == "N"
    xmp = image.info["xmp"]
    for words in (b'Orientation="1"', b">1</tiff:Orient", b"XDimension='24'", b">32</tiff:Image"):
        assert words in xmp
    assert b"a title" in xmp and b"GPSLatitude" in xmp
    assert image.info["icc_profile"] == SRGB
    resolution = image.info["dpi"] if "dpi" in image.info else (exif[0x011A], exif[0x011B])
    assert [round(float(value)) for value in resolution] == [300, 300]
    if suffix in ("jpg", "tif"):
        assert IptcImagePlugin.getiptcinfo(image) == {(2, 120): b"A caption"}
    if suffix == "png":
        assert image.text["Comment"] == "a comment"
        assert b"A caption".hex() in image.text["Raw profile type iptc"]
    if suffix == "jpg":
        assert image.info["comment"] == b"a comment"


def test_place_alone_is_dropped_by_choice(negative, tmp_path):
    write_camera_photo(tmp_path / "in" / "photo.jpg")
    image = converted(negative, tmp_path, "jpg", metadata="no-location")
    exif = image.getexif()
    assert 0x8825 not in exif and exif[0x010F] == "Maker"
    assert b"GPS" not in image.info["xmp"] and b"a title" in image.info["xmp"]
    assert IptcImagePlugin.getiptcinfo(image)
    bare = converted(negative, tmp_path, "jpg", metadata="drop")
    assert not len(bare.getexif()) and "xmp" not in bare.info and "comment" not in bare.info


def test_texts_of_a_png_and_tags_of_a_tiff_are_kept(negative, tmp_path):
    (tmp_path / "in").mkdir()
    texts = PngInfo()
    texts.add_text("parameters", "a castle, Steps: 20")
    picture = Image.new("RGB", (8, 8))
    picture.save(tmp_path / "in" / "photo.png", pnginfo=texts, dpi=(144, 144))
    image = converted(negative, tmp_path, "png")
    assert image.text == {"parameters": "a castle, Steps: 20"}
    assert [round(value) for value in image.info["dpi"]] == [144, 144]
    (tmp_path / "in" / "photo.png").unlink()
    tags = Image.Exif()
    tags[270], tags[306], tags[0x8769] = "a scan", "2030:05:01 10:00:00", {0xA434: "a lens"}
    tags[0x8825] = {1: "N"}
    picture.save(tmp_path / "in" / "photo.tif", exif=tags.tobytes(), dpi=(600, 600))
    for suffix in ("tif", "png"):
        exif = converted(negative, tmp_path, suffix, overwrite=True).getexif()
        assert (exif[270], exif[306]) == ("a scan", "2030:05:01 10:00:00")
        assert exif.get_ifd(0x8769)[0xA434] == "a lens" and exif.get_ifd(0x8825)[1] == "N"
    exif = converted(negative, tmp_path, "tif", metadata="no-location", overwrite=True).getexif()
    assert 0x8825 not in exif and exif[270] == "a scan"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".avif"])
def test_grey_pixels_carry_no_profile_of_colours(suffix):
    for channels, expected in ((1, None), (3, SRGB)):
        image = np.zeros((4, 4, channels), "uint8")
        data = encode_image(image, suffix, tags={"icc_profile": SRGB})
        picture = Image.open(io.BytesIO(data))
        assert picture.info.get("icc_profile") == expected


def wide_profile():
    """A profile like sRGB whose red and green are exchanged: what it is converted to shows."""
    data = bytearray(SRGB)
    tags = {}
    count = struct.unpack_from(">I", data, 128)[0]
    for index in range(count):
        place = 132 + 12 * index
        name = bytes(data[place : place + 4])
        tags[name] = place
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "P transparent"])
def test_colours_of_every_mode_are_converted_to_srgb(negative, tmp_path, mode):
    picture = Image.new("RGBA", (8, 8), (200, 10, 10, 255))
    options = {}
    if mode.startswith("P"):
        picture = picture.convert("RGB").quantize(2)
        if mode != "P":
            options = {"transparency": 1}
    else:
        picture = picture.convert(mode)
    (tmp_path / "in").mkdir()
    picture.save(tmp_path / "in" / "photo.png", icc_profile=wide_profile(), **options)
    image = converted(negative, tmp_path, "png", profile="srgb")
    assert "icc_profile" not in image.info
    red, green, blue = 255 - read_image(tmp_path / "out" / "photo.png")[0, 0].astype(int)
    assert green > 190 and red < 30 and blue < 30


def test_grey_with_alpha_is_converted_by_its_profile(negative, tmp_path):
    grey = Image.new("LA", (8, 8), (100, 255))
    grey.putpixel((0, 0), (100, 40))
    (tmp_path / "in").mkdir()
    grey.save(tmp_path / "in" / "photo.png", icc_profile=linear_grey_profile())
    image = converted(negative, tmp_path, "png", profile="srgb")
    values = np.asarray(image)
    # Linear 100/255 is 168 in sRGB.
    np.testing.assert_allclose(255 - values[4, 4, :3].astype(int), 168, atol=2)
    assert values[0, 0, 3] == 40 and values[4, 4, 3] == 255


def linear_grey_profile():
    curve = b"curv" + bytes(4) + struct.pack(">I", 0)
    white = b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061)
    tags = [(b"wtpt", white), (b"kTRC", curve)]
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    size = offset + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    head += struct.pack(">6H", 2030, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">iii", 63190, 65536, 54061) + bytes(48)
    return head + table + body


def test_places_under_other_names_are_dropped_too(negative, tmp_path):
    xmp = XMP.replace(b"dc:title", b'drone-dji:GpsLatitude="+52.5" dc:title')
    xmp = xmp.replace(b"<tiff:Or", b"<drone-dji:GpsLongtitude>13</drone-dji:GpsLongtitude><tiff:Or")
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
    texts.add_text("exif:GPSLatitude", "52/1, 30/1")
    texts.add_text("Author", "me")
    (tmp_path / "in").mkdir()
    Image.new("RGB", (8, 4)).save(tmp_path / "in" / "photo.png", pnginfo=texts)
    image = converted(negative, tmp_path, "png", metadata="no-location")
    assert b"gps" not in image.info["xmp"].lower() and b"a title" in image.info["xmp"]
    del image.text["XML:com.adobe.xmp"]
    assert image.text == {"Author": "me"}


RECORDS = b"\x1c\x02\x78\0\x09A caption"
BLOCKS = b"8BIM\x04\x0c\x03abc\0\0\0\x05hello\0" + b"8BIM\x04\x04\0\0\0\0\0\x0e" + RECORDS


@pytest.mark.parametrize("data", [RECORDS, BLOCKS], ids=["records", "blocks of Photoshop"])
def test_notes_that_png_files_hold_as_text_go_on(data, negative, tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Canon"
    info = PngInfo()
    for kind, note in (("exif", exif.tobytes()), ("iptc", data)):
        text = f"\n{kind}\n{len(note):8}\n{note.hex()}\n"
        info.add_text(f"Raw profile type {kind}", text, zip=True)
    (tmp_path / "in").mkdir()
    Image.new("RGB", (8, 4)).save(tmp_path / "in" / "a.png", pnginfo=info)
    # Twice: what was read of such a file is written as one.
    for source, out, chosen in (("in", "png", "png"), ("png", "jpg", "jpg")):
        report = convert_folder(negative, tmp_path / source, tmp_path / out, format=chosen)
        assert report.converted == 1
    with Image.open(tmp_path / "jpg" / "a.jpg") as image:
        assert image.size == (4, 8) and image.getexif()[0x010F] == "Canon"
        assert IptcImagePlugin.getiptcinfo(image) == {(2, 120): b"A caption"}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_large_profiles_are_kept(suffix):
    """As scanners and printers have; in a JPEG they take several notes."""
    profile = SRGB + bytes(200_000)
    data = encode_image(np.zeros((4, 4, 3), np.uint8), suffix, tags={"icc_profile": profile})
    assert Image.open(io.BytesIO(data)).info["icc_profile"] == profile
