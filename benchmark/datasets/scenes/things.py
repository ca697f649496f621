"""Painters of plants, animals, people and vehicles, and of clutter."""

from __future__ import annotations

from benchmark.datasets.scenes.canvas import CANVAS, Canvas


def forest(c: Canvas) -> None:
    """Trees side by side that hide the horizon."""
    conifer = _conifers(c)
    n = 9 + int(c.between(0, 7))
    for k, (u, v, w) in enumerate(c.several(n, 3)):
        foot = c.horizon + (CANVAS - c.horizon) * (0.05 + 0.25 * k / n + 0.1 * v)
        _plant(c, CANVAS * u, foot, 36 + 30 * w + 14 * k / n, conifer)


def tree(c: Canvas) -> None:
    """A few single trees; a picture of a forest has none."""
    if "forest" in c.contents:
        return
    conifer = _conifers(c)
    for _ in range(c.count("tree", 3, 4)):
        x, y, scale = c.on_ground()
        _plant(c, x, y, scale * c.size("tree", 18, 36, 1.7), conifer)


def _conifers(c: Canvas) -> bool:
    return c.chance(0.8 if {"snow", "mountain"} & set(c.contents) else 0.35)


def _plant(c: Canvas, x: float, foot: float, height: float, conifer: bool) -> None:
    half = height * c.between(0.03, 0.06)
    c.draw.rectangle((x - half, foot - height, x + half, foot), fill=c.lit((92, 66, 46), 14))
    leaf = c.lit((48, 92, 46), 28)
    if conifer:
        for t in (0.25, 0.5, 0.75):
            top, r = foot - height * (1.3 - t), height * (0.12 + 0.2 * t)
            base = top + 0.4 * height
            c.draw.polygon(((x - r, base), (x, top), (x + r, base)), fill=leaf)
        return
    for u, v, w in c.several(4, 3):
        cx, cy = x + 0.5 * height * (u - 0.5), foot - height * (0.7 + 0.5 * v)
        r = height * (0.14 + 0.12 * w)
        c.draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=leaf)


def boat(c: Canvas) -> None:
    end = c.shore if c.shore > c.horizon + 8 else CANVAS
    for _ in range(c.count("boat", 2, 3)):
        depth = c.between(0.1, 0.8)
        x, y = c.between(0.1, 0.9) * CANVAS, c.horizon + depth * (end - c.horizon)
        s = (0.5 + depth) * c.size("boat", 8, 15, 1.6)
        hull = (
            (x - s, y - 0.3 * s),
            (x + s, y - 0.3 * s),
            (x + 0.6 * s, y + 0.2 * s),
            (x - 0.6 * s, y + 0.2 * s),
        )
        c.draw.polygon(hull, fill=c.lit((150, 90, 80), 90))
        c.draw.line((x, y - 0.3 * s, x, y - 2 * s), fill=c.lit((90, 80, 70)), width=1)
        if c.chance(0.7):
            sail = ((x + 1, y - 2 * s), (x + 0.8 * s, y - 0.5 * s), (x + 1, y - 0.5 * s))
            c.draw.polygon(sail, fill=c.lit((235, 232, 225), 20))


def car(c: Canvas) -> None:
    for _ in range(c.count("car", 2, 2)):
        x, y, scale = c.on_ground()
        s = scale * c.size("car", 8, 13, 1.5)
        paint = c.lit((140, 110, 110), 110)
        c.draw.rectangle((x - s, y - 0.7 * s, x + s, y - 0.2 * s), fill=paint)
        cabin = (
            (x - 0.6 * s, y - 0.7 * s),
            (x - 0.35 * s, y - 1.15 * s),
            (x + 0.4 * s, y - 1.15 * s),
            (x + 0.65 * s, y - 0.7 * s),
        )
        c.draw.polygon(cabin, fill=c.lit((150, 180, 200), 20))
        for wheel in (x - 0.55 * s, x + 0.55 * s):
            c.draw.ellipse(
                (wheel - 0.22 * s, y - 0.4 * s, wheel + 0.22 * s, y + 0.05 * s),
                fill=c.lit((30, 30, 32), 10),
            )
        if "night" in c.contents:
            c.draw.ellipse(
                (x + s - 2, y - 0.6 * s, x + s + 2, y - 0.6 * s + 4), fill=(255, 240, 190)
            )


def animal(c: Canvas) -> None:
    coat = c.lit((140, 105, 75), 60)
    for _ in range(c.count("animal", 3, 3)):
        x, y, scale = c.on_ground()
        s = scale * c.size("animal", 6, 11, 2.0)
        way = 1 if c.chance(0.5) else -1
        c.draw.ellipse((x - s, y - 1.3 * s, x + s, y - 0.45 * s), fill=coat)
        head = x + way * 1.15 * s
        c.draw.ellipse((head - 0.4 * s, y - 1.7 * s, head + 0.4 * s, y - s), fill=coat)
        for leg in (-0.7, -0.4, 0.4, 0.7):
            c.draw.line(
                (x + leg * s, y - 0.7 * s, x + leg * s, y), fill=coat, width=max(1, int(s / 5))
            )


def person(c: Canvas) -> None:
    for _ in range(c.count("person", 3, 2)):
        x, y, scale = c.on_ground()
        s = scale * c.size("person", 5, 8, 3.5)
        skin, shirt = c.lit((214, 168, 138), 40), c.lit((130, 110, 130), 110)
        trousers = c.lit((60, 62, 84), 40)
        for side in (-0.25, 0.25):
            hip, step = x + side * s, x + side * s * c.between(1.0, 2.2)
            c.draw.line((hip, y - 1.6 * s, step, y), fill=trousers, width=max(1, int(0.4 * s)))
        c.draw.rectangle((x - 0.5 * s, y - 3.1 * s, x + 0.5 * s, y - 1.5 * s), fill=shirt)
        c.draw.ellipse((x - 0.4 * s, y - 4 * s, x + 0.4 * s, y - 3.1 * s), fill=skin)


def flower(c: Canvas) -> None:
    petal = c.lit((205, 110, 140), 80)
    for _ in range(c.count("flower", 9, 6)):
        x, y, scale = c.on_ground()
        r = scale * c.size("flower", 2.5, 4.5, 3.2)
        c.draw.line((x, y, x, y + 3 * r), fill=c.lit((60, 110, 50), 15), width=1)
        for dx, dy in ((-0.7, 0.2), (0.7, 0.2), (-0.4, -0.7), (0.4, -0.7), (0, 0.8)):
            cx, cy = x + dx * r, y + dy * r
            c.draw.ellipse((cx - 0.6 * r, cy - 0.6 * r, cx + 0.6 * r, cy + 0.6 * r), fill=petal)
        c.draw.ellipse(
            (x - 0.4 * r, y - 0.4 * r, x + 0.4 * r, y + 0.4 * r), fill=c.lit((235, 200, 70), 20)
        )


def bird(c: Canvas) -> None:
    feather = c.lit((70, 70, 76), 50)
    for _ in range(c.count("bird", 6, 3)):
        x, y = c.between(0.05, 0.95) * CANVAS, c.between(0.08, 1.1) * c.horizon
        s = c.size("bird", 4, 8, 3.0)
        lift, width = s * c.between(0.2, 0.7), max(2, int(s / 4))
        c.draw.line((x - s, y - lift, x, y, x + s, y - lift), fill=feather, width=width)
        c.draw.ellipse((x - 0.3 * s, y - 0.15 * s, x + 0.3 * s, y + 0.25 * s), fill=feather)


def clutter(c: Canvas) -> None:
    """A near object that is not a concept: a post, a fence, or a dark shape at the edge."""
    colour = c.lit((80, 74, 70), 40)
    kind, x = c.between(0, 3), c.between(0, 1) * CANVAS
    if kind < 1:
        c.draw.rectangle(
            (x, c.between(0.1, 0.5) * CANVAS, x + c.between(2, 6), CANVAS), fill=colour
        )
    elif kind < 2:
        y = c.between(0.75, 0.95) * CANVAS
        c.draw.line((0, y, CANVAS, y), fill=colour, width=2)
        for post in range(int(x) % 12, CANVAS, 12):
            c.draw.line((post, y - 6, post, y + 10), fill=colour, width=2)
    else:
        r, y = c.between(15, 40), c.between(0.7, 1.1) * CANVAS
        side = 0 if x < CANVAS / 2 else CANVAS
        c.draw.ellipse((side - r, y - r, side + r, y + r), fill=colour)
