"""README's first Python, and what its benchmark makes of it."""

import pytest


def test_another_seed_takes_the_place_of_readmes(benchmark):
    code = benchmark("readme_example").example(7)
    assert "set_random_seed(7)" in code
    assert "set_random_seed(0)" not in code
    compile(code, "README.md", "exec")


def test_gains_of_8_points_are_counted(benchmark):
    runs = {
        "0": {"SourceOnly": 50.0, "DANN": 58.0, "seconds": 50},
        "1": {"SourceOnly": 48.0, "DANN": 55.0, "seconds": 52},
    }
    found = benchmark("readme_example").result_of(runs)
    assert found["gains_of_8_points"] == "1 of 2"
    assert (found["gain"]["mean"], found["gain"]["least"]) == (7.5, 7.0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_example_learns_and_exports(benchmark, seed):
    found = benchmark("readme_example").run_once(seed)
    assert found["exported"]
    assert min(found["SourceOnly"], found["DANN"]) > 35  # chance is 10
