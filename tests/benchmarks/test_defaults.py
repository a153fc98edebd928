"""The table of the defaults' benchmark, and the folders that it makes."""

from types import SimpleNamespace

import numpy as np

from keras_dtl.images import write_image


def test_table_sets_defaults_beside_the_best_of_the_sweep(benchmark):
    run = {"training": 90.0, "source": 60.0, "target": 40.0, "collapsed": False}
    runs = {
        "photos-64 dann default 20 0": run,
        "photos-64 dann default 20 1": {**run, "training": 80.0, "collapsed": True},
        "photos-64 dann default 20 2": {"diverged": "`loss` became inf"},
        "photos-64 dann default own 0": {**run, "further": 50.0},
        "photos-64 dann 0.001 20 0": {**run, "training": 99.0},
        "photos-64 dann 0.1 20 0": {"diverged": "`loss` became nan"},
    }
    row, other = benchmark("defaults").result_of(runs)["rows"]
    assert (row["case"], row["recipe"], row["epochs"]) == ("photos-64", "dann", "20")
    assert (row["diverged"], row["collapsed"], row["best_of_sweep"]) == (1, 1, 99.0)
    assert row["training"]["mean"] == 85.0
    assert (row["seeds"], row["further"]) == (3, None)
    assert (other["epochs"], other["seeds"], other["further"]["mean"]) == ("own", 1, 50.0)


def test_folders_are_as_a_case_says(benchmark, tmp_path):
    module = benchmark("defaults")
    for domain in ("photo", "sketch"):
        for name in module.CLASSES[:2]:
            for index in range(5):
                image = np.zeros((4, 4, 3), "uint8")
                write_image(tmp_path / "pacs" / domain / name / f"{index}.png", image)
    case = {"size": 64, "classes": 2, "images": 4, "first": 1, "grey": True}
    source, target, _ = module.folders(tmp_path / "pacs", case, tmp_path / "out")
    found = {
        domain: [
            sorted(path.name for path in (tmp_path / "out" / domain / name).iterdir())
            for name in module.CLASSES[:2]
        ]
        for domain in ("photo", "sketch", "further")
    }
    few, many, further = ["0.png"], [f"{index}.png" for index in range(4)], ["4.png"]
    assert found["photo"] == found["sketch"] == [few, many]
    assert found["further"] == [[*many[1:], *further], further]  # none that the case holds
    recipe = module.recipe_of("dann", case, source, target, None)
    assert (recipe.image_size, recipe.learning_rate, recipe.target) == (64, None, target)
    fine = module.recipe_of("fine-tuning", {"pretrained": True}, source, target, "w.h5")
    assert (fine.start, fine.backbone, fine.target) == ("w.h5", "MobileNetV2", source)


def test_one_answer_to_the_whole_target_is_a_collapse(benchmark):
    module = benchmark("defaults")
    learnt = SimpleNamespace(images=np.array([0, 1, 1]), labels=np.array([0, 1, 1]), classes="ab")
    recipe = SimpleNamespace(labelled_images=lambda data: learnt, epochs=1)
    trained = SimpleNamespace(data=None, scores={"source": {"accuracy": 0.75}}, failures=())
    images = SimpleNamespace(predict=lambda x, **kwargs: np.eye(2)[x])
    trained.model = SimpleNamespace(deployable=lambda: images)

    def further(*answers):
        labels = np.arange(len(answers)) % 2
        return SimpleNamespace(images=np.array(answers), labels=labels)

    found = module.figures(recipe, trained, "dann", further(1, 1, 1, 1))
    assert (found["training"], found["source"], found["further"]) == (100, 75, 50)
    assert (found["commonest"], found["collapsed"]) == (100, True)
    found = module.figures(recipe, trained, "dann", further(0, 1, 1, 1))
    assert (found["further"], found["commonest"], found["collapsed"]) == (75, 75, False)
