import json
from types import SimpleNamespace

import numpy as np
import pytest

from keras_dtl.cli.__main__ import main
from keras_dtl.data.motion import load_motion
from keras_dtl.data.walker import GAITS, MOODS, walker_skeleton, walks
from keras_dtl.motion import read_bvh, to_bvh, write_bvh
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.motion import require_all
from keras_dtl.recipes.motion_runs import motion_of_run
from keras_dtl.recipes.training import train

SMALL = ["--epochs", "1", "--min-steps", "2", "--batch-size", "8", "--stride", "48"]


def folder(path):
    """Write walks, a table of their labels, and a file that is cut."""
    positions, gaits, moods, _ = walks(4)
    rows = ["file,action,style"]
    for index, clip in enumerate(positions):
        labels = tuple(GAITS)[gaits[index]], tuple(MOODS)[moods[index]]
        write_bvh(path / f"{index}.bvh", to_bvh(clip, walker_skeleton(), 30.0))
        rows.append(f"{index}.bvh,{','.join(labels)}")
    text = (path / "0.bvh").read_text()
    (path / "cut.bvh").write_text(text[: len(text) // 2])
    rows.append("cut.bvh,walk,plain")
    (path / "clips.csv").write_text("\n".join(rows))
    return f"bvh:{path}"


def numbers(scores, place=""):
    """Return all figures by their place, nested no longer."""
    found = {}
    for name, value in scores.items():
        nested = isinstance(value, dict)
        found |= numbers(value, f"{place}{name}.") if nested else {place + name: value}
    return found


def test_no_clip_and_no_cell_is_in_two_parts():
    recipe = RECIPES["motion-style"](held_out=2, seed=3)
    data = recipe.load_data()
    names = [set(part.names) for part in data.split]
    assert sum(map(len, names)) == len(set.union(*names)) == 108
    assert len(np.unique(data.split.held_out.cells)) == 2
    assert not set(data.split.held_out.cells) & set(data.split.train.cells)
    mean = np.array(recipe.statistics(data)["mean"])
    np.testing.assert_allclose(mean, data.train.features.mean((0, 1)), atol=1e-3)
    settings = recipe.settings_with(data)
    assert len(settings["held_out_cells"]) == 2 and settings["skeleton"]["names"][0] == "Hips"


def test_a_style_of_which_no_clip_is_long_enough_is_refused():
    """The rest was learnt, and the style was drawn as whatever the network made of its number."""
    names = {"action_names": ("run", "walk"), "style_names": ("old", "proud")}
    clips = SimpleNamespace(actions=[0, 1, 1], styles=[0, 0, 1], **names)
    require_all(clips, clips, 48)
    with pytest.raises(ValueError, match="No clip of the style proud .*--window 48"):
        require_all(clips, SimpleNamespace(actions=[0, 1], styles=[0, 0]), 48)


def test_pairs_are_judged_by_as_many_classifiers_as_asked_for():
    recipe = RECIPES["motion-gmv"]
    assert len(recipe(filters=4, classifiers=3).classifier(7, 2).outputs) == 3
    assert recipe(agreement_weight=0.0, classifiers=0).classifier(7, 2) is None
    with pytest.raises(ValueError, match="--classifiers must be 1 or more"):
        recipe(classifiers=0).classifier(7, 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("motion-style", ["--filters", "4"]),
        ("motion-aae", ["--units", "4", "--condition", "style"]),
        ("motion-gmv", ["--filters", "4"]),
    ],
)
def test_from_a_folder_of_files_to_an_artifact_and_scored_again(name, flags, tmp_path, capsys):
    run, artifact = tmp_path / "run", tmp_path / "artifact"
    words = ["train", name, "--source", folder(tmp_path / "in"), *SMALL, *flags]
    assert main([*words, "--output", str(run), "--artifact", str(artifact)]) == 0
    assert "left out: cut.bvh" in capsys.readouterr().out
    scores = json.loads((run / "scores.json").read_text())
    for place in (run, artifact):
        assert 'href="motion.html"' in (place / "report.html").read_text()
        assert "<canvas" in (place / "motion.html").read_text()
    assert main(["evaluate", str(run), "--output", str(tmp_path / "again")]) == 0
    again = json.loads((tmp_path / "again" / "scores.json").read_text())
    assert numbers(again) == pytest.approx(numbers(scores), rel=1e-4, abs=1e-6)
    assert (tmp_path / "again" / "motion.html").exists()
    if name == "motion-style":
        style = ["--style", str(tmp_path / "in" / "1.bvh")]
        words = [str(artifact), str(tmp_path / "in"), str(tmp_path / "out")]
        assert main(["convert", *words, *style]) == 1  # one was cut
        fixed = ["export", str(run), "--style-of", style[1], "--output", str(tmp_path / "fixed")]
        assert main(fixed) == 0
        words[0], words[2] = str(tmp_path / "fixed"), str(tmp_path / "out2")
        assert main(["convert", *words]) == 1
        one, two = (read_bvh(tmp_path / out / "3.bvh").values for out in ("out", "out2"))
        np.testing.assert_allclose(one, two, atol=0.01)


@pytest.mark.slow
def test_walker_is_learnt_in_a_minute_and_its_factors_are_found(tmp_path):
    words = ["train", "motion-style", "--epochs", "4", "--output", str(tmp_path / "run")]
    assert main([*words, "--artifact", str(tmp_path / "artifact")]) == 0
    scores = json.loads((tmp_path / "run" / "scores.json").read_text())
    transfers, factors = scores["transfers"], scores["factors"]
    assert transfers["style_of_ceiling"] > 0.85 and transfers["action_of_ceiling"] > 0.9
    assert transfers["velocity"]["mean_ratio"] == pytest.approx(1, abs=0.2)
    assert transfers["physics"]["made"]["bone_deviation"] < 1e-6
    for name in ("frequency", "lean", "arms"):
        assert factors[name]["correlation"] > 0.9, name


@pytest.mark.slow
def test_what_is_drawn_for_the_walker_is_the_action_asked_for(tmp_path):
    recipe = RECIPES["motion-aae"](output=tmp_path / "run")
    samples = train(recipe).scores["samples"]
    assert samples["action_of_ceiling"] > 0.9
    # No more like what was learnt than other real clips are.
    assert samples["nearest_distance"] > 0.9 * samples["nearest_distance_real"]
    assert samples["diversity_ratio"] == pytest.approx(1, abs=0.15)


def test_one_style_is_refused_before_the_training(tmp_path):
    clips = load_motion("walker", clips_per_cell=3)
    for index in np.flatnonzero(clips.styles == 0):
        name = f"{clips.action_names[clips.actions[index]]}/plain/{index}.bvh"
        bvh = to_bvh(clips.positions[index], clips.skeleton, clips.rate)
        write_bvh(tmp_path / name, bvh)
    recipe = RECIPES["motion-style"](source=f"bvh:{tmp_path}", held_out=0)
    with pytest.raises(ValueError, match="two styles or more. Received: plain"):
        recipe.load_data()


def test_other_motion_is_counted_as_the_run_counts_it():
    recipe = RECIPES["motion-aae"](held_out=0, condition="action")
    data = recipe.load_data()
    run = {"actions": ["jump", *data.clips.action_names[::-1]], "condition": "action"}
    run |= {"styles": list(data.clips.style_names), "skeleton": data.clips.skeleton.to_json()}
    found = motion_of_run(data, run, "runs/a")
    for before, after in zip(data[1:3], found[1:3], strict=True):
        names = [data.clips.action_names[label] for label in before.actions]
        assert [run["actions"][label] for label in after.actions] == names
        np.testing.assert_array_equal(before.styles, after.styles)
    assert found.clips.action_names == tuple(run["actions"])
    with pytest.raises(ValueError, match="learnt the actions walk. Received: stroll, march among"):
        motion_of_run(data, run | {"actions": ["walk"]}, "runs/a")
    assert motion_of_run(data, run | {"actions": ["walk"], "condition": "style"}, "runs/a")
    with pytest.raises(ValueError, match="runs/a learnt motion of the joints Tail"):
        motion_of_run(data, run | {"skeleton": {"names": ["Tail"]}}, "runs/a")


def test_pairs_of_one_action_are_refused_before_the_training(monkeypatch):
    walks = load_motion("walker", clips_per_cell=3)
    walks = walks.subset(np.flatnonzero(walks.actions == 1))
    monkeypatch.setattr("keras_dtl.data.motion.load_motion", lambda *_, **__: walks)
    with pytest.raises(ValueError, match="two actions or more"):
        RECIPES["motion-gmv"](held_out=0).load_data()
    assert RECIPES["motion-style"](held_out=0).load_data()
