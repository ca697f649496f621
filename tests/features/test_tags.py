"""Tags: the image-tag matrix, files of word vectors, skip-gram vectors, aggregation, account."""

import gzip
import os
import pickle
import subprocess
import sys
from math import log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from features.errors import FeatureError
from features.skip_gram import has_company, passes
from features.tags import (
    TagMatrix,
    account_tags,
    aggregate,
    load_word_vectors,
    skip_gram_vectors,
    tag_matrix,
)

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT / ".." / "shared" / "data"

TAGS = [("sky", "plane"), ("sky",), (), ("tree", "sky", "sky")]


# The matrix


def test_the_vocabulary_is_alphabetical_and_repeats_count_once():
    matrix = tag_matrix(TAGS)
    assert matrix.words == ("plane", "sky", "tree")
    assert matrix.dtype == bool
    expected = [[1, 1, 0], [0, 1, 0], [0, 0, 0], [0, 1, 1]]
    np.testing.assert_array_equal(matrix.toarray(), expected)


def test_tags_that_too_few_images_carry_are_dropped():
    matrix = tag_matrix([*TAGS, ("tree", "tree")], min_count=2)
    assert matrix.words == ("sky", "tree")
    np.testing.assert_array_equal(matrix.sum(axis=0), [3, 2])
    assert tag_matrix(TAGS, min_count=9).shape == (4, 0)
    assert tag_matrix([]).shape == (0, 0)


def knowing():
    matrix = tag_matrix(TAGS)
    return TagMatrix(matrix, words=matrix.words, vectors=np.arange(6.0).reshape(3, 2))


@pytest.mark.parametrize(
    "same",
    [
        lambda m: pickle.loads(pickle.dumps(m)),
        lambda m: m.copy(),
        lambda m: m.astype(float),
        lambda m: m[[0, 2]],
        lambda m: m[np.array([True, False, True, False])],
        lambda m: m[1:, :],
    ],
)
def test_copies_pickles_and_rows_keep_words_and_vectors(same):
    matrix = knowing()
    other = same(matrix)
    assert isinstance(other, TagMatrix)
    assert other.words == matrix.words
    np.testing.assert_array_equal(other.vectors, matrix.vectors)


@pytest.mark.parametrize("columns", [[2, 0], np.array([True, False, True]), slice(None, None, -2)])
def test_a_choice_of_columns_chooses_words_and_vectors(columns):
    part = knowing()[:, columns]
    numbers = np.arange(3)[columns]
    assert part.words == tuple(("plane", "sky", "tree")[j] for j in numbers)
    np.testing.assert_array_equal(part.vectors, knowing().vectors[numbers])
    np.testing.assert_array_equal(part.toarray(), knowing().toarray()[:, columns])


def test_the_matrix_is_an_ordinary_sparse_array():
    matrix = knowing()
    plain = sparse.csr_array(matrix.toarray())
    assert sparse.issparse(matrix)
    np.testing.assert_array_equal(matrix @ matrix.vectors, plain @ matrix.vectors)
    np.testing.assert_array_equal(matrix.T.toarray(), plain.T.toarray())
    np.testing.assert_array_equal(matrix.sum(axis=1), plain.sum(axis=1))
    np.testing.assert_array_equal(matrix[3].toarray(), plain[3].toarray())
    assert matrix[0, 1] and not matrix[0, 2]
    assert sparse.vstack([matrix, matrix]).shape == (8, 3)
    bare = TagMatrix(plain)
    assert (bare.words, bare.vectors) == ((), None)
    assert bare[:2].words == () and bare[:2].vectors is None


# Files

# Numbers that float32 and short decimal text hold exactly.
FILE = {
    "tiger": [1.0, -0.5, 0.25],
    "paris": [0.5, 2.0, -1.0],
    "Paris": [4.0, 4.0, 4.0],
    "Germany": [1.5, 0.0, 8.0],
    "New_York": [3.0, 2.0, 1.0],
    "ice_cream": [0.125, 0.0, 1.0],
    "café": [7.0, 7.5, 7.25],
}


def word2vec_binary(end=b"\n"):
    entries = [w.encode() + b" " + np.array(v, "<f4").tobytes() + end for w, v in FILE.items()]
    return f"{len(FILE)} 3\n".encode() + b"".join(entries)


def text(header, end=""):
    lines = [f"{w} {' '.join(map(str, v))}{end}" for w, v in FILE.items()]
    return "\n".join([header, *lines] if header else lines).encode() + b"\n"


FORMATS = {
    "word2vec binary": word2vec_binary(),
    "word2vec binary without line feeds": word2vec_binary(end=b""),
    "word2vec text": text(f"{len(FILE)} 3"),
    "fastText text": text(f"{len(FILE)} 3", end=" "),
    "GloVe text": text(""),
}


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_recognised_from_its_content(tmp_path, kind, compress):
    path = tmp_path / "vectors.dat"
    path.write_bytes(compress(FORMATS[kind]))
    vectors = load_word_vectors(path, ["tiger", "unknown", "café"])
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, [FILE["tiger"], [0, 0, 0], FILE["café"]])


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("paris", "paris"),
        ("Paris", "Paris"),
        ("TIGER", "tiger"),
        ("germany", "Germany"),
        ("GERMANY", "Germany"),
        ("new-york", "New_York"),
        ("new york", "New_York"),
        ("ice-cream", "ice_cream"),
        ("Ice-Cream", "ice_cream"),
    ],
)
def test_a_word_is_looked_up_as_written_then_lower_case_then_capitalised(tmp_path, word, found):
    path = tmp_path / "v.bin"
    path.write_bytes(word2vec_binary())
    np.testing.assert_array_equal(load_word_vectors(path, [word]), [FILE[found]])


def test_gensims_own_files_are_read_as_gensim_reads_them(tmp_path):
    from gensim.models import KeyedVectors

    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(2000)]
    model = KeyedVectors(50)
    model.add_vectors(words, rng.standard_normal((2000, 50)).astype(np.float32))
    for binary in (True, False):
        path = tmp_path / f"{binary}.txt"
        model.save_word2vec_format(str(path), binary=binary)
        asked = words[::7][::-1]
        np.testing.assert_array_equal(load_word_vectors(path, asked), model[asked])


def test_words_of_a_glove_file_may_hold_blanks(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text("the 1 2 3\n. . . 4 5 6\nsea 7 8 9\n", encoding="utf-8")
    vectors = load_word_vectors(path, ["sea", ". . .", "the"])
    np.testing.assert_array_equal(vectors, [[7, 8, 9], [4, 5, 6], [1, 2, 3]])


def test_the_first_of_two_entries_counts(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text("sea 1 2\nsea 3 4\n", encoding="utf-8")
    np.testing.assert_array_equal(load_word_vectors(path, ["sea"]), [[1, 2]])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"2 2\nsky 1 2 3\nsea 4 5 6\n", "vectors of 2 numbers.* hold 3"),
        (b"1 3\nsky 1 2 3\nsea 4 5 6\n", "more than the 1 vectors"),
        (word2vec_binary().replace(b"7 3", b"6 3", 1), "more than the 6 vectors"),
        (b"9" * 5000 + b" 3\nsky 1 2 3\n", "unknown|numbers"),
        (b"1 " * 600_000, "longer than 1 MB"),
        (b"sky 1 2\nsea" + b" 1" * 600_000 + b"\n", "longer than 1 MB"),
    ],
)
def test_files_that_contradict_their_first_line_or_have_no_lines(tmp_path, content, words):
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(FeatureError, match=words):
        load_word_vectors(path, ["sky", "sea"])


def test_a_word_may_hold_blanks_and_digits_below_a_header(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes(b"3 2\nroute 66 1 2\nsky 3 4\nsea 5 6\n")
    np.testing.assert_array_equal(load_word_vectors(path, ["route 66"]), [[1, 2]])


@pytest.fixture(scope="module")
def fasttext_model(tmp_path_factory):
    """A small fastText model with subwords, and the file that Facebook's program would write."""
    from gensim.models import FastText
    from gensim.models.fasttext import save_facebook_model

    sentences = [["tiger", "cat", "grass"], ["plane", "sky", "jet"]] * 20
    model = FastText(sentences, vector_size=8, min_count=1, bucket=100, epochs=3, seed=1, workers=1)
    path = tmp_path_factory.mktemp("fasttext") / "model.bin"
    save_facebook_model(model, str(path))
    return model, path


@pytest.mark.parametrize("name", ["model.bin", "model.bin.gz", "model"])
def test_a_fasttext_model_knows_words_by_their_parts(tmp_path, fasttext_model, name):
    model, plain = fasttext_model
    path = tmp_path / name
    content = plain.read_bytes()
    path.write_bytes(content if name == "model.bin" else gzip.compress(content))
    vectors = load_word_vectors(path, ["tiger", "Tiger", "tigers"])
    np.testing.assert_allclose(vectors[0], model.wv["tiger"], rtol=1e-6)
    np.testing.assert_array_equal(vectors[1], vectors[0])
    np.testing.assert_allclose(vectors[2], model.wv["tigers"], rtol=1e-6)
    assert not np.allclose(vectors[2], vectors[0])


BAD = {
    "nothing": (b"", "format is unknown"),
    "prose": (b"These are words.\nAnd no vectors.\n", "format is unknown"),
    "html": (b"<!DOCTYPE html>\n<html><body>404</body></html>\n", "format is unknown"),
    "zip": (b"PK\x03\x04rest", "unpack"),
    "cut binary": (word2vec_binary()[:-20], "ends after 6 of 7 vectors"),
    "cut text": (text("9 3"), "ends after 7 of 9 vectors"),
    "cut line": (text("")[:-8], "fewer than 3 numbers"),
    "no numbers": (b"sea 1 2\ntiger x y\n", "'tiger'"),
    "nan": (b"sea 1 2\ntiger nan 2\n", "'tiger' is not finite"),
    "cut gzip": (gzip.compress(word2vec_binary())[:-40], "download it again"),
    "broken gzip": (b"\x1f\x8bnonsense", "gzip"),
    "cut fastText": (b"\xba\x16\x4f\x2f\x0c\x00", "fastText"),
    "no blanks": (b"900000 300\n" + b"\xff" * 3_000_000, "format is unknown"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_line_with_its_name(tmp_path, kind):
    path = tmp_path / "vectors.bin"
    content, words = BAD[kind]
    path.write_bytes(content)
    with pytest.raises(FeatureError) as caught:
        load_word_vectors(path, ["tiger"])
    message = str(caught.value)
    assert words.lower() in message.lower() and str(path) in message
    assert len(message.splitlines()) == 1


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FeatureError, match=r"absent\.bin: No such file"):
        load_word_vectors(tmp_path / "absent.bin", ["tiger"])
    with pytest.raises(FeatureError, match="directory"):
        load_word_vectors(tmp_path, ["tiger"])


def test_real_word_vectors_cover_the_real_keywords():
    path = SHARED / "word-vectors" / "glove300-tags.bin"
    if not path.exists():
        pytest.skip("needs ../shared/data/word-vectors and corel5k")
    manifest = pd.read_csv(SHARED / "corel5k" / "manifest.csv", keep_default_na=False)
    tags = tag_matrix([tuple(given.split()) for given in manifest.tags])
    vectors = load_word_vectors(path, tags.words)
    account = account_tags(tags, vectors)
    assert (account.vocabulary, account.unknown_tags) == (374, 374 - 301)
    assert round(100 * (1 - account.unknown_assignments / account.assignments), 1) == 93.6
    similar = nearest("plane", tags.words, vectors)
    assert {"jet", "flight", "helicopter"} <= set(similar[:5])


def nearest(word, words, vectors):
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    order = np.argsort(-(units @ units[words.index(word)]))
    return [words[j] for j in order if words[j] != word]


# Skip-gram vectors


def topical_tags(n=600, topics=4, words=6, per_image=3, seed=0):
    """Images of one topic each; the words of topic t are t * words ... (t + 1) * words - 1."""
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, topics, n)
    tags = np.zeros((n, topics * words + 1), dtype=bool)
    for row, t in zip(tags, topic, strict=True):
        row[t * words + rng.choice(words, per_image, replace=False)] = True
    # A tag that stands alone.
    tags[0] = False
    tags[0, -1] = True
    return sparse.csr_array(tags)


def test_tags_that_stand_together_lie_together():
    tags = topical_tags()
    vectors = skip_gram_vectors(tags, size=50, seed=0)
    assert vectors.shape == (25, 50) and vectors.dtype == np.float32
    units = vectors[:24] / np.linalg.norm(vectors[:24], axis=1, keepdims=True)
    cosines, topic = units @ units.T, np.arange(24) // 6
    same = topic[:, None] == topic
    assert cosines[same].min() > 0.5
    assert cosines[same].min() > cosines[~same].max() + 0.2


def test_a_tag_without_company_has_no_vector():
    tags = topical_tags()
    vectors = skip_gram_vectors(tags, size=10, seed=0)
    assert not vectors[-1].any() and vectors[:-1].any(axis=1).all()
    np.testing.assert_array_equal(has_company(tags), vectors.any(axis=1))
    assert not skip_gram_vectors(sparse.csr_array(np.eye(3, dtype=bool)), size=4, seed=0).any()
    assert skip_gram_vectors(sparse.csr_array((5, 0), dtype=bool), size=4, seed=0).shape == (0, 4)


SCRIPT = """
import sys
from scipy import sparse
from features.skip_gram import skip_gram_vectors
vectors = skip_gram_vectors(sparse.load_npz(sys.argv[1]), size=20, seed=3)
sys.stdout.buffer.write(vectors.tobytes())
"""


def test_the_same_seed_gives_the_same_bytes_in_every_process(tmp_path):
    tags = topical_tags(n=200)
    sparse.save_npz(tmp_path / "tags.npz", tags)
    answers = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "tags.npz")],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads},
            capture_output=True,
            check=True,
        ).stdout
        for seed, threads in (("1", "1"), ("2", "2"))
    ]
    here = skip_gram_vectors(tags, size=20, seed=3)
    assert answers == [here.tobytes()] * 2
    assert not np.array_equal(here, skip_gram_vectors(tags, size=20, seed=4))


def test_few_images_and_many_words_need_many_passes_but_not_without_end():
    def images(n, length, vocabulary):
        return [[(i * length + k) % vocabulary for k in range(length)] for i in range(n)]

    assert passes(images(4500, 4, 400)) > 50
    assert passes(images(100_000, 8, 1000)) == 5
    assert passes(images(10, 2, 20)) == 400
    assert passes(images(2000, 400, 2000)) == 1


# Aggregation

# Four images, tags a, b, c (no vector); n(a) = 3, n(b) = 1, so N = 4 assignments with a vector.
SMALL = sparse.csr_array(np.array([[1, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1]], dtype=bool))
VECTORS = np.array([[2.0, 0.0], [0.0, 4.0], [0.0, 0.0]], dtype=np.float32)


@pytest.mark.parametrize(
    ("how", "base", "a", "b"),
    [
        ("mean", "assignments", 1, 1),
        ("tf", "assignments", 3 / 4, 1 / 4),
        ("itf", "assignments", log(4 / 3), log(4)),
        ("tf", "images", 3 / 4, 1 / 4),
        ("itf", "images", log(4 / 3), log(4)),
    ],
)
def test_aggregation_by_hand(how, base, a, b):
    expected = [[a, 2 * b], [2 * a, 0], [2 * a, 0], [0, 0]]
    w = aggregate(SMALL, VECTORS, how, base)
    assert w.dtype == np.float64
    np.testing.assert_allclose(w, expected, rtol=1e-12)


def test_the_two_meanings_of_n_differ():
    tags = sparse.csr_array(np.array([[1, 1], [1, 1], [0, 1]], dtype=bool))
    vectors = np.eye(2)
    by_tags, by_images = (aggregate(tags, vectors, "itf", base) for base in BASES)
    np.testing.assert_allclose(by_tags[0], [log(5 / 2) / 2, log(5 / 3) / 2])
    # A tag that every image carries weighs nothing.
    np.testing.assert_allclose(by_images[0], [log(3 / 2) / 2, 0])
    assert not by_images[2].any()
    np.testing.assert_allclose(aggregate(tags, vectors, "tf")[0], [2 / 5 / 2, 3 / 5 / 2])


BASES = ("assignments", "images")


@pytest.mark.parametrize("base", BASES)
def test_itf_is_never_negative(base):
    rng = np.random.default_rng(0)
    tags = sparse.csr_array(rng.random((200, 12)) < np.linspace(0.02, 1, 12))
    vectors = np.eye(12)
    vectors[3] = 0
    w = aggregate(tags, vectors, "itf", base)
    assert (w >= 0).all() and w.any()


def test_counts_in_the_matrix_change_nothing():
    counts = SMALL.astype(int) * 3
    for how in ("mean", "tf", "itf"):
        np.testing.assert_array_equal(
            aggregate(counts, VECTORS, how), aggregate(SMALL, VECTORS, how)
        )


def test_an_unknown_aggregation_is_refused():
    with pytest.raises(ValueError, match="mean, tf or itf, not 'idf'"):
        aggregate(SMALL, VECTORS, "idf")
    with pytest.raises(ValueError, match="assignments or images"):
        aggregate(SMALL, VECTORS, "mean", "words")


# The account


def test_the_account_counts_what_has_no_vector():
    account = account_tags(SMALL, VECTORS)
    assert (account.vocabulary, account.unknown_tags) == (3, 1)
    assert (account.assignments, account.unknown_assignments) == (6, 2)
    assert (account.images, account.unknown_images) == (4, 1)
    assert str(account) == (
        "2 of 3 tags have a vector (66.7 % of 6 assignments); images without such a tag are "
        "left out of tag-supervised training: 1 of 4"
    )


def test_the_account_of_skip_gram_vectors_foresees_them():
    tags = topical_tags()
    vectors = skip_gram_vectors(tags, size=10, seed=0)
    assert account_tags(tags, None) == account_tags(tags, vectors)
    assert account_tags(tags, None).unknown_images == 1
