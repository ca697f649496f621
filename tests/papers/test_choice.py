"""What the user narrows tables and figures to."""

import pytest

from benchmark.errors import InputError
from benchmark.papers.choice import Choice, narrowed_figure, narrowed_table, others_of_table


def test_a_choice_narrows_rows_and_lengths():
    parts = narrowed_table("2", Choice(patterns=("wdht[aggregation=tf]",), bits=(24, 99)))
    assert [(row.variant, part.bits) for part in parts for row in part.rows] == [
        ("wdht[aggregation=tf]", (24,))
    ]
    assert len(narrowed_table("2", Choice(patterns=("wdht",)))[0].rows) == 3
    assert len(narrowed_table("4", Choice(patterns=("s*",)))[0].rows) == 2
    with pytest.raises(InputError, match="--bits: table 2 has only 12, 24, 32 and 48 bits"):
        narrowed_table("2", Choice(bits=(8,)))


def test_a_figure_of_one_length_says_so():
    with pytest.raises(InputError, match="--bits: figure 3 has only 32 bits"):
        narrowed_figure("3", Choice(bits=(8,)))


def test_methods_of_ones_own_and_of_other_tables():
    rows = ["itq", "wdht[aggregation=tf]"]
    assert Choice(patterns=("lsh", "itq", "s*", "wdht")).others(rows) == ("lsh",)
    with pytest.raises(InputError, match="unknown method 'no-such'"):
        Choice(patterns=("no-such",)).others(rows)


def test_others_of_a_table_are_sought_in_the_whole_table():
    assert others_of_table("2", Choice(patterns=("wdht[aggregation=tf]", "itq"))) == ("itq",)


def test_methods_of_ones_own_are_drawn_but_not_among_the_settings_of_a_grid():
    choice = Choice(patterns=("lsh", "sph"))
    assert list(narrowed_figure("ijcai-3", choice).rows.items()) == [("LSH", "lsh"), ("sph", "sph")]
    with pytest.raises(InputError, match="figure 3 has none of them"):
        narrowed_figure("3", choice)


def test_another_data_set_takes_the_place_of_all_of_the_papers():
    assert narrowed_figure("2", Choice(dataset="demo")).blocks == {"demo": "demo"}
