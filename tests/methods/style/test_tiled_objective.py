import keras
import numpy as np
import pytest

from keras_dtl.methods.style.scene import Scene
from keras_dtl.methods.style.tiled_objective import TiledObjective
from keras_dtl.methods.style.tiles import LARGE, SIDE, reach, side_of_tiles, tiles, warn_of_work
from tests.methods.style.test_style_transfer import make, objective, picture

SIZE = (37, 50)


def tiled(model, content, styles, size=SIZE, side=12, **scene):
    options = {"style_weights": None, "masks": None, "style_scale": 1.0, "colors": "style"}
    parts = Scene(content, styles, **{**options, **scene}).at(size)
    return TiledObjective(model, *parts, size, side)


def same(model, *images, **scene):
    """Compare both objectives at an image; return the number of tiles."""
    image = picture(5, SIZE).astype("float32")[None]
    whole = objective(model, *images, size=SIZE, **scene)(image)
    in_tiles = tiled(model, *images, **scene)
    found = in_tiles(image)
    assert found.terms == pytest.approx(whole.terms, rel=1e-5)
    error = np.abs(found.gradient - whole.gradient).max()
    assert error < 1e-5 * np.abs(whole.gradient).max()
    return len(in_tiles.tiles)


@pytest.mark.parametrize(
    "scale",
    [
        "paper",
        pytest.param("relative", marks=pytest.mark.slow),
        pytest.param("johnson", marks=pytest.mark.slow),
        pytest.param("gatys_torch", marks=pytest.mark.slow),
    ],
)
def test_tiles_give_loss_and_gradient_of_the_whole(scale):
    model = make(loss_scale=scale, variation_weight=0.5)
    assert same(model, picture(0, SIZE), [picture(1, (45, 31))]) == 15


@pytest.mark.slow
def test_tiles_keep_to_masks():
    masks = [np.tile(np.linspace(0, 1, 50), (37, 1)), np.eye(37, 50) > 0]
    assert same(make(), picture(0, SIZE), [picture(1), picture(2)], masks=masks) > 1


@pytest.mark.slow
def test_tiles_do_with_content_or_style_alone():
    assert same(make(), None, [picture(1, SIZE)]) > 1
    assert same(make(), picture(0, SIZE), []) > 1


@pytest.mark.slow
def test_result_is_that_of_the_whole_image():
    content, style = picture(0, SIZE), picture(1, SIZE)
    whole, parts = (
        make().stylize(content, [style], iterations=5, tile_size=side) for side in (None, 16)
    )
    assert np.abs(whole.astype(int) - parts).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (33, 79), (64, 65)])
def test_cores_cover_each_pixel_once_and_begin_on_the_grid(size):
    covered = np.zeros(size, int)
    for tile in tiles(size, 20, 16, 10):
        top, left, bottom, right = tile.core
        covered[top:bottom, left:right] += 1
        outer = tile.outer
        assert not any(side % 16 for side in (top, left, *outer[:2]))
        assert outer[2] in (bottom + 16, size[0]) and outer[3] in (right + 16, size[1])
        assert tile.inner == (top - outer[0], left - outer[1], bottom - outer[0], right - outer[1])
    assert (covered == 1).all()


def test_reach_of_vgg19():
    from keras_dtl.backbones import vgg19_features

    strides, stride, margin = reach(vgg19_features(weights=None))
    assert (strides["conv1_1"], strides["conv4_2"], strides["conv5_1"]) == (1, 8, 16)
    assert (stride, margin) == (16, 2 + 4 + 16 + 32 + 16)


def test_reach_of_an_unknown_layer_is_refused():
    image = keras.Input((None, None, 3))
    network = keras.Model(image, {"high": keras.layers.UpSampling2D(2)(image)})
    with pytest.raises(ValueError, match="UpSampling2D.*tile_size=None"):
        reach(network)


def test_only_large_images_are_tiled_by_default():
    assert side_of_tiles("auto", (2048, 1536)) == SIDE
    assert side_of_tiles("auto", (1, LARGE)) is None
    assert side_of_tiles(None, (2048, 1536)) is None
    with pytest.raises(ValueError, match="tile_size.*Received: 0"):
        side_of_tiles(0, (8, 8))


@pytest.mark.parametrize(("side", "work"), [(16, 80), (32, 25), (64, 9), (128, None), (256, None)])
def test_tiles_that_look_at_much_more_than_the_image_are_warned_of(side, work, caplog):
    size = (4096, 4096)
    warn_of_work(tiles(size, side, 16, 64), size, side, 64)
    assert (f"takes about {work} times as long" in caplog.text) == (work is not None)
    assert bool(caplog.records) == (work is not None)
