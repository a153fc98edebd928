"""Options that all recipes of domain adaptation share."""

import numpy as np
import pytest

from keras_dtl.data import LabelledImages
from keras_dtl.methods import ADDA, DANN, SHOT, FineTuning, SourceOnly
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe
from keras_dtl.recipes.domains import Domains, load_domains
from keras_dtl.recipes.encoders import networks_of
from tests.networks import SHAPE, dense, encoder

ADAPTATIONS = sorted(n for n, r in RECIPES.items() if issubclass(r, DomainAdaptationRecipe))
WITH_SHARES = {"dann", "cdan", "dan", "deep-coral", "adamatch"}


def domains(size=20, count=12):
    images = np.random.default_rng(0).integers(0, 256, (count, size, size, 3)).astype("uint8")
    labels = np.arange(count) % 3
    labelled = LabelledImages(images, np.minimum(labels, 1), ("a", "b"))
    return Domains(labelled, labelled, labelled, labelled)


@pytest.mark.parametrize("name", ADAPTATIONS)
def test_label_shift_is_taken_or_refused_but_never_forgotten(name):
    recipe = RECIPES[name](label_shift=True)
    if name in WITH_SHARES:
        assert recipe.build_model(domains(28)).shares is not None
    else:
        with pytest.raises(ValueError, match=rf"(?i){name} takes .*label.shift"):
            recipe.build_model(domains(28))


def test_a_sample_that_lacks_a_class_is_told(caplog):
    load_domains(RECIPES["dann"](source="digits", target="digits", source_size=5))
    assert "--source-size 5 leaves no image of" in caplog.text


def test_statistics_that_cannot_be_adapted_are_told_before_the_training():
    with pytest.raises(ValueError, match="no batch normalisation"):
        RECIPES["dann"](adapt_statistics=True).build_model(domains(28))


def test_statistics_of_the_target_are_put_in_after_the_training():
    network = encoder(batch_norm=True)
    images = np.random.default_rng(1).integers(150, 256, (12, *SHAPE)).astype("uint8")
    network(images // 2, training=True)
    norm = next(layer for layer in network.layers if hasattr(layer, "moving_mean"))
    before = norm.moving_mean.numpy()
    target = LabelledImages(images, np.arange(12) % 2, ("a", "b"))
    model = SourceOnly(network, dense(2))
    for adapted in (False, True):
        recipe = RECIPES["source-only"](adapt_statistics=adapted)
        recipe.select_weights(model, Domains(target, target, target, target))
        assert np.array_equal(norm.moving_mean, before) != adapted


def test_classes_come_equally_often_where_asked():
    data = domains()
    counts = {}
    for even in (False, True):
        recipe = RECIPES["source-only"](even_classes=even, batch_size=16)
        labels = [b["source"][1].numpy() for b in recipe.batches(data, 0).take(20)]
        counts[even] = np.bincount(np.concatenate(labels)) / 320
    np.testing.assert_allclose(counts[False], [1 / 3, 2 / 3], atol=0.02)
    np.testing.assert_allclose(counts[True], [1 / 2, 1 / 2], atol=0.02)


def test_strong_images_are_there_for_the_method_that_compares_them():
    batch = next(iter(RECIPES["adamatch"](batch_size=4).batches(domains(), 0)))
    assert (batch["target_strong"].numpy() != batch["target"].numpy()).any()
    assert set(batch) == {"source", "source_strong", "target", "target_strong"}


@pytest.mark.parametrize(
    ("backbone", "augment", "change"),
    [("lenet", "auto", "none"), ("MobileNetV2", "auto", "mixed"), ("lenet", "affine", "affine")],
)
def test_photos_are_changed_and_digits_are_not_unless_asked(backbone, augment, change):
    assert RECIPES["mcc"](backbone=backbone, augment=augment).change() == change


def test_strength_rises_where_the_method_has_one():
    for name in ("mcc", "adamatch", "dan"):
        assert "adaptation_strength" in RECIPES[name]().schedules()
    assert "adaptation_strength" not in RECIPES["dann"]().schedules()


def test_photos_of_a_batch_are_changed_half_of_them_strongly():
    batch = next(iter(RECIPES["mcc"](backbone="MobileNetV2", batch_size=6).batches(domains(), 0)))
    images, labels = batch["source"]
    assert (images.shape, labels.shape) == ((6, 20, 20, 3), (6,))
    assert images.dtype == "uint8"


RUNS = {
    "head": lambda *networks: FineTuning(*networks, train_from="head", batch_norm="moving"),
    "frozen": lambda *networks: SourceOnly(*networks, batch_norm="frozen"),
    "adda": lambda *networks: ADDA(*networks, dense(1, 2)),
}


@pytest.mark.parametrize("kept", RUNS)
def test_what_a_run_kept_learns_in_the_training_that_starts_from_it(kept, tmp_path):
    model = RUNS[kept](encoder(batch_norm=True), dense(2))
    model.build()
    model.save(tmp_path / "model.keras")
    weights = {"head": 4, "frozen": 4, "adda": 6}[kept]  # of the encoder, without statistics
    for name in ("dann", "shot"):
        networks = networks_of(tmp_path)
        model = DANN(*networks, dense(1)) if name == "dann" else SHOT(*networks)
        assert len(model.encoder.trainable_variables) == weights
        assert len(model.classifier.trainable_variables) == (2 if name == "dann" else 0)
    joint = networks_of(tmp_path, "joint")
    assert [len(network.trainable_variables) for network in joint] == [6, 2]
    recipe = RECIPES["dann"](start=str(tmp_path), batch_norm="joint")
    assert len(recipe.networks(None)[0].trainable_variables) == 6
