"""The feature cache: computed once, resumable, checked, and unmoved by bad images."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock

from features.cache import cached_features
from features.errors import FeatureError

#: Extractor and images of a test, in a module of its own so that a child process has them too.
FAKES = '''
import time
import numpy as np
from PIL import Image


class Numbers:
    """Image i is filled with colour i; those in `bad` cannot be read."""

    def __init__(self, n, bad=()):
        self.n, self.bad, self.loaded = n, set(bad), []

    def __len__(self):
        return self.n

    def name(self, i):
        return f"{i}.png"

    def load(self, i):
        self.loaded.append(i)
        if i in self.bad:
            raise OSError(f"image {i} is broken")
        return Image.new("RGB", (2, 2), (i, 2 * i % 256, 255 - i))


class Means:
    """Mean colour as a vector; slow on demand."""

    name = "means"
    n_features = 3
    dtype = "<f4"

    def __init__(self, seconds=0.0, version="1"):
        self.seconds = seconds
        self.identity = {"extractor": "means", "weights": "none", "version": version}

    def prepare(self, image):
        return np.asarray(image, dtype=np.float32)

    def extract(self, batch):
        time.sleep(self.seconds)
        return batch.mean(axis=(1, 2))
'''


@pytest.fixture
def fakes(tmp_path):
    path = tmp_path / "fakes.py"
    path.write_text(FAKES)
    spec = importlib.util.spec_from_file_location("fakes", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def messages():
    return []


@pytest.fixture
def fetch(tmp_path, messages):
    def fetch(images, extractor, fingerprint="data", **options):
        return cached_features(
            images, extractor, tmp_path / "cache", fingerprint, log=messages.append, **options
        )

    return fetch


def expected(n):
    i = np.arange(n, dtype=np.float32)
    return np.stack([i, 2 * i % 256, 255 - i], axis=1)


def leftovers(file):
    return sorted(
        p.name for p in file.path.parent.iterdir() if ".part" in p.name or ".tmp" in p.name
    )


@pytest.mark.parametrize("n", [1, 7, 8, 9, 30])
def test_rows_belong_to_their_images(fakes, fetch, n):
    file = fetch(fakes.Numbers(n), fakes.Means(), batch_size=4)
    X = file.open()
    assert X.dtype == np.float32
    assert isinstance(X, np.memmap)
    assert not X.flags.writeable
    np.testing.assert_array_equal(X, expected(n))
    assert file.unreadable == ()
    assert leftovers(file) == []


def test_second_call_reads_no_image_and_loads_no_network(fakes, fetch):
    first = fetch(fakes.Numbers(20), fakes.Means())

    class Untouchable(fakes.Means):
        @property
        def n_features(self):
            raise AssertionError("the network was loaded")

    images = fakes.Numbers(20)
    second = fetch(images, Untouchable())
    assert second == first
    assert images.loaded == []


def test_unreadable_images_are_zero_rows_and_named(fakes, fetch):
    for _ in range(2):
        file = fetch(fakes.Numbers(20, bad=(0, 3, 19)), fakes.Means(), batch_size=4)
        assert file.unreadable == (0, 3, 19)
        assert file.reasons[1] == "image 3 is broken"
    wanted = expected(20)
    wanted[[0, 3, 19]] = 0
    np.testing.assert_array_equal(file.open(), wanted)


def test_a_whole_batch_may_be_unreadable(fakes, fetch):
    file = fetch(fakes.Numbers(12, bad=range(4, 8)), fakes.Means(), batch_size=4)
    assert file.unreadable == (4, 5, 6, 7)
    np.testing.assert_array_equal(file.open()[8:], expected(12)[8:])


def test_no_readable_image_is_an_error_and_leaves_nothing(fakes, fetch, tmp_path):
    with pytest.raises(FeatureError, match=r"none of the 5 images .* 0\.png: image 0 is broken"):
        fetch(fakes.Numbers(5, bad=range(5)), fakes.Means())
    assert [p.suffix for p in (tmp_path / "cache").iterdir()] == [".lock"]
    np.testing.assert_array_equal(fetch(fakes.Numbers(5), fakes.Means()).open(), expected(5))


def test_key_holds_data_and_everything_that_determines_the_vectors(fakes, fetch):
    images = fakes.Numbers(5)
    paths = {
        fetch(images, fakes.Means()).path,
        fetch(images, fakes.Means(), fingerprint="other").path,
        fetch(images, fakes.Means(version="2")).path,
    }
    assert len(paths) == 3
    sidecar = json.loads(sorted(paths)[0].with_suffix(".json").read_text())
    assert sidecar["spec"].keys() == {"dataset", "images", "extractor", "weights", "version"}


def truncate(path):
    path.write_bytes(path.read_bytes()[:-5])


def change_one_byte(path):
    data = bytearray(path.read_bytes())
    data[-7] ^= 1
    path.write_bytes(data)


def append_one_byte(path):
    path.write_bytes(path.read_bytes() + b"x")


def lose_sidecar(path):
    path.with_suffix(".json").unlink()


def garble_sidecar(path):
    path.with_suffix(".json").write_text('{"spec": [')


@pytest.mark.parametrize(
    "damage", [truncate, change_one_byte, append_one_byte, lose_sidecar, garble_sidecar]
)
def test_damage_is_noticed_and_repaired(fakes, fetch, messages, damage):
    first = fetch(fakes.Numbers(20), fakes.Means())
    damage(first.path)
    messages.clear()
    second = fetch(fakes.Numbers(20), fakes.Means())
    assert "altered or truncated" in messages[0]
    assert second == first
    np.testing.assert_array_equal(second.open(), expected(20))


def test_pickled_array_is_never_loaded(fakes, fetch):
    file = fetch(fakes.Numbers(3), fakes.Means())
    np.save(file.path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        file.open()
    np.testing.assert_array_equal(fetch(fakes.Numbers(3), fakes.Means()).open(), expected(3))


def start_slow_extraction(tmp_path):
    """A child process that extracts 40 images, 4 every 0.1 s; returns once some are done."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from fakes import Means, Numbers\n"
        "from features.cache import cached_features\n"
        "cached_features(Numbers(40, bad=[2]), Means(0.1), sys.argv[2], 'data', batch_size=4)\n"
    )
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), str(tmp_path / "cache")],
        cwd=root,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and child.poll() is None:
        for note in (tmp_path / "cache").glob("*.part.json"):
            if json.loads(note.read_text())["done"] >= 12:
                return child, note
        time.sleep(0.01)
    child.kill()
    raise AssertionError("the child never got far enough")


def test_killed_extraction_goes_on_where_it_stopped(fakes, fetch, messages, tmp_path):
    child, note = start_slow_extraction(tmp_path)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    done = json.loads(note.read_text())["done"]
    assert 12 <= done < 40
    images = fakes.Numbers(40, bad=[2])
    file = fetch(images, fakes.Means(), batch_size=4)
    assert sorted(images.loaded) == list(range(done, 40))
    assert f"resuming at image {done} of 40" in messages
    assert file.unreadable == (2,)
    assert leftovers(file) == []
    whole = fetch(fakes.Numbers(40, bad=[2]), fakes.Means(), batch_size=4)
    assert whole == file
    wanted = expected(40)
    wanted[2] = 0
    np.testing.assert_array_equal(file.open(), wanted)


class Interrupted(Exception):
    pass


def interrupt(fakes, fetch, after):
    """Leave a partial file behind: the extractor fails after that many batches."""

    class Failing(fakes.Means):
        left = after

        def extract(self, batch):
            if self.left == 0:
                raise Interrupted
            self.left -= 1
            return super().extract(batch)

    with pytest.raises(Interrupted):
        fetch(fakes.Numbers(20), Failing(), batch_size=4)


def test_what_was_written_after_the_last_note_is_cut_off(fakes, fetch, tmp_path):
    interrupt(fakes, fetch, after=2)
    (partial,) = (tmp_path / "cache").glob("*.part.npy")
    partial.write_bytes(partial.read_bytes() + b"half a row")
    images = fakes.Numbers(20)
    file = fetch(images, fakes.Means(), batch_size=4)
    assert min(images.loaded) == 8
    np.testing.assert_array_equal(file.open(), expected(20))
    assert (
        file.path.stat().st_size == json.loads(file.path.with_suffix(".json").read_text())["bytes"]
    )


@pytest.mark.parametrize("damage", [truncate, change_one_byte, Path.unlink])
def test_damaged_partial_file_is_thrown_away(fakes, fetch, messages, tmp_path, damage):
    interrupt(fakes, fetch, after=2)
    (partial,) = (tmp_path / "cache").glob("*.part.npy")
    damage(partial)
    images = fakes.Numbers(20)
    file = fetch(images, fakes.Means(), batch_size=4)
    assert min(images.loaded) == 0
    assert any("extraction starts again" in message for message in messages)
    np.testing.assert_array_equal(file.open(), expected(20))


def test_kill_between_sidecar_and_rename_loses_nothing(fakes, fetch, monkeypatch):
    replace = os.replace

    def fail_on_the_array(source, target):
        if str(target).endswith(".npy"):
            raise Interrupted
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail_on_the_array)
    with pytest.raises(Interrupted):
        fetch(fakes.Numbers(20), fakes.Means())
    monkeypatch.setattr(os, "replace", replace)
    images = fakes.Numbers(20)
    np.testing.assert_array_equal(fetch(images, fakes.Means()).open(), expected(20))
    assert images.loaded == []


def test_a_second_process_waits_and_then_reads(fakes, fetch, messages):
    done = fetch(fakes.Numbers(4), fakes.Means())
    done.path.unlink()
    lock = FileLock(str(done.path.with_suffix(".lock")))
    lock.acquire()
    waiting = threading.Thread(target=fetch, args=(fakes.Numbers(4), fakes.Means()), daemon=True)
    waiting.start()
    deadline = time.monotonic() + 10
    while not any("waiting for another" in m for m in messages) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert waiting.is_alive()
    lock.release()
    waiting.join(10)
    assert not waiting.is_alive()


def test_vectors_that_are_not_finite_are_refused(fakes, fetch):
    class Bad(fakes.Means):
        def extract(self, batch):
            return np.full((len(batch), 3), np.nan, np.float32)

    with pytest.raises(FeatureError, match="NaN or infinite"):
        fetch(fakes.Numbers(4), Bad())


@pytest.mark.parametrize(
    "vectors", [np.zeros((2, 1)), np.zeros((2, 4)), np.zeros((1, 3)), np.zeros(3)]
)
def test_vectors_of_another_shape_are_refused(fakes, fetch, vectors):
    extractor = fakes.Means()
    extractor.extract = lambda batch: vectors
    with pytest.raises(FeatureError, match=r"extract\(\) must give an array \(2, 3\), not"):
        fetch(fakes.Numbers(2), extractor)


def test_prepared_images_of_several_shapes_are_refused(fakes, fetch):
    extractor = fakes.Means()
    extractor.prepare = lambda image: np.zeros((2, image.getpixel((0, 0))[0] + 1))
    with pytest.raises(FeatureError, match=r"one shape, not \(2, 1\) and \(2, 2\)"):
        fetch(fakes.Numbers(2), extractor)


def test_folder_that_cannot_be_made_is_one_clear_line(fakes, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FeatureError, match="feature cache") as caught:
        cached_features(fakes.Numbers(4), fakes.Means(), tmp_path / "file" / "cache", "data")
    assert "\n" not in str(caught.value)


def test_full_disk_is_told_before_the_work(fakes, fetch, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=100))
    images = fakes.Numbers(200)
    with pytest.raises(FeatureError, match="free space"):
        fetch(images, fakes.Means())
    assert images.loaded == []


def test_rows_keep_their_order_whichever_thread_is_first(fakes, fetch):
    class Jittery(fakes.Numbers):
        def load(self, i):
            time.sleep(0.003 * (i % 3 == 0))
            return super().load(i)

    np.testing.assert_array_equal(
        fetch(Jittery(50), fakes.Means(), batch_size=8).open(), expected(50)
    )
