import numpy as np

from keras_dtl.evaluation.figures import code_grid, grid_picture, stack_rows, swap_grid, walks


def decode(codes):
    """Return an image of the two first numbers of both codes: one above the other."""
    both = [np.asarray(code)[:, 0] for code in codes]
    return np.stack(both, 1)[:, :, None, None].astype("uint8")


def pictures(*values):
    return np.array(values, "uint8").reshape(-1, 1, 1, 1)


def test_grid_has_the_real_images_on_its_margins():
    drawn = np.zeros((2, 3, 4, 4, 1), "uint8")
    rows, columns = (np.full((n, 4, 4, 1), value, "uint8") for n, value in ((2, 10), (3, 20)))
    picture = grid_picture(drawn, rows, columns)
    assert picture.shape == (12, 16, 3)
    assert (picture[:4, 4:] == 20).all() and (picture[4:, :4] == 10).all()
    assert (picture[4:, 4:] == 0).all() and (picture[:4, :4] == 255).all()


def test_rows_have_a_content_and_columns_a_style():
    grid = code_grid(decode, np.array([[1], [2]]), np.array([[10], [20], [30]]))[..., 0]
    np.testing.assert_array_equal(grid[::2], [[1, 1, 1], [2, 2, 2]])
    np.testing.assert_array_equal(grid[1::2], [[10, 20, 30]] * 2)


def test_exchange_has_the_style_of_its_row_and_the_content_of_its_column():
    exchange = lambda pair: pair[0] + pair[1]  # noqa: E731
    grid = swap_grid(exchange, pictures(10, 20), pictures(1, 2, 3))[..., 0]
    np.testing.assert_array_equal(grid, [[255, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]])


def test_rows_of_grey_and_of_colour_are_joined():
    colour = np.zeros((2, 1, 1, 3), "uint8") + np.array([1, 2, 3], "uint8")
    picture = stack_rows([pictures(7, 8), colour])
    np.testing.assert_array_equal(picture, [[[7] * 3, [8] * 3], [[1, 2, 3]] * 2])


def test_walks_end_at_the_other_image_and_change_one_code():
    ends = np.array([[0.0], [9.0]], "float32")
    picture = walks(decode, ends, 10 * ends, steps=4)
    along_style, along_content = picture[:2, :, 0], picture[2:, :, 0]
    np.testing.assert_array_equal(along_style, [[0, 0, 0, 0], [0, 30, 60, 90]])
    np.testing.assert_array_equal(along_content, [[0, 3, 6, 9], [0, 0, 0, 0]])
