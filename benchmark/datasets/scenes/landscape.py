"""Painters of sky, land and buildings, from the far to the near."""

from __future__ import annotations

from benchmark.datasets.scenes.canvas import CANVAS, Canvas


def sunset(c: Canvas) -> None:
    x, r = c.between(0.1, 0.9) * CANVAS, c.size("sunset", 6, 11, 1.5)
    y = c.horizon - c.between(-0.4, 1.8) * r
    for k, colour in ((2.0, (250, 165, 85)), (1.0, (255, 228, 150))):
        box = (x - k * r, y - k * r, x + k * r, y + k * r)
        c.draw.ellipse(box, fill=c.jitter(colour, 12))
    for u, v, w in c.several(4, 3):
        band = c.horizon * (0.45 + 0.5 * u)
        left = CANVAS * (1.4 * v - 0.4)
        box = (left, band, left + CANVAS * (0.3 + 0.5 * w), band + 1 + 2 * w)
        c.draw.ellipse(box, fill=c.jitter((215, 110, 95)))


def night(c: Canvas) -> None:
    for x, y, _ in c.several(int(c.between(4, 30)), 3):
        c.draw.point((x * CANVAS, y * c.horizon), fill=(200, 200, 215))


def moon(c: Canvas) -> None:
    r = c.size("moon", 5, 10)
    x, y = c.between(0.1, 0.9) * CANVAS, c.between(0.15, 0.7) * c.horizon
    c.draw.ellipse((x - r, y - r, x + r, y + r), fill=c.jitter((235, 232, 205), 15))
    if c.chance(0.5):
        shift = r * c.between(0.5, 0.9)
        box = (x - r + shift, y - r, x + r + shift, y + r)
        c.draw.ellipse(box, fill=c.jitter(c.top, 6))


def clouds(c: Canvas) -> None:
    for _ in range(c.count("clouds", 4, 9)):
        x, y = c.between(0, 1) * CANVAS, c.between(0.05, 0.75) * c.horizon
        width = c.size("clouds", 10, 26, 1.4)
        colour = c.lit((238, 238, 242), 14)
        for u, v, w in c.several(5, 3):
            left, up = x + width * (u - 0.5), y + 0.3 * width * (v - 0.5)
            rx, ry = width * (0.18 + 0.2 * w), width * (0.09 + 0.1 * w)
            c.draw.ellipse((left - rx, up - ry, left + rx, up + ry), fill=colour)


def mountain(c: Canvas) -> None:
    for layer in range(c.count("mountain", 1, 3)):
        height = c.horizon * c.between(0.3, 0.85) / (1 + 0.5 * layer)
        colour = c.lit((112 - 18 * layer, 112 - 8 * layer, 122 - 18 * layer))
        peaks = 2 + int(c.between(0, 3))
        for k, (u, v, w) in enumerate(c.several(peaks, 3)):
            x, top = CANVAS * (k + u) / peaks, c.horizon - height * (0.5 + 0.5 * v)
            half = (c.horizon - top) * (0.7 + 0.7 * w)
            c.draw.polygon(((x - half, c.horizon), (x, top), (x + half, c.horizon)), fill=colour)
            if "snow" in c.contents or c.chance(0.15):
                cap = 0.2 + 0.25 * u
                base = top + cap * (c.horizon - top)
                snow = ((x - cap * half, base), (x, top), (x + cap * half, base))
                c.draw.polygon(snow, fill=c.lit((240, 243, 248), 8))


def water(c: Canvas) -> None:
    """Down to the shore, or to the lower edge on the open sea."""
    open_sea = "sea" in c.contents and "beach" not in c.contents
    end = CANVAS if open_sea else c.shore
    base = c.lit((150, 140, 150) if "sunset" in c.contents else (55, 110, 150))
    c.draw.rectangle((0, c.horizon, CANVAS, end), fill=base)
    crest = tuple(min(255, int(v * c.between(1.15, 1.5)) + 8) for v in base)
    for x, y, w in c.several(int(c.between(14, 45)), 3):
        depth = y * y
        row, left = c.horizon + depth * (end - c.horizon), x * 1.2 * CANVAS - 12
        c.draw.line((left, row, left + 5 + 26 * w * (0.3 + depth), row), fill=crest, width=1)


def sea(c: Canvas) -> None:
    """Breakers, which tell the sea from other water."""
    end = c.shore if "beach" in c.contents else CANVAS
    foam = c.lit((225, 232, 236), 12)
    for u, v, w in c.several(int(c.between(3, 8)), 3):
        depth = 0.2 + 0.75 * v
        x, y, r = CANVAS * u, c.horizon + depth * (end - c.horizon), 10 + 22 * w * depth
        c.draw.arc((x - r, y - 0.25 * r, x + r, y + 0.35 * r), 200, 340, fill=foam, width=2)


def beach(c: Canvas) -> None:
    sand = c.lit((222, 198, 150), 20)
    tilt, wave = c.between(-12, 12), c.between(-5, 5)
    edge = ((0, c.shore + tilt), (CANVAS / 2, c.shore + wave), (CANVAS, c.shore - tilt))
    c.draw.polygon((*edge, (CANVAS, CANVAS), (0, CANVAS)), fill=sand)
    c.draw.line(edge, fill=c.lit((240, 240, 240), 10), width=2)
    if c.chance(0.4):
        _parasol(c)


def _parasol(c: Canvas) -> None:
    x, y, scale = c.on_ground()
    r = 8 * scale
    c.draw.line((x, y, x, y - 1.6 * r), fill=c.lit((120, 100, 80)), width=2)
    box = (x - r, y - 2.4 * r, x + r, y - 0.8 * r)
    c.draw.pieslice(box, 180, 360, fill=c.lit((200, 80, 80), 80))


def grass(c: Canvas) -> None:
    start = c.shore if "water" in c.contents else c.horizon + c.between(-2, 6)
    c.draw.rectangle((0, start, CANVAS, CANVAS), fill=c.lit((92, 138, 62)))
    dark = c.lit((52, 98, 40), 12)
    bright = c.lit((140, 176, 84), 12)
    for k, (x, y, w) in enumerate(c.several(int(c.between(50, 90)), 3)):
        depth = y**1.5
        foot, left = start + depth * (CANVAS - start), x * CANVAS
        blade = (left, foot, left + 4 * (w - 0.5), foot - 2 - 7 * depth)
        c.draw.line(blade, fill=dark if k % 2 else bright, width=1)


def snow(c: Canvas) -> None:
    start = c.shore if "water" in c.contents else c.horizon
    c.draw.rectangle((0, start, CANVAS, CANVAS), fill=c.lit((232, 237, 244), 10))
    for u, v, w in c.several(3, 3):
        x, y, r = u * CANVAS, start + (0.2 + 0.8 * v) * (CANVAS - start), 20 + 30 * w
        box = (x - r, y - 0.16 * r, x + r, y + 0.3 * r)
        c.draw.arc(box, 190, 350, fill=c.lit((190, 200, 216), 10), width=2)
    for x, y, w in c.several(30 if c.chance(0.3) else 0, 3):
        c.draw.ellipse((x * CANVAS, y * CANVAS, x * CANVAS + 2 + w, y * CANVAS + 2 + w), "#eef")


def road(c: Canvas) -> None:
    tarmac, line = c.lit((96, 96, 100), 16), c.lit((225, 222, 205), 15)
    if c.subject == "road" or c.chance(0.5):
        vanish, foot = c.between(0.25, 0.75) * CANVAS, c.between(0.2, 0.8) * CANVAS
        half, start = c.size("road", 18, 30, 1.5), c.horizon
        c.draw.polygon(
            (
                (vanish - 2, start),
                (vanish + 2, start),
                (foot + half, CANVAS),
                (foot - half, CANVAS),
            ),
            fill=tarmac,
        )
        for k in range(5):
            a, b = (k / 5) ** 2, ((k + 0.5) / 5) ** 2
            ends = [(vanish + t * (foot - vanish), start + t * (CANVAS - start)) for t in (a, b)]
            c.draw.line(ends, fill=line, width=1 + k // 2)
        return
    y, height = c.between(0.72, 0.9) * CANVAS, c.between(12, 22)
    c.draw.rectangle((0, y, CANVAS, y + height), fill=tarmac)
    for k in range(0, CANVAS, 22):
        c.draw.line((k, y + height / 2, k + 11, y + height / 2), fill=line, width=1)


def city(c: Canvas) -> None:
    """A row of tall blocks across the picture."""
    n = 4 + int(c.between(0, 5))
    foot = c.horizon + c.between(4, 18)
    for k, (u, v, w) in enumerate(c.several(n, 3)):
        left = CANVAS * (k + w - 0.5) / n
        _block(c, left, foot, CANVAS / n * (0.6 + 0.7 * u), c.horizon * (0.3 + 0.65 * v))


def buildings(c: Canvas) -> None:
    """Houses with roofs; a picture of a city has none."""
    if "city" in c.contents:
        return
    for u, v, w in c.several(c.count("buildings", 3, 5), 3):
        x, foot, grown = CANVAS * w, c.horizon + 6 * u, 1.6 if c.subject == "buildings" else 1.0
        width, height = grown * (10 + 14 * u), grown * (8 + 14 * v)
        _block(c, x, foot, width, height)
        eaves = foot - height
        roof = ((x - 2, eaves), (x + width / 2, eaves - 0.6 * height), (x + width + 2, eaves))
        c.draw.polygon(roof, fill=c.lit((150, 80, 60)))


def _block(c: Canvas, x: float, foot: float, width: float, height: float) -> None:
    """Walls with rows of windows; at night some of them are lit."""
    night = "night" in c.contents
    c.draw.rectangle((x, foot - height, x + width, foot), fill=c.lit((150, 135, 128), 50))
    glass = c.jitter((245, 215, 130), 15) if night else c.lit((70, 82, 100), 20)
    step = 6 + int(c.between(0, 3))
    for left in range(int(x) + 3, int(x + width) - 2, step):
        for top in range(int(foot - height) + 4, int(foot) - 3, step + 2):
            if not night or (left * 7 + top * 13) % 5 < 2:
                c.draw.rectangle((left, top, left + 2, top + 3), fill=glass)


def bridge(c: Canvas) -> None:
    y = c.horizon + c.between(-10, 8)
    colour = c.lit((140, 92, 78), 40)
    thick, drop = c.size("bridge", 3, 5, 1.4), c.between(14, 26)
    c.draw.rectangle((0, y, CANVAS, y + thick), fill=colour)
    spans = 2 + int(c.between(0, 3))
    arched = c.chance(0.5)
    for k in range(spans + 1):
        x = CANVAS * k / spans
        c.draw.rectangle((x - 2, y - (0 if arched else drop), x + 2, y + drop), fill=colour)
        if k < spans:
            sag = (x, y, x + CANVAS / spans, y + 2 * drop)
            hang = (x, y - 2 * drop, x + CANVAS / spans, y)
            start, end, box = (180, 360, sag) if arched else (0, 180, hang)
            c.draw.arc(box, start, end, fill=colour, width=2)
