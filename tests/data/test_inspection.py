"""What `keras-dtl check` says, and that a training is refused by the same words."""

import numpy as np
import pytest
from PIL import Image

from keras_dtl.cli.__main__ import main
from keras_dtl.data import load
from keras_dtl.data.inspection import describe
from keras_dtl.data.motion import load_motion
from keras_dtl.data.pairs import load_pairs
from keras_dtl.data.summary import copy_lines, told_once
from keras_dtl.files import sha256
from keras_dtl.images import write_image
from keras_dtl.motion import forward_kinematics, write_bvh
from keras_dtl.recipes import RECIPES
from tests.walking import BODY, walking


def write(path, size=(6, 8), value=0):
    write_image(path, np.full((*size, 3), value, "uint8"))


@pytest.fixture
def pets(tmp_path):
    for value, name in enumerate(("cat", "dog")):
        for index in range(5):
            write(tmp_path / name / f"{index}.png", (6, 8 + index), value)
    (tmp_path / "cat" / "old.tga").write_bytes(b"")
    return tmp_path


def test_class_folders_are_described_as_they_are_loaded(pets):
    lines = describe(str(pets), thorough=True)
    assert lines[1:5] == [
        "2 classes: cat, dog",
        "train: 8 images (cat 4, dog 4)",
        "test: 2 images (cat 1, dog 1)",
        "sizes: 5 sizes, 8x6 to 12x6 (width x height)",
    ]
    assert "left out: 1 (pictures of the format TGA are not read)" in lines[5]
    counts = [len(load(f"folder:{pets}", split, image_size=4)) for split in ("train", "test")]
    assert counts == [8, 2]


def test_images_that_are_cut_off_are_told_with_their_number(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_dtl.data.summary.MOST_NAMED", 1)
    noise = np.random.default_rng(0).integers(0, 255, (32, 32, 3), "uint8")
    for name in ("a.png", "b.jpg", "c.jpg"):
        write_image(tmp_path / "cat" / name, noise)
    whole = [tmp_path / "cat" / name for name in ("a.png", "b.jpg")]
    for path in whole:
        path.write_bytes(path.read_bytes()[:-200])
    told = describe(str(tmp_path), thorough=True)[-3:]
    assert told[0] == "sizes: 32x32 (width x height)"
    assert told[1].startswith(f"broken: {whole[0]}: cannot be read as an image: ")
    assert told[2] == "broken: 1 more"


def test_images_that_are_learnt_and_asked_about_are_told(tmp_path):
    for split, values in {"train": range(6), "test": (3, 9, 5)}.items():
        for place, value in enumerate(values):
            write(tmp_path / split / "cat" / f"{split}{place}.png", value=value)
            write(tmp_path / split / "dog" / f"{split}{place}.png", value=20 * len(split) + place)
    [note] = [line for line in describe(str(tmp_path)) if line.startswith("note")]
    assert "2 of 6 test images are copies of images to learn from" in note
    assert "cat/test0.png" in note


def test_files_that_cannot_be_read_are_copies_of_none(tmp_path, monkeypatch):
    learnt, asked = ([tmp_path / f"{name}{i}.png" for i in range(2)] for name in ("train", "test"))
    for path in [*learnt, *asked]:
        write(path)

    def read(path):
        if path.name == "test0.png":
            raise PermissionError(13, "Permission denied", str(path))
        return sha256(path)

    monkeypatch.setattr("keras_dtl.data.summary.sha256", read)
    [note] = copy_lines([*learnt, tmp_path / "gone.png"], asked)
    assert "1 of 2 test images" in note and "test1.png" in note


def test_two_domains_and_pairs_are_told_apart(tmp_path):
    for side in "AB":
        for index in range(5):
            write(tmp_path / "pairs" / side / f"{index}.png", value=index)
            write(tmp_path / "domains" / f"train{side}" / f"{side}{index}.png")
            write(tmp_path / "domains" / f"test{side}" / f"{side}{index}.png")
    pairs = describe(str(tmp_path / "pairs"))
    assert pairs[1:] == ["train: 4 pairs, in two folders", "test: 1 pairs, in two folders"]
    domains = describe(str(tmp_path / "domains"))
    assert "two domains, A and B" in domains[0]
    assert domains.count("train: 5 images without labels") == 2


def test_single_files_that_may_be_pairs_are_said_to_be(tmp_path):
    for index in range(5):
        write(tmp_path / f"{index}.png", (8, 16))
    lines = describe(str(tmp_path), thorough=True)
    assert "train: 5 images without labels" in lines
    assert any(f"If these are pairs side by side, name them paired:{tmp_path}" in x for x in lines)
    assert describe(f"paired:{tmp_path}")[1] == "train: 4 pairs, side by side"
    write(tmp_path / "a.png", (8, 15))
    assert not any("side by side" in line for line in describe(str(tmp_path), thorough=True))


def test_masks_are_described_with_their_void(tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
    write(tmp_path / "images" / "0.png", (4, 10))
    mask = np.tile(np.array([0] * 5 + [1] * 4 + [255], "uint8"), (4, 1))
    Image.fromarray(mask).save(tmp_path / "masks" / "0.png")
    lines = describe(str(tmp_path), thorough=True)
    assert lines[1:3] == ["2 classes: 0, 1", "train: 1 images with masks"]
    assert "void: 10.0% of the pixels" in lines
    assert any(line.startswith("no split test:") for line in lines)
    Image.fromarray(np.full_like(mask, 255)).save(tmp_path / "masks" / "0.png")
    with pytest.raises(ValueError, match="are 255, which would be void"):
        describe(str(tmp_path), thorough=True)


def test_archives_names_and_motion_are_described(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((10, 4, 4), "uint8"), y=np.arange(10) % 2)
    lines = describe(str(tmp_path / "a.npz"))
    assert lines[1:3] == ["2 classes: 0, 1", "train: 8 images (0 4, 1 4)"]
    assert describe("digits")[2].startswith("train: 1438 images")
    (tmp_path / "walk").mkdir()
    (tmp_path / "walk" / "a.bvh").write_text("no motion")
    assert "1 BVH files" in describe(str(tmp_path / "walk"))[1]


def test_what_is_refused_is_refused_in_the_words_of_training(pets, capsys):
    write(pets / "train" / "cat" / "0.png")
    assert main(["check", str(pets)]) == 2
    checked = capsys.readouterr().err
    recipe = RECIPES["fine-tuning"](target=f"folder:{pets}")
    for refuse in (recipe.data_lines, recipe.load_data):
        with pytest.raises(ValueError, match="train, by its name a split") as error:
            refuse()
        assert str(error.value) in checked


def make_folder(root):
    for name in ("cat", "dog"):
        for index in range(5):
            write(root / name / f"{index}.png")
    return RECIPES["dann"](source=f"folder:{root}", target="digits"), f"folder:{root}"


def make_pairs(root):
    for side in "AB":
        for index in range(6):
            write(root / side / f"{index}.png", value=10 * (root.name == "test") + index)
    return RECIPES["pix2pix"](source=f"paired:{root}"), f"paired:{root}"


def make_masks(root):
    write(root / "images" / "0.png")
    (root / "masks").mkdir()
    Image.fromarray(np.arange(48, dtype="uint8").reshape(6, 8) % 2).save(root / "masks" / "0.png")
    return RECIPES["segmentation"](source=f"folder:{root}", target="cityscapes"), f"folder:{root}"


def make_arrays(root):
    np.savez(root / "a.npz", x_train=np.zeros((10, 4, 4), "uint8"), y_train=np.arange(10) % 2)
    return RECIPES["gmv"](source=f"npz:{root}/a.npz"), f"npz:{root}/a.npz"


def make_motion(root):
    write_bvh(root / "walk" / "old" / "1.bvh", walking(frames=20))
    return RECIPES["motion-style"](source=f"bvh:{root}"), f"bvh:{root}"


def make_clips(root):
    path = root / "clips.npz"
    positions = np.concatenate([np.zeros((4, 1, 3)), walking_positions(4)], 1)
    names = {"joint_names": ["World", *BODY], "action_names": ["walk"], "style_names": ["old"]}
    parents = [-1, *(1 + parent for parent in walking(frames=2).parents)]
    about = {"root": np.zeros((4, 3)), "offsets": [0, 4], "action": [0], "style": [0], "fps": 30}
    np.savez(path, positions=positions, parents=parents, name=["a"], **names, **about)
    return RECIPES["motion-aae"](source=f"npz:{path}"), f"npz:{path}"


def walking_positions(frames):
    return forward_kinematics(walking(frames=frames))[0]


KINDS = [make_folder, make_pairs, make_masks, make_arrays, make_motion, make_clips]


@pytest.mark.parametrize("make", KINDS)
def test_training_and_check_say_the_same_of_every_kind(make, tmp_path, capsys):
    recipe, name = make(tmp_path)
    # How a recipe divides it is its own affair.
    lines = [line for line in recipe.data_lines() if "for scoring alone" not in line]
    assert main(["check", name]) == 0
    assert len(lines) >= 2 and set(lines) <= set(capsys.readouterr().out.splitlines())
    path = name.partition(":")[2]
    assert main(["check", path]) == 0  # without saying of which kind
    assert set(lines) <= set(capsys.readouterr().out.splitlines())


def spoil_folder(root):
    write(root / "train" / "cat" / "0.png")


def spoil_pairs(root):
    (root / "A" / "0.png").unlink()


def spoil_masks(root):
    (root / "masks" / "0.png").unlink()


def spoil_arrays(root):
    np.savez(root / "a.npz", x_train=np.zeros((10, 4, 4), "uint8"), who=np.arange(10) % 2)


def spoil_motion(root):
    write_bvh(root / "07" / "02" / "1.bvh", walking(frames=20))


def spoil_clips(root):
    np.savez(root / "clips.npz", positions=0, parents=0, joint_names=0)


SPOILT = [spoil_folder, spoil_pairs, spoil_masks, spoil_arrays, spoil_motion, spoil_clips]


@pytest.mark.parametrize(("make", "spoil"), list(zip(KINDS, SPOILT, strict=True)))
def test_training_and_check_refuse_in_the_same_words(make, spoil, tmp_path, capsys):
    recipe, name = make(tmp_path)
    spoil(tmp_path)
    assert main(["check", name]) == 2
    checked = capsys.readouterr().err
    for refuse in (recipe.data_lines, recipe.load_data):
        with pytest.raises((ValueError, FileNotFoundError)) as error:
            refuse()
        assert str(error.value) in checked


def test_arrays_that_are_not_used_are_named(tmp_path):
    arrays = {"x_train": np.zeros((10, 4, 4), "uint8"), "y_train": np.arange(10) % 2}
    np.savez(tmp_path / "a.npz", **arrays, x_test=np.zeros((2, 4, 4), "uint8"))
    assert describe(str(tmp_path / "a.npz"))[-1] == "left out: the arrays x_test"


def test_names_that_are_unknown_are_told_as_by_a_training():
    for name in ("nosuch", ""):
        words = []
        for ask in (describe, RECIPES["gmv"](source=name).data_lines, lambda n=name: load(n)):
            with pytest.raises(ValueError, match="Unknown data set .*Accepted: digits") as error:
                ask(name) if ask is describe else ask()
            words.append(str(error.value))
        assert len(set(words)) == 1


def test_check_names_every_prefix_where_nothing_of_a_name_exists(capsys):
    assert main(["check", "nosuch"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "Unknown data set 'nosuch'" in told
    assert all(f"{prefix}:PATH" in told for prefix in ("folder", "npz", "paired", "bvh"))


def test_tables_of_labels_beside_images_are_said_to_be_unread(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "images" / "a.png")
    (tmp_path / "labels.csv").write_text("a.png,cat\n")
    assert any("labels.csv is not read. Classes are folders" in s for s in describe(str(tmp_path)))


def test_names_of_arrays_may_be_flags(tmp_path, capsys):
    np.savez(tmp_path / "a.npz", photos=np.zeros((10, 4, 4), "uint8"), who=np.arange(10) % 2)
    words = ["--npz-images", "photos", "--npz-labels", "who"]
    for name in (str(tmp_path / "a.npz"), f"npz:{tmp_path}/a.npz"):
        assert main(["check", name, *words]) == 0
        assert "an archive of arrays, photos and who" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "a.npz")]) == 2


def test_a_training_tells_what_check_tells(pets, capsys):
    lines = RECIPES["dann"](source=f"folder:{pets}", target="digits").data_lines()
    assert main(["check", f"folder:{pets}"]) == 0
    assert set(lines) <= set(capsys.readouterr().out.splitlines())
    assert len(lines) >= 4


def test_void_of_each_split_is_judged_as_when_it_is_loaded(tmp_path):
    for split, numbers in (("train", [0, 1, 2, 2, 1]), ("test", [0, 1, 255, 255, 255])):
        write(tmp_path / split / "images" / "0.png", (4, 5))
        (tmp_path / split / "masks").mkdir()
        mask = np.tile(np.array(numbers, "uint8"), (4, 1))
        Image.fromarray(mask).save(tmp_path / split / "masks" / "0.png")
    with pytest.raises(ValueError, match="60.0% of the pixels are 255"):
        describe(str(tmp_path), thorough=True)


def test_test_without_masks_is_said_and_does_not_keep_from_training(tmp_path):
    make_masks(tmp_path / "train")
    write(tmp_path / "test" / "images" / "0.png")
    lines = describe(str(tmp_path), "segmentation", thorough=True)
    assert "train: 1 images with masks" in lines
    assert any(x.startswith("no split test: ") and "has no folder masks" in x for x in lines)
    assert f"left out: 1 (neither image nor mask of an example): {tmp_path}/test/images/0.png" in (
        lines
    )


def test_images_in_no_pair_are_counted_and_named(tmp_path):
    make_pairs(tmp_path)
    write(tmp_path / "C" / "0.png")
    expected = f"left out: 1 (an image in none of the pairs): {tmp_path}/C/0.png"
    assert expected in describe(str(tmp_path))
    assert (f"{tmp_path}/C/0.png", "an image in none of the pairs") in load_pairs(tmp_path).skipped


def test_sides_within_splits_are_pairs(tmp_path):
    for split in ("train", "test"):
        make_pairs(tmp_path / split)
    assert describe(str(tmp_path))[1:] == [
        f"{x}: 6 pairs, in two folders" for x in ("train", "test")
    ]


def test_too_few_pairs_for_a_test_are_said(tmp_path):
    for side in "AB":
        write(tmp_path / side / "0.png")
    lines = describe(str(tmp_path))
    assert lines[1] == "train: 1 pairs, in two folders"
    assert lines[2].startswith("no split test: ") and "no pair found for the split" in lines[2]


def test_a_motion_file_among_photos_does_not_make_motion_of_them(pets):
    write_bvh(pets / "cat" / "1.bvh", walking(frames=4))
    lines = describe(str(pets))
    assert lines[1] == "2 classes: cat, dog"
    assert any("no image, by its suffix .bvh" in line for line in lines)


def test_what_the_lines_say_is_not_said_again_when_data_are_loaded(pets, tmp_path, caplog):
    """Loaded twice, as source and as target, the folder was told of four times over."""
    (pets / "dog" / "empty.png").write_bytes(b"")
    lines = describe(f"folder:{pets}")
    for index, name in enumerate(("walk_old", "walk_sad", "run_old", "run_sad")):
        write_bvh(tmp_path / "clips" / f"a_{name}_{index}.bvh", walking(frames=20))
    lines += describe(f"bvh:{tmp_path / 'clips'}")
    told = "\n".join(lines)
    assert "old.tga" in told
    assert "told by names, as a guess. Tell them in a table clips.csv" in told
    assert caplog.text == ""
    with told_once():
        for _ in range(2):
            load(f"folder:{pets}", image_size=8)
            load_motion(f"bvh:{tmp_path / 'clips'}")
    assert [record.getMessage() for record in caplog.records] == [
        f"{pets}: left out 1 of 9 image files that cannot be read. First: {pets}/dog/empty.png: "
        "cannot be read as an image: it is empty"
    ]
    load_motion(f"bvh:{tmp_path / 'clips'}")
    assert "guessed from file names" in caplog.text
