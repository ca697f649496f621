"""What is said of metrics."""

from benchmark.protocol.catalogue import describe


def test_every_radius_has_words():
    assert "radius 3" in describe("P@r3") and "empty ball counts 0" in describe("P@r3")
    assert "radius 1" in describe("empty@r1") and "lower is better" in describe("empty@r1")
    assert describe("P@100") == "Precision among the first 100 items"
