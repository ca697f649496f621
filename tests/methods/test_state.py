"""Fitted methods written down and read again, in this process and in a fresh one."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
from test_golden import items

from benchmark.registry import methods
from methods.state import StateError, from_arrays, to_arrays

#: Parameters that keep a fit short, of the methods that have them.
SHORT = {"epochs": 1, "pretrain_epochs": 1, "n_anchors": 30, "n_labelled": 60, "n_iter": 3}

READ_AGAIN = """
import json, sys
from pathlib import Path
import numpy as np
from methods.state import from_arrays
folder = Path(sys.argv[1])
X = np.load(folder / "X.npy")
found = {}
for path in sorted(folder.glob("*.npz")):
    with np.load(path, allow_pickle=False) as arrays:
        hasher = from_arrays(arrays)
    codes = [hasher.encode(X), hasher.encode_queries(X)]
    found[path.stem] = [str(np.asarray(c).dtype) + np.asarray(c).tobytes().hex() for c in codes]
print(json.dumps(found))
"""


def fitted(name):
    X, tags, labels = items()
    hasher = methods.find(name).load()(8, random_state=0)
    short = {key: value for key, value in SHORT.items() if key in hasher.get_params()}
    hasher.set_params(**short)
    wanted = hasher.supervised_by(tags=tags, labels=labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hasher.fit(X, **wanted)


def codes_of(hasher, X):
    codes = [np.asarray(hasher.encode(X)), np.asarray(hasher.encode_queries(X))]
    return [str(c.dtype) + c.tobytes().hex() for c in codes]


def check_in_a_fresh_process(folder, names):
    X = np.ascontiguousarray(items()[0][200:])
    np.save(folder / "X.npy", X)
    expected = {}
    for name in names:
        hasher = fitted(name)
        np.savez(folder / f"{name}.npz", **to_arrays(hasher))
        expected[name] = codes_of(hasher, X)
    command = [sys.executable, "-c", READ_AGAIN, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected


def test_codes_are_the_same_in_a_fresh_process(tmp_path):
    """One method of each kind: arrays, anchors, a network."""
    check_in_a_fresh_process(tmp_path, ["itq", "agh", "wdht"])


@pytest.mark.slow
def test_every_method_gives_the_same_codes_in_a_fresh_process(tmp_path):
    check_in_a_fresh_process(tmp_path, methods.names())


def test_parameters_and_losses_come_back():
    before = fitted("itq")
    after = from_arrays(to_arrays(before))
    assert after.get_params() == before.get_params()
    np.testing.assert_array_equal(after.losses_, before.losses_)
    assert vars(after).keys() == vars(before).keys()


def changed(arrays, change):
    tree = json.loads(str(arrays["state"]))
    change(tree)
    return arrays | {"state": np.array(json.dumps(tree))}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("os:system", "os, which is not known here"),
        ("torch:os.system", "is of another module"),
        ("methods.base:nothing", "which is not there"),
        ("json:JSONDecoder", "json, which is not known here"),
    ],
)
def test_a_file_cannot_name_what_is_not_of_the_methods(name, message):
    arrays = to_arrays(fitted("lsh"))
    for kind in ("object", "name", "named"):
        tree = {kind: name, "attributes": {}, "items": []}
        wrong = changed(arrays, lambda whole, tree=tree: whole.update(hasher=tree))
        with pytest.raises(StateError, match=message):
            from_arrays(wrong)


def test_what_is_no_model_is_refused():
    arrays = to_arrays(fitted("lsh"))
    with pytest.raises(StateError, match="not a stored model"):
        from_arrays({"state": np.array("no")})
    with pytest.raises(StateError, match="not a stored model"):
        from_arrays({})
    with pytest.raises(StateError, match="has the format 99"):
        from_arrays(changed(arrays, lambda tree: tree.update(format=99)))
    with pytest.raises(StateError, match="not a stored method but a int"):
        from_arrays(changed(arrays, lambda tree: tree.update(hasher=3)))


def test_what_cannot_be_stored_is_refused():
    hasher = fitted("lsh")
    hasher.odd_ = np.array([object()], dtype=object)
    with pytest.raises(StateError, match="array of Python objects"):
        to_arrays(hasher)
    hasher.odd_ = lambda x: x
    with pytest.raises(StateError, match="belongs to no module that can be read again"):
        to_arrays(hasher)
