import ast
import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_dtl.evaluation import figures
from keras_dtl.evaluation.inline_svg import inline_svg

HISTORY = {
    "loss": [3, 2, 1],
    "label_loss": [2, 1, 0.5],
    "val_loss": [3, 2.5, 2],
    "accuracy": [0.3, 0.5, 0.7],
    "domain_accuracy": [0.9, 0.7, 0.5],
    "learning_rate": [0.1, 0.05, 0.01],
    "reversal_strength": [0, 0.6, 0.9],
}


def draw(figure):
    """Draw as a PNG, where matplotlib's own warnings come up."""
    assert isinstance(figure, Figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    return file.getvalue()


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_figures_never_name_pyplot():
    for path in Path(figures.__file__).parent.glob("*.py"):
        code = ast.parse(path.read_text(encoding="utf-8"))
        imports = [node for node in ast.walk(code) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not any("pyplot" in ast.unparse(node) for node in imports), path


def test_curves_groups_by_kind_and_labels_axes():
    figure = figures.curves(HISTORY)
    draw(figure)
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == ["loss", "accuracy (%)", "learning rate", "reversal strength"]
    assert {axes.get_xlabel() for axes in figure.axes} == {"epoch"}
    assert [len(axes.lines) for axes in figure.axes] == [3, 2, 1, 1]
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["loss", "label loss", "val loss"]


def test_curves_of_one_epoch_stand_beside_0():
    figure = figures.curves({"loss": [2.0], "accuracy": [0.5], "rate": [1e-3], "x": [0.0]})
    draw(figure)
    for axes, highest in zip(figure.axes, (2.3, 0.575, 1.15e-3, 1.0), strict=True):
        assert [label.get_text() for label in axes.get_xticklabels()] == ["1"]
        np.testing.assert_allclose(axes.get_ylim(), (0, highest))
    negative = figures.curves({"critic": [-3.0]})
    assert negative.axes[0].get_ylim()[0] < -3


def test_color_legend_names_every_class():
    colors = np.arange(21, dtype="uint8").reshape(7, 3)
    figure = figures.color_legend([f"class $ {n}" for n in range(7)], colors)
    draw(figure)
    assert texts(figure) == [f"class $ {n}" for n in range(7)]
    found = [patch.get_facecolor()[:3] for patch in figure.axes[0].patches]
    np.testing.assert_allclose(np.array(found) * 255, colors, atol=1e-4)
    with pytest.raises(ValueError, match="colors"):
        figures.color_legend(["a"], colors)


def test_curves_draws_validation_dashed_in_the_same_color():
    loss, _, validation = figures.curves(HISTORY).axes[0].lines
    assert (loss.get_linestyle(), validation.get_linestyle()) == ("-", "--")
    assert loss.get_color() == validation.get_color()
    np.testing.assert_array_equal(loss.get_xdata(), [1, 2, 3])


def test_curves_takes_groups_and_unit():
    figure = figures.curves(HISTORY, groups={"label": ["label_loss"]}, unit="step")
    assert [axes.get_ylabel() for axes in figure.axes] == ["label"]
    assert figure.axes[0].get_xlabel() == "step"


def test_curves_leaves_no_panel_empty():
    history = {"loss": [1], "kid": [2], "learning_rate": [3], "critic_learning_rate": [4]}
    panels = figures.curves(history).axes
    assert [len(axes.lines) for axes in panels] == [1, 1, 2]


def test_curves_says_where_values_stop_being_finite():
    figure = figures.curves({"loss": [1, 0.5, np.nan, np.inf, 0.4]})
    draw(figure)
    (legend,) = figure.axes[0].get_legend().get_texts()
    assert legend.get_text() == "loss (not finite at 3)"
    draw(figures.curves({"loss": [np.nan, np.nan], "accuracy": [0.5]}))


def test_curves_goes_on_where_nothing_was_measured():
    history = {"loss": [2, 1, 1, 1], "kid": [None, 1.5, None, 1.2], "fid": [None, np.nan, None, 3]}
    figure = figures.curves(history)
    draw(figure)
    kid = figure.axes[1].get_lines()[0]
    np.testing.assert_array_equal(kid.get_xydata(), [[2, 1.5], [4, 1.2]])
    assert kid.get_marker() == "o" and figure.axes[1].get_legend() is None
    assert figure.axes[2].get_legend().get_texts()[0].get_text() == "fid (not finite at 2)"
    draw(figures.curves({"loss": [1], "kid": [None, None]}))


@pytest.mark.parametrize("history", [{}, {"loss": []}])
def test_curves_refuses_an_empty_history(history):
    with pytest.raises(ValueError, match="history is empty"):
        figures.curves(history)


@pytest.mark.parametrize("shape", [(5, 4, 6), (5, 4, 6, 1), (5, 4, 6, 3), (1, 4, 6, 4)])
def test_image_grid_places_every_image(shape):
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    figure = figures.image_grid(images, columns=3)
    draw(figure)
    (axes,) = figure.axes
    assert len(axes.images) == shape[0]
    np.testing.assert_array_equal(axes.images[-1].get_array(), np.squeeze(images[-1]))
    extents = {tuple(image.get_extent()) for image in axes.images}
    assert len(extents) == shape[0]


def test_image_grid_keeps_proportions():
    figure = figures.image_grid(np.zeros((6, 40, 20), np.uint8), columns=3)
    left, right, bottom, top = figure.axes[0].images[0].get_extent()
    assert abs(top - bottom) / (right - left) == pytest.approx(2)
    (x, y) = figure.axes[0].transData.transform([(left, top), (right, bottom)])
    assert abs(y - x)[1] / abs(y - x)[0] == pytest.approx(2)


def test_image_grid_enlarges_as_far_as_it_may():
    widths = [
        figures.image_grid(np.zeros((1, 4, 4), np.uint8), **settings).get_size_inches()[0]
        for settings in ({}, {"largest": 6}, {"largest": 100})
    ]
    np.testing.assert_allclose(widths, [2.4, 6, figures.appearance.PAGE_WIDTH])


def test_image_grid_writes_titles_and_frames():
    titles = ["a_b", "$x^", "c"]
    figure = figures.image_grid(np.zeros((3, 4, 4), np.uint8), titles, 2, [True, False, True])
    draw(figure)
    assert texts(figure) == titles
    assert len(figure.axes[0].lines) == 2


@pytest.mark.parametrize(
    ("images", "settings", "message"),
    [
        (np.zeros((2, 4, 4)), {}, "uint8.*float64"),
        (np.zeros((4, 4), np.uint8), {}, r"\(4, 4\)"),
        (np.zeros((2, 4, 4, 2), np.uint8), {}, r"\(2, 4, 4, 2\)"),
        (np.zeros((0, 4, 4), np.uint8), {}, "at least one"),
        (np.zeros((2, 4, 4), np.uint8), {"titles": ["a"]}, "`titles`.* 2, got 1"),
        (np.zeros((2, 4, 4), np.uint8), {"highlighted": [1]}, "`highlighted`"),
        (np.zeros((2, 4, 4), np.uint8), {"columns": 0}, "columns=0"),
    ],
)
def test_image_grid_refuses_bad_input(images, settings, message):
    with pytest.raises(ValueError, match=message):
        figures.image_grid(images, **settings)


@pytest.mark.parametrize("count", [2, 10, 31])
def test_confusion_matrix_names_classes_and_counts(count):
    classes = [f"class {place}" for place in range(count)]
    figure = figures.confusion_matrix(np.diag(np.arange(1, count + 1)), classes)
    draw(figure)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    assert [label.get_text() for label in axes.get_yticklabels()] == classes
    assert [label.get_text() for label in axes.get_xticklabels()] == classes
    assert texts(figure) == [str(place) for place in range(1, count + 1)]


def test_confusion_matrix_colors_the_share_of_the_row():
    figure = figures.confusion_matrix([[3, 1], [0, 0]], ["a", "b"])
    axes = figure.axes[0]
    np.testing.assert_allclose(axes.collections[0].get_array(), [[0.75, 0.25], [0, 0]])
    assert axes.yaxis_inverted()


@pytest.mark.parametrize("count", [40, 201])
def test_confusion_matrix_of_many_classes_is_small_and_lies_alike(count):
    """Of 345 classes it took 26 MB of the report, of 1000 it took 220."""
    matrix = np.diag(np.ones(count))
    matrix[2] = 0
    matrix[2, 7] = 5
    classes = [f"class {place}" for place in range(count)]
    figure = figures.confusion_matrix(matrix, classes)
    axes = figure.axes[0]
    picture = axes.images[0]
    assert (picture.get_array()[2, 7], picture.get_array()[7, 2]) == (1, 0)
    assert picture.get_extent() == [0, count, count, 0]
    assert axes.yaxis_inverted() and not axes.xaxis_inverted()
    step = -(-count // 100)
    assert [label.get_text() for label in axes.get_yticklabels()] == classes[::step]
    assert axes.get_yticks()[1] == step + 0.5
    assert len(inline_svg(figure)) < 300_000


def test_confusion_matrix_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"\(2, 2\), got \(2, 3\)"):
        figures.confusion_matrix(np.ones((2, 3)), ["a", "b"])


def test_embedding_scatter_shows_panels_domains_and_classes():
    points = np.random.default_rng(0).normal(size=(40, 2))
    labels = np.tile([0, 1, 2, -1], 10)
    domains = np.repeat(["photos", "_drawings"], 20)
    panels = {"before": points, "after": points + 1}
    figure = figures.embedding_scatter(panels, labels, domains, ["cat", "dog", "$owl"])
    draw(figure)
    assert [axes.get_xlabel() for axes in figure.axes] == ["before", "after"]
    assert texts(figure) == ["cat", "dog", "$owl"] * 2
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["photos", "_drawings"]
    assert sum(len(c.get_offsets()) for c in figure.axes[0].collections) == 40


def test_embedding_scatter_names_classes_where_the_first_domain_is():
    points = [[0, 0], [2, 2], [50, 50]]
    figure = figures.embedding_scatter({"": points}, [0, 0, 0], ["a", "a", "b"], ["cat"])
    assert figure.axes[0].texts[0].get_position() == (1, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"panels": {}}, "at least one panel"),
        ({"panels": {"x": np.zeros((3, 2))}}, r"Panel 'x'.*\(3, 2\)"),
        ({"panels": {"x": np.full((2, 2), np.nan)}}, "4 NaN"),
        ({"domains": ["a"]}, "`domains`"),
        ({"labels": [0, 1]}, "from 0 to 1"),
        ({"labels": [0.0, 0.0]}, "float64"),
    ],
)
def test_embedding_scatter_refuses_bad_input(change, message):
    good = {"panels": {"x": np.zeros((2, 2))}, "labels": [0, 0], "domains": ["a", "b"]}
    with pytest.raises(ValueError, match=message):
        figures.embedding_scatter(**good | change, classes=["cat"])


def test_embedding_scatter_refuses_more_domains_than_markers():
    with pytest.raises(ValueError, match="At most 4 domains"):
        figures.embedding_scatter({"x": np.zeros((5, 2))}, [0] * 5, list("abcde"), ["cat"])


def test_bars_show_mean_and_spread():
    figure = figures.bars({"source only": [0.5, 0.6], "DANN": 0.8}, emphasized="DANN")
    draw(figure)
    assert texts(figure) == ["55.0% ± 7.1", "80.0%"]
    assert [bar.get_width() for bar in figure.axes[0].patches] == pytest.approx([0.55, 0.8])
    assert figure.axes[0].get_xlabel() == "accuracy on the target (%)"
    first, second = (bar.get_facecolor() for bar in figure.axes[0].patches)
    assert first != second


def test_bars_show_other_quantities_as_they_are():
    figure = figures.bars({"a": 12.5, "b": [3.0, 4.0]}, "time (ms)", percent=False)
    draw(figure)
    assert texts(figure) == ["12.5", "3.5 ± 0.71"]


@pytest.mark.parametrize("values", [{}, {"a": []}, {"a": np.nan}])
def test_bars_refuse_what_is_no_number(values):
    with pytest.raises(ValueError, match="at least one finite number"):
        figures.bars(values)
