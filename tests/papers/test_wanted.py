"""What tables and figures need, and what they share."""

from benchmark.papers.choice import Choice, narrowed_figure, narrowed_table
from benchmark.papers.published import main_parts, published_tables
from benchmark.papers.wanted import (
    Place,
    known_variants,
    merged,
    wanted_of_figure,
    wanted_of_table,
)


def table(table_id, choice):
    return list(wanted_of_table(narrowed_table(table_id, choice), choice))


def figure(figure_id, choice):
    return wanted_of_figure(narrowed_figure(figure_id, choice), choice)


def test_the_main_part_of_a_data_set_comes_first():
    parts = published_tables("3")
    assert main_parts(parts) == {"NUS-WIDE": parts[0], "MIR-FLICKR25K": parts[1]}
    assert list(main_parts(parts[::-1]).values()) == [parts[3], parts[2]]


def test_methods_of_ones_own_are_run_on_the_main_parts_alone():
    found = table("3", Choice(patterns=("wdht", "ksh"), bits=(12,)))
    assert {wanted.place.source: wanted.variants for wanted in found} == {
        "nuswide": ("wdht", "ksh"),
        "mirflickr25k": ("wdht", "ksh"),
        "nuswide[setting=wmh]": ("wdht",),
        "mirflickr25k[setting=wmh]": ("wdht",),
    }


def test_features_of_the_paper_go_with_data_of_papers_alone():
    assert table("ijcai-2", Choice())[0].place == Place("nuswide[labels=81]", "vgg16-fc7")
    assert table("ijcai-2", Choice(dataset="nuswide"))[0].place == Place("nuswide", "vgg16-fc7")
    assert table("ijcai-2", Choice(dataset="demo"))[0].place == Place("demo", None)


def test_what_shares_data_protocol_and_lengths_is_run_together():
    choice = Choice(patterns=("itq", "wdht"), bits=(12,))
    found = merged([*table("2", choice), *table("4", choice), *figure("2", choice).values()])
    assert [(w.place.source, w.variants) for w in found] == [
        ("nuswide", ("wdht[aggregation=itf]", "wdht[aggregation=tf]", "wdht", "itq")),
        ("mirflickr25k", ("itq", "wdht")),
    ]


def test_tables_on_one_substitute_share_it_though_the_papers_have_other_networks():
    choice = Choice(dataset="demo")
    assert {w.place for i in ("4", "ijcai-2") for w in table(i, choice)} == {Place("demo", None)}


def test_validation_is_a_place_of_its_own():
    (grid,) = figure("3", Choice()).values()
    (plain,) = [w for w in table("2", Choice()) if w.place.source == "nuswide"]
    assert grid.place.validation is not None and plain.place.validation is None
    assert grid.place.source == plain.place.source
    assert len(merged([grid, plain])) == 2


def test_codes_that_are_needed_later_are_stored_at_once():
    choice = Choice(patterns=("drsch",))
    (lengths,), (retrieval,) = (figure(i, choice).values() for i in ("ijcai-4", "ijcai-5"))
    (other,) = figure("ijcai-3", choice).values()
    assert lengths.bits != retrieval.bits
    assert [w.codes for w in merged([lengths, other])] == [False, False]
    assert [w.codes for w in merged([lengths, other, retrieval])] == [True, False, True]


def test_variants_that_cannot_be_run_have_a_reason():
    known, missing = known_variants(["itq", "no-such[a=1]", "itq"], lambda variant: variant)
    assert list(known) == ["itq"]
    assert missing == {"no-such[a=1]": "there is no method no-such in this version"}
