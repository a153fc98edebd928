import io
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import LOSS_SCALES
from keras_dtl.methods import StyleTransfer
from keras_dtl.methods.style.objective import StyleObjective
from keras_dtl.methods.style.pixel_optimizers import (
    LBFGS,
    Diverged,
    Evaluation,
    GradientDescent,
)
from keras_dtl.methods.style.scene import Scene
from tests.networks import features

LAYERS = {"content_layers": ("high",), "style_layers": ("low", "high")}


def picture(seed=0, size=(12, 16)):
    """A smooth random image, as photos are smoother than noise."""
    small = np.random.default_rng(seed).uniform(0, 255, (1, 4, 4, 3))
    return tf.image.resize(small, size).numpy()[0].astype("uint8")


def make(**settings):
    keras.utils.set_random_seed(3)
    return StyleTransfer(features(), **{**LAYERS, "loss_scale": "johnson", **settings})


@pytest.fixture(scope="module")
def still():
    """Return a model for tests that leave it as it is."""
    return make()


def objective(model, content, styles, size=(12, 16), **scene):
    options = {"style_weights": None, "masks": None, "style_scale": 1.0, "colors": "style"}
    return StyleObjective(model, *Scene(content, styles, **{**options, **scene}).at(size), size)


def gram(maps):
    flat = maps.astype("float64").reshape(-1, maps.shape[-1])
    return flat.T @ flat / len(flat)


@pytest.mark.parametrize("scale", LOSS_SCALES)
def test_loss_equals_numpy(scale):
    model = make(loss_scale=scale, content_weight=2.0, style_weight=3.0, variation_weight=0.5)
    content, style, image = picture(0), picture(1), picture(2).astype("float32")[None]
    found = objective(model, content, [style])(image)
    x, p, a = (
        {k: v.numpy() for k, v in model.features(np.float32(i).reshape(1, 12, 16, 3)).items()}
        for i in (image, content, style)
    )
    d = (x["high"] - p["high"]).astype("float64") ** 2
    content_loss = d.sum() / 2 if scale == "paper" else d.mean()
    if scale == "relative":
        content_loss = d.sum() / (p["high"].astype("float64") ** 2).sum()
    style_loss = 0.0
    for layer in ("low", "high"):
        n = x[layer].shape[-1]
        total = ((gram(x[layer]) - gram(a[layer])) ** 2).sum()
        divisors = {"paper": 8 * n**2, "relative": (gram(a[layer]) ** 2).sum()}
        style_loss += total / divisors.get(scale, n**4)
    assert found.terms["content_loss"] == pytest.approx(2 * content_loss, rel=1e-5)
    assert found.terms["style_loss"] == pytest.approx(3 * style_loss, rel=1e-5)
    assert found.loss == pytest.approx(sum(found.terms.values()))


def test_gradient_equals_finite_differences():
    found = objective(make(), picture(0), [picture(1)])
    image = picture(2).astype("float32")[None]
    direction = np.random.default_rng(0).normal(size=image.shape).astype("float32")
    ahead, behind = (found(image + step * direction).loss for step in (0.01, -0.01))
    slope = float((found(image).gradient * direction).sum())
    assert (ahead - behind) / 0.02 == pytest.approx(slope, rel=2e-2)


def test_lbfgs_never_rises_and_beats_the_start():
    losses = []
    image = make().stylize(
        picture(0), [picture(1)], iterations=30, callback=lambda step: losses.append(step.loss)
    )
    assert image.dtype == np.uint8 and image.shape == (12, 16, 3)
    assert all(after <= before for before, after in itertools.pairwise(losses))
    start = objective(make(), picture(0), [picture(1)])(picture(0).astype("float32")[None]).loss
    assert losses[-1] < 0.2 * start


def test_adam_lowers_the_loss_and_any_keras_optimizer_is_taken():
    losses = []
    for optimizer in ("adam", keras.optimizers.SGD(0.1)):
        losses.clear()
        make().stylize(
            picture(0),
            [picture(1)],
            iterations=12,
            optimizer=optimizer,
            callback=lambda step: losses.append(step.loss),
        )
        assert len(losses) == 12 and losses[-1] < losses[0]


def test_average_of_the_pixels_is_what_an_optimizer_that_keeps_one_finds():
    optimizer = GradientDescent(keras.optimizers.SGD(0.25, use_ema=True, ema_momentum=0.5))
    squares = lambda image: Evaluation(float(np.sum(image**2)), {}, 2 * image)  # noqa: E731
    image = np.full((1, 1, 1, 1), 8.0, "float32")
    found = optimizer.minimize(squares, image, 2, lambda *_: None)
    assert found.item() == 3.0  # from 8 to 4, 2


@pytest.mark.slow
def test_same_seed_same_image_and_another_seed_another():
    images = [
        make().stylize(picture(0), [picture(1)], init="noise", iterations=5, seed=seed)
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(images[0], images[1])
    assert (images[0] != images[2]).any()


def test_stopped_transfer_goes_on_to_the_same_image(tmp_path):
    state = tmp_path / "state.npz"
    words = {"sizes": (12, 16), "iterations": (4, 6), "init": "noise", "checkpoint": state}

    def stop(step):
        if len(stops) < 3 and step.iteration == 3:
            stops.append(step)
            raise KeyboardInterrupt

    stops, patch = [], pytest.MonkeyPatch()
    patch.setattr("keras_dtl.methods.style.stages.SAVE_EVERY", 2)
    whole = make().stylize(picture(0), [picture(1)], **words)
    assert not state.exists()
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            make().stylize(picture(0), [picture(1)], **words, callback=stop)
    assert state.exists()
    with pytest.raises(ValueError, match="other images or with other settings"):
        make().stylize(picture(5), [picture(1)], **words)
    resumed = make().stylize(picture(0), [picture(1)], **words)
    patch.undo()
    np.testing.assert_array_equal(resumed, whole)
    array = io.BytesIO()
    np.save(array, np.ones(3))
    for damaged in (b"PK damaged", b"", array.getvalue()):  # the last two were tracebacks
        state.write_bytes(damaged)
        with pytest.raises(ValueError, match="not the state .* Delete it to begin again"):
            make().stylize(picture(0), [picture(1)], **words)


def stopped(state, **words):
    """Run a transfer up to its third iteration, of which two are saved in `state`."""

    def stop(step):
        if step.iteration == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make().stylize(picture(0), [picture(1)], checkpoint=state, callback=stop, **words)


@pytest.mark.parametrize(
    ("optimizer", "other"),
    [
        (lambda: LBFGS(history=3), lambda: LBFGS(history=4)),
        pytest.param(lambda: LBFGS(history=12), lambda: "adam", marks=pytest.mark.slow),
        pytest.param(
            lambda: keras.optimizers.Adam(2.0),
            lambda: keras.optimizers.Adam(2.5),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda: keras.optimizers.SGD(0.1),
            lambda: keras.optimizers.SGD(0.1, momentum=0.5),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_stopped_transfer_goes_on_with_a_like_optimizer_alone(
    optimizer, other, tmp_path, monkeypatch
):
    monkeypatch.setattr("keras_dtl.methods.style.stages.SAVE_EVERY", 2)
    state, words = tmp_path / "state.npz", {"iterations": 6}
    whole = make().stylize(
        picture(0),
        [picture(1)],
        optimizer=optimizer(),
        checkpoint=tmp_path / "never_stopped.npz",
        **words,
    )
    stopped(state, optimizer=optimizer(), **words)
    with pytest.raises(ValueError, match="other settings"):
        make().stylize(picture(0), [picture(1)], optimizer=other(), checkpoint=state, **words)
    resumed = make().stylize(
        picture(0), [picture(1)], optimizer=optimizer(), checkpoint=state, **words
    )
    np.testing.assert_array_equal(resumed, whole)


@pytest.mark.slow
def test_stopped_transfer_goes_on_from_the_same_start_image_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_dtl.methods.style.stages.SAVE_EVERY", 2)
    state = tmp_path / "state.npz"
    start = np.zeros((64, 64, 3), "uint8")  # large enough for NumPy to print "..."
    other = start.copy()
    other[30, 30] = 255
    stopped(state, init=start, iterations=4)
    with pytest.raises(ValueError, match="other images"):
        make().stylize(picture(0), [picture(1)], init=other, iterations=4, checkpoint=state)
    make().stylize(picture(0), [picture(1)], init=start.copy(), iterations=4, checkpoint=state)
    assert not state.exists()


def test_content_reconstruction_comes_back_to_the_content():
    model, content = make(), picture(0)
    image = model.content_reconstruction(content, "low", iterations=80)
    noise = model.content_reconstruction(content, "low", iterations=1)
    error = [np.abs(x.astype(float) - content).mean() for x in (image, noise)]
    assert error[0] < 0.3 * error[1]


def test_style_reconstruction_has_the_statistics_and_not_the_places():
    model, style = make(), picture(1)
    image = model.style_reconstruction(style, ("low",), iterations=60)
    of_style, of_image = (
        model.features(x[None].astype("float32"))["low"].numpy() for x in (style, image)
    )
    np.testing.assert_allclose(gram(of_image), gram(of_style), rtol=0.05, atol=0.05)
    assert np.abs(image.astype(float) - style).mean() > 10


def test_blend_moves_as_the_weighted_styles_do():
    model, image = make(content_weight=0), picture(2).astype("float32")[None]
    styles = [picture(1), picture(4)]
    alone = [objective(model, picture(0), [style])(image).gradient for style in styles]
    blend = objective(model, picture(0), styles, style_weights=(3, 1))(image).gradient
    scale = np.abs(blend).max()
    np.testing.assert_allclose(blend, 0.75 * alone[0] + 0.25 * alone[1], atol=1e-4 * scale)


def test_each_style_acts_within_its_mask_alone():
    model, image = make(content_weight=0, variation_weight=0), picture(2).astype("float32")[None]
    left = np.zeros((12, 16), "uint8")
    left[:, :4] = 255
    gradient = objective(model, picture(0), [picture(1)], masks=[left])(image).gradient
    assert np.abs(gradient[:, :, :4]).max() > 0
    np.testing.assert_array_equal(gradient[:, :, 10:], 0)  # beyond what the features see
    whole = np.ones((12, 16))
    masked, bare = (
        objective(model, picture(0), [picture(1)], masks=masks)(image) for masks in ([whole], None)
    )
    assert masked.loss == pytest.approx(bare.loss, rel=1e-5)


def test_luminance_keeps_the_hues_of_the_content():
    content = picture(0)
    image = make().stylize(content, [picture(1)], colors="luminance", iterations=10)
    hue = lambda x: x.astype(float) - (x @ np.array([0.299, 0.587, 0.114]))[..., None]  # noqa: E731
    inside = ((image > 0) & (image < 255)).all(-1)
    assert inside.mean() > 0.5
    np.testing.assert_allclose(hue(image)[inside], hue(content)[inside], atol=1.5)
    assert np.abs(image.astype(float) - content).mean() > 1


@pytest.mark.slow
def test_sizes_go_from_small_to_large():
    seen = []
    image = make().stylize(
        picture(0),
        [picture(1, (7, 31))],
        sizes=(12, 24),
        iterations=(2, 3),
        callback=lambda step: seen.append(step.image.shape[1:3]),
    )
    assert seen == [(9, 12)] * 2 + [(18, 24)] * 3
    assert image.shape == (18, 24, 3)


def test_call_describes_and_nothing_is_deployed():
    described = make()(picture(0)[None].astype("float32"))
    assert described["content"]["high"].shape == (1, 6, 8, 8)
    assert {k: v.shape for k, v in described["style"].items()} == {
        "low": (1, 4, 4),
        "high": (1, 8, 8),
    }
    with pytest.raises(NotImplementedError, match="FastStyle"):
        make().deployable()


def test_published_weights_follow_the_scale():
    assert make(loss_scale="johnson").weights_of_terms["style_loss"] == 100
    assert make(loss_scale="paper").layer_weights == {"low": 0.5, "high": 0.5}
    assert make(style_layers={"low": 2.0}).layer_weights == {"low": 2.0}


def test_saved_model_keeps_its_arguments(tmp_path):
    model = make(style_layers={"low": 2.0}, content_weight=7.0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.layer_weights, loaded.content_weight) == ({"low": 2.0}, 7.0)
    image = picture(0)[None].astype("float32")
    np.testing.assert_array_equal(loaded(image)["style"]["low"], model(image)["style"]["low"])


def test_one_pixel_as_style_is_a_colour_and_as_content_an_error():
    dot = np.full((1, 1, 3), 200, "uint8")
    assert make().stylize(picture(0), [dot], iterations=2).shape == (12, 16, 3)
    with pytest.raises(ValueError, match="1x1 pixels is too small"):
        make().stylize(dot, [picture(1)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"content": picture(0).astype("float32")}, "uint8 array"),
        ({"content": np.zeros((8, 8, 4), "uint8")}, "RGB"),
        ({"styles": [np.zeros((8, 8), "uint8")]}, "A style must be"),
        ({"content": None, "styles": []}, "neither"),
        ({"style_weights": (1, 2)}, "each of the 1 styles"),
        ({"style_weights": (0,)}, "above 0"),
        ({"masks": []}, "one mask for each"),
        ({"masks": [np.zeros((8, 8))]}, "zero everywhere"),
        ({"masks": [np.full((8, 8), 9.0)]}, "0..1"),
        ({"colors": "grey"}, "colors"),
        ({"init": "black"}, "init"),
        ({"optimizer": "newton"}, "optimizer"),
        ({"sizes": ()}, "sizes"),
        ({"iterations": 0}, "iterations"),
        ({"style_scale": 0}, "style_scale"),
    ],
)
def test_unusable_arguments_are_refused(still, arguments, message):
    given = {"content": picture(0), "styles": [picture(1)], **arguments}
    with pytest.raises(ValueError, match=message):
        still.stylize(given.pop("content"), given.pop("styles"), **given)


def test_unusable_settings_are_refused():
    with pytest.raises(ValueError, match="without conv4_2"):
        StyleTransfer(features())
    with pytest.raises(ValueError, match="loss_scale"):
        make(loss_scale="gatys")
    with pytest.raises(ValueError, match="0 or more"):
        make(style_weight=-1)


def test_loss_that_is_no_number_is_an_error():
    model = make()
    model.features.layers[2].set_weights([np.full((3, 3, 3, 4), np.nan), np.zeros(4)])
    with pytest.raises(Diverged, match="style_loss"):
        model.stylize(picture(0), [picture(1)], optimizer=LBFGS(history=3))
