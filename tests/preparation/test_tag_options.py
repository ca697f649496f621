"""Tags in a run: word vectors, minimum count, and what cells, tables and messages say of them."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmark.preparation.bundle import open_bundle

USES_TAGS = """
        assert type(tags).__name__ == "TagMatrix" and len(tags.words) == tags.shape[1]
        from methods.tag_vectors import word_vectors
        assert word_vectors(tags).shape[0] == tags.shape[1]
"""


@pytest.fixture
def method(plugin):
    """Options that run a method with tags beside one without."""
    path = plugin(supervision="tags", body=USES_TAGS)
    return ("--plugin", path, "--methods", "mine", "lsh", "--bits", "8")


@pytest.fixture
def vectors(tmp_path):
    """A file of word vectors that knows four of the five tags."""
    lines = [f"{word} {i} 1 {i * i}" for i, word in enumerate(["tag0", "tag1", "tag2", "common"])]
    path = tmp_path / "vectors.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def records(tmp_path, method):
    files = sorted((tmp_path / "results/cells").glob(f"*/{method}/*/run.json"))
    return [json.loads(path.read_text()) for path in files]


def the_bundle(tmp_path):
    (path,) = (tmp_path / "results/cache/bundles").glob("bundle-*")
    return open_bundle(path)


def test_word_vectors_reach_the_methods_with_the_tags(run, method, vectors, tmp_path):
    status, _, err = run(*method, "--word-vectors", vectors)
    assert status == 0, err
    tags = the_bundle(tmp_path).train_tags
    assert tags.words == ("common", "tag0", "tag1", "tag2", "tag3")
    expected = [[3, 1, 9], [0, 1, 0], [1, 1, 1], [2, 1, 4], [0, 0, 0]]
    np.testing.assert_array_equal(tags.vectors, expected)


def test_without_word_vectors_there_are_none(run, method, tmp_path):
    assert run(*method)[0] == 0
    tags = the_bundle(tmp_path).train_tags
    assert tags.vectors is None and len(tags.words) == 5


def test_the_account_is_one_line_of_a_run_that_uses_tags(run, method, vectors, data_folder):
    manifest = pd.read_csv(data_folder / "manifest.csv", keep_default_na=False)
    manifest.loc[:2, "tags"] = ["", "tag3", "common"]
    manifest.to_csv(data_folder / "manifest.csv", index=False)
    tags = manifest.tags[manifest.split != "query"].str.split()
    total, lost = tags.map(len).sum(), tags.map(lambda given: "tag3" in given).sum()
    err = run(*method, "--word-vectors", vectors)[2]
    expected = (
        f"blobs: word vectors from vectors.txt: 4 of 5 tags have a vector "
        f"({100 * (1 - lost / total):.1f} % of {total} assignments); images without such a "
        "tag are left out of tag-supervised training: 2 of 360"
    )
    assert [line.startswith(expected) for line in err.splitlines()].count(True) == 1, err
    assert "tags have a vector" not in run("--methods", "lsh", "--bits", "8")[2]


def test_a_cell_that_uses_tags_says_which(run, method, vectors, tmp_path):
    run(*method, "--word-vectors", vectors, "--min-tag-count", 2)
    (record,) = records(tmp_path, "mine")
    said = record["specification"]["tags"]
    assert said["min_count"] == 2 and said["word_vectors"]["file"] == "vectors.txt"
    assert record["tag_account"]["unknown_tags"] == 1
    (other,) = records(tmp_path, "lsh")
    assert "tags" not in other["specification"] and "tag_account" not in other
    page = (tmp_path / "results/blobs/blobs/tables/all.md").read_text()
    assert "- Tags: word vectors from vectors.txt; tags in at least 2 training images." in page


def test_other_word_vectors_change_only_the_cells_that_use_tags(run, method, vectors, tmp_path):
    run(*method)
    run(*method, "--word-vectors", vectors)
    run(*method, "--min-tag-count", 3)
    vectors.write_text(vectors.read_text().replace("tag1 1", "tag1 7"), encoding="utf-8")
    run(*method, "--word-vectors", vectors)
    assert len(records(tmp_path, "mine")) == 4
    assert len(records(tmp_path, "lsh")) == 1
    origins = [r["specification"]["tags"]["word_vectors"] for r in records(tmp_path, "mine")]
    assert sum(origin == "skip-gram on the training tags" for origin in origins) == 2
    page = (tmp_path / "results/blobs/blobs/tables/all.md").read_text()
    assert "- Tags: word vectors from vectors.txt." in page


def test_the_page_of_methods_without_tags_is_silent_about_them(run, vectors, tmp_path):
    run("--methods", "lsh", "--bits", "8", "--word-vectors", vectors)
    assert "- Tags" not in (tmp_path / "results/blobs/blobs/tables/all.md").read_text()


def test_a_file_of_word_vectors_is_read_once(run, method, vectors, monkeypatch):
    import features.tags

    calls, read = [], features.tags.load_word_vectors
    monkeypatch.setattr(
        features.tags, "load_word_vectors", lambda *given: calls.append(given) or read(*given)
    )
    for bits in (8, 12):
        assert run(*method[:-1], bits, "--word-vectors", vectors)[0] == 0
    renamed = vectors.rename(vectors.with_name("other.txt"))
    assert run(*method, "--word-vectors", renamed)[0] == 0
    assert len(calls) == 1


@pytest.mark.parametrize("damage", ["train_words.json", "train_vectors.npy"])
def test_damaged_tags_of_a_bundle_are_written_again(run, method, vectors, tmp_path, damage):
    run(*method, "--word-vectors", vectors)
    (path,) = (tmp_path / "results/cache/bundles").glob(f"*/{damage}")
    whole = path.read_bytes()
    path.write_bytes(whole[:10])
    assert run(*method, "--word-vectors", vectors, "--rerun", "all")[0] == 0
    assert path.read_bytes() == whole


def test_damaged_vectors_in_the_cache_are_looked_up_again(run, method, vectors, tmp_path):
    run(*method, "--word-vectors", vectors)
    (path,) = (tmp_path / "results/cache/word-vectors").glob("*.npy")
    path.write_bytes(path.read_bytes()[:-5])
    assert run(*method, "--word-vectors", vectors, "--min-tag-count", 2)[0] == 0
    assert len(np.load(path)) == 5


def test_rare_tags_are_dropped(run, method, data_folder, tmp_path):
    manifest = pd.read_csv(data_folder / "manifest.csv", keep_default_na=False)
    manifest.loc[:1, "tags"] += " rare"
    manifest.to_csv(data_folder / "manifest.csv", index=False)
    run(*method, "--min-tag-count", 3)
    assert "rare" not in the_bundle(tmp_path).train_tags.words


@pytest.mark.parametrize(
    ("arguments", "content", "words"),
    [
        (["--word-vectors", "absent.bin"], None, ["absent.bin", "no such file"]),
        (["--word-vectors", "FILE"], "no vectors in here\n", ["FILE", "word2vec"]),
        (["--word-vectors", "FILE"], "", ["FILE", "word2vec"]),
        (["--word-vectors", "FILE"], "tag0 1 2\ntag1 1\n", ["FILE", "fewer than 2 numbers"]),
        (["--word-vectors", "FILE"], "maison 1 2\nchat 3 4\n", ["FILE", "none of the 5", "common"]),
        (["--word-vectors", "FILE"], "tag0 0 0\n", ["FILE", "none of the 5"]),
        (["--min-tag-count", "361"], None, ["--min-tag-count 361", "lower it"]),
        (["--min-tag-count", "0"], None, ["--min-tag-count", "'0'"]),
    ],
)
def test_bad_tag_options_end_before_any_work(run, tmp_path, arguments, content, words):
    path = tmp_path / "bad.txt"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    for more in ((), ("--dry-run",)):
        status, out, err = run(*(str(path) if a == "FILE" else a for a in arguments), *more)
        assert (status, out) == (2, "")
        (line,) = err.strip().splitlines()
        for word in words:
            assert (str(path) if word == "FILE" else word) in line
    assert not (tmp_path / "results/cells").exists()
    assert not (tmp_path / "results/cache/bundles").exists()


def test_word_vectors_for_data_without_tags_are_refused(run, vectors, data_folder):
    manifest = pd.read_csv(data_folder / "manifest.csv", keep_default_na=False)
    manifest.assign(tags="").to_csv(data_folder / "manifest.csv", index=False)
    status, _, err = run("--word-vectors", vectors)
    assert status == 2 and "has no tags" in err
    assert run("--methods", "lsh", "--bits", "8", "--min-tag-count", 5)[0] == 0
