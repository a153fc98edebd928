"""KID of pix2pix and CycleGAN beside the same networks in eager PyTorch, after equally many steps.

    python scripts/benchmarks/translation_quality.py --data DATA --features mobilenet_v2:PATH

DATA holds `facades` (pairs: photo at the left, label map at the right) and `monet2photo` (trainA
paintings, trainB photos). Both sides start from the same weights and get the same batches, jitter
included, in the same order; dropout and the pools draw numbers of their own, so there are seeds.
Batch 1, Adam(2e-4, 0.5), float32, constant rates; the networks of the papers at half their width,
64 pixels. The last weights are scored: pix2pix on the test photos, CycleGAN on all images of both
domains, each against the real ones of the domain that it draws.

Each run is a process of its own, the two libraries in turn. Needs the extra `[peers]`. Resumable
run by run. Writes results/translation_quality.json. About an hour on one CPU core.
"""

import argparse
import itertools
import json
import time
from pathlib import Path

from record import groups, in_a_process, run_missing, summary

LIBRARIES = ("keras_dtl", "torch")
STEPS = {"pix2pix": 3000, "cyclegan": 1000}
SEEDS, SIZE, FILTERS, BLOCKS = 3, 64, 32, 6
FIELD, STRIDED = 34, 2


def recipe_of(method, folder, seed):
    from keras_dtl.recipes import RECIPES

    where = {
        "pix2pix": {"source": f"paired:{folder / 'facades'}", "direction": "b-to-a"},
        "cyclegan": {
            "source": f"folder:{folder / 'monet2photo' / 'trainA'}",
            "target": f"folder:{folder / 'monet2photo' / 'trainB'}",
        },
    }[method]
    same = {"image_size": SIZE, "filters": FILTERS, "receptive_field": FIELD, "keep": "last"}
    return RECIPES[method](seed=seed, **same, **where)


def score_images(recipe, data):
    """Return `{name of a score: (images to translate, real images to resemble)}`."""
    from keras_dtl.data import load

    if recipe.paired:
        return {"kid": (data.test.a, data.test.b)}
    a, b = (load(name, "train", SIZE).images for name in (recipe.source, recipe.target))
    return {"kid a_to_b": (a, b), "kid b_to_a": (b, a)}


def train_ours(recipe, data, steps):
    """Train; return the translation of each direction, images to images."""
    from keras_dtl.evaluation.translation_scores import translate

    model = recipe.build_model(data)
    model.fit(recipe.batches(data, 0), steps_per_epoch=steps, verbose=0)
    return {
        name: lambda images, way=way: translate(model.deployable(*way), images)
        for name, way in ways_of(recipe).items()
    }


def train_torch(recipe, data, steps):
    """Train the peers from the weights that ours would start from; return the same."""
    import torch_translation as peers

    def same_start(network, peer):
        peers.copy_weights(network, peer)
        return peer

    model = recipe.build_model(data)
    if recipe.paired:
        unet = peers.unet(3, FILTERS, SIZE.bit_length() - 1, "batch", recipe.dropout)
        generators = [same_start(model.generator, unet)]
        patch = peers.patch(6, FILTERS, STRIDED, "batch")
        peer = peers.Pix2Pix(*generators, same_start(model.discriminator, patch))
    else:
        generators = [
            same_start(network, peers.resnet(3, FILTERS, BLOCKS, "instance"))
            for network in (model.generator_a_to_b, model.generator_b_to_a)
        ]
        judges = [
            same_start(network, peers.patch(3, FILTERS, STRIDED, "instance"))
            for network in (model.discriminator_a, model.discriminator_b)
        ]
        peer = peers.CycleGAN(*generators, *judges)
    for a, b in recipe.batches(data, 0).take(steps).as_numpy_iterator():
        peer.step(a, b)
    return {
        name: lambda images, network=network: peers.translate(network, images)
        for name, network in zip(ways_of(recipe), generators, strict=True)
    }


def ways_of(recipe):
    """Return `{name of a score: arguments of deployable}`."""
    if recipe.paired:
        return {"kid": ()}
    return {"kid a_to_b": ("a_to_b",), "kid b_to_a": ("b_to_a",)}


def run_child(arguments, library, method, seed):
    """Print the scores of one run as JSON."""
    from keras_dtl.cli.session import start_session
    from keras_dtl.evaluation import feature_network, features_of, kernel_distance

    start_session(seed)
    if library == "torch":
        import torch

        torch.manual_seed(seed)
    recipe = recipe_of(method, arguments.data, seed)
    data = recipe.load_data()
    train = {"keras_dtl": train_ours, "torch": train_torch}[library]
    start = time.perf_counter()
    translations = train(recipe, data, arguments.steps[method])
    scores = {"seconds": time.perf_counter() - start}
    network = feature_network(arguments.features)
    for name, (images, real) in score_images(recipe, data).items():
        drawn = features_of(network, translations[name](images))
        scores[name] = kernel_distance(drawn, features_of(network, real))
    print(json.dumps(scores))


def run_once(arguments, library, method, seed):
    words = ["--only", library, method, seed, "--data", arguments.data]
    words += ["--features", arguments.features, "--steps", *arguments.steps.values()]
    return in_a_process(__file__, *words)


def summaries(runs):
    """Return mean and deviation of each score, of each method and library."""
    found = {}
    for name, group in groups(runs).items():
        method, library = name.split()
        for score in group[0]:
            scores = found.setdefault(method, {}).setdefault(score, {})
            scores[library] = summary(run[score] for run in group)
    return found


def result_of(settings, runs):
    return {
        "what": "KID (lower is better) after equally many steps from equal weights; "
        "seconds are those of a machine that did other work as well",
        "settings": settings,
        "summary": summaries(runs),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of both data sets")
    parser.add_argument("--features", default="random", help="as in keras-dtl train pix2pix")
    parser.add_argument("--steps", type=int, nargs=2, default=list(STEPS.values()))
    parser.add_argument("--only", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.steps = dict(zip(STEPS, arguments.steps, strict=True))
    if arguments.only:
        library, method, seed = arguments.only
        run_child(arguments, library, method, int(seed))
        return
    settings = {
        "steps": arguments.steps,
        "image_size": SIZE,
        "filters": FILTERS,
        "receptive_field": FIELD,
        "features": arguments.features.partition(":")[0],
    }
    order = itertools.product(range(SEEDS), STEPS, LIBRARIES)
    run_missing(
        "translation_quality",
        [(method, library, seed) for seed, method, library in order],
        lambda method, library, seed: run_once(arguments, library, method, seed),
        lambda runs: result_of(settings, runs),
        settings=settings,
    )


if __name__ == "__main__":
    main()
