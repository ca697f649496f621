"""The demo data set: reproducible, plausible, and of a known difficulty."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.datasets.demo import CONCEPTS, IMPLIED, SCENE_KINDS, Demo, draw_scenes
from benchmark.datasets.lint import relevant_counts, tag_statistics
from benchmark.datasets.opening import open_dataset
from benchmark.datasets.scenes import PAINTERS, SIZE, render
from benchmark.datasets.scenes.canvas import Canvas
from benchmark.datasets.tagging import HABITS, WORDS, draw_tags
from benchmark.errors import InputError
from methods.unsupervised.itq import ITQ


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return Demo().load(tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("cache"))


def average_precision(distances, relevant):
    """Mean AP of the whole ranking; ties in random order."""
    noise = np.random.default_rng(0).random(distances.shape)
    order = np.lexsort((noise, distances), axis=1)
    hits = np.take_along_axis(relevant, order, axis=1)
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return float(((precision * hits).sum(axis=1) / hits.sum(axis=1)).mean())


def cosine_distances(X, split):
    X = X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-12)
    return -X[split.query] @ X[split.database].T


def tag_matrix(tags):
    words = {word: k for k, word in enumerate(sorted({w for given in tags for w in given}))}
    matrix = np.zeros((len(tags), len(words)), dtype=np.float32)
    for row, given in zip(matrix, tags, strict=True):
        row[[words[word] for word in given]] = 1
    return matrix


def edges(pictures):
    """Crude features: strength of horizontal and vertical edges, fine and coarse, in 4 x 4 cells.

    Brightness is divided out, so that exposure and night do not decide.
    """
    grey = np.log1p(pictures.mean(axis=3, dtype=np.float32))
    parts = []
    for step in (1, 4):
        for axis in (1, 2):
            slope = np.abs(grey - np.roll(grey, step, axis=axis))
            cells = slope.reshape(len(grey), 4, SIZE // 4, 4, SIZE // 4).mean(axis=(2, 4))
            parts.append(cells.reshape(len(grey), 16))
    return np.sqrt(np.hstack(parts))


def test_shape_and_split(demo):
    assert len(demo) == len(demo.tags) == len(demo.images) == 6000
    assert len(demo.split.query) == 500
    assert len(demo.split.database) == 5500
    assert demo.default_features == "gist"
    assert demo.name == "demo"


def test_the_parameters_decide_everything(tmp_path):
    def load(text, folder):
        return open_dataset(text, tmp_path, tmp_path / folder)

    first, again = load("demo[n=60,seed=3]", "a"), load("demo[n=60,seed=3]", "b")
    other = load("demo[n=60,seed=4]", "a")
    assert first.name == "demo[n=60,seed=3]"
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.tags == again.tags
    assert first.split.checksum == again.split.checksum
    assert first.fingerprint == again.fingerprint
    assert first.images.load(7).tobytes() == again.images.load(7).tobytes()
    assert first.fingerprint != other.fingerprint
    assert first.tags != other.tags
    assert first.images.load(7).tobytes() != other.images.load(7).tobytes()


def test_an_item_s_picture_does_not_depend_on_the_others(tmp_path):
    small, large = (Demo(n=n).load(tmp_path, tmp_path).images for n in (30, 90))
    backwards = [small.load(i).tobytes() for i in reversed(range(30))]
    assert backwards[::-1] == [large.load(i).tobytes() for i in range(30)]


def test_sizes(tmp_path):
    # The default size written out is the default.
    assert Demo(n=6000).load(tmp_path, tmp_path).name == "demo"
    big = Demo(n=40_000).load(tmp_path, tmp_path)
    assert len(big.split.query) == 2000
    assert len(big.split.database) == 38_000
    for text in ("demo[n=23]", "demo[n=-1]", "demo[seed=-1]"):
        with pytest.raises(InputError, match="n >= 24 and seed >= 0"):
            open_dataset(text, tmp_path, tmp_path)


def test_label_statistics(demo):
    per_item = demo.labels.sum(axis=1)
    shares = demo.labels.mean(axis=0)
    assert per_item.min() >= 1
    assert 3 <= per_item.mean() <= 4
    assert shares.max() > 5 * shares.min()
    assert shares.min() > 0.02
    relevant = relevant_counts(demo.labels[demo.split.query], demo.labels[demo.split.database])
    assert 0.3 < relevant.mean() / len(demo.split.database) < 0.4


def test_narrow_concepts_imply_wide_ones_and_the_subject_is_there():
    which, labels = draw_scenes(5000, np.random.default_rng(1))
    column = {concept: labels[:, k] for k, concept in enumerate(CONCEPTS)}
    for narrow, wide in IMPLIED.items():
        assert column[wide][column[narrow]].all()
    for k, kind in enumerate(SCENE_KINDS):
        assert column[kind.subject][which == k].all()
    weights = np.array([kind.weight for kind in SCENE_KINDS])
    shares = np.bincount(which, minlength=len(SCENE_KINDS)) / 5000
    np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.02)


@pytest.mark.parametrize("concept", PAINTERS)
def test_every_painter_leaves_a_mark(concept):
    canvas = Canvas({concept}, concept, np.random.default_rng(5))
    before = np.asarray(canvas.image).copy()
    PAINTERS[concept](canvas)
    assert (np.asarray(canvas.image) != before).any(axis=2).sum() >= 4


def test_pictures_are_small_and_in_colour():
    picture = render({"car", "night", "road"}, "car", np.random.default_rng(5))
    assert picture.size == (SIZE, SIZE)
    assert picture.mode == "RGB"
    by_day = render({"car", "road"}, "car", np.random.default_rng(5))
    assert np.asarray(picture).mean() < 0.6 * np.asarray(by_day).mean()


def test_concepts_settings_and_words_belong_together():
    assert set(WORDS) == set(CONCEPTS) == set(PAINTERS)
    for kind in SCENE_KINDS:
        assert {kind.subject, *kind.others} <= set(CONCEPTS)
        assert all(0 < p <= 1 for p in kind.others.values())


def test_tags_are_those_of_users(demo):
    statistics = tag_statistics(demo.tags)
    assert statistics.vocabulary > 1000
    assert 4 < statistics.mean < 7
    assert 0.02 < statistics.untagged / 6000 < 0.06
    assert statistics.once > 0.2 * statistics.vocabulary
    counts = [count for _, count in statistics.frequent]
    assert counts[0] > 3 * counts[-1]
    assert all(len(set(given)) == len(given) for given in demo.tags)
    for k, concept in enumerate(CONCEPTS):
        first = WORDS[concept].split()[0]
        named = np.array([first in given for given in demo.tags])
        present = demo.labels[:, k]
        assert 0.25 < named[present].mean() < 0.75
        assert named[~present].mean() < 0.05
    habit = np.array([HABITS[0] in given for given in demo.tags])
    assert abs(habit[demo.labels[:, 0]].mean() - habit.mean()) < 0.05


def test_words_are_bent_but_rarely():
    labels = np.ones((4000, 1), dtype=bool)
    tags = draw_tags(labels, ["sunset"], np.random.default_rng(0))
    flat = [word for given in tags for word in given]
    right = sum(word == "sunset" for word in flat)
    plural = sum(word == "sunsets" for word in flat)
    slips = {word for word in flat if word != "sunset" and sorted(word) == sorted("sunset")}
    assert 0.05 < plural / (right + plural) < 0.12
    assert len(slips) >= 3


def test_pixels_tell_something_and_tags_tell_more(tmp_path):
    """With crude edge features: chance < LSH < ITQ, clearly; and tags beat the pixels."""
    data = Demo(n=2400).load(tmp_path, tmp_path)
    split, labels = data.split, data.labels.astype(np.float32)
    relevant = labels[split.query] @ labels[split.database].T > 0
    base = relevant.mean()
    X = edges(np.array([np.asarray(data.images.load(i)) for i in range(2400)]))
    X = X - X[split.database].mean(axis=0)
    pixels = average_precision(cosine_distances(X, split), relevant)
    tags = average_precision(cosine_distances(tag_matrix(data.tags), split), relevant)

    def hamming(codes):
        return (codes[split.query][:, None] != codes[split.database][None]).sum(axis=2)

    itq = average_precision(hamming(ITQ(24, random_state=0).fit(X).encode(X)), relevant)
    planes = (np.random.default_rng(s).standard_normal((X.shape[1], 24)) for s in range(5))
    lsh = np.mean([average_precision(hamming(X @ W > 0), relevant) for W in planes])
    assert lsh > base + 0.03
    assert itq > base + 0.10
    assert itq > lsh + 0.01
    assert tags > pixels + 0.02
