"use strict";
// Charts in SVG: drawn at the size of their place, read by pointer and by keyboard.
const NS = "http://www.w3.org/2000/svg";
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const ink = (m) => (dark.matches ? m.dark : m.colour);
const GREY = "#9a9a9a";

function make(name, attributes, text) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// Corners of the markers, as angles in degrees and radii.
const CORNERS = {
  s: [[45, 6], [135, 6], [225, 6], [315, 6]], "^": [[270, 6.5], [30, 6.5], [150, 6.5]],
  v: [[90, 6.5], [210, 6.5], [330, 6.5]], "<": [[180, 6.5], [300, 6.5], [60, 6.5]],
  ">": [[0, 6.5], [120, 6.5], [240, 6.5]], D: [[0, 6.5], [90, 6.5], [180, 6.5], [270, 6.5]],
  d: [[0, 3.5], [90, 7], [180, 3.5], [270, 7]],
  p: [270, 342, 54, 126, 198].map((a) => [a, 6]), h: [30, 90, 150, 210, 270, 330].map((a) => [a, 6]),
  "*": Array.from({ length: 10 }, (_, i) => [270 + 36 * i, i % 2 ? 2.8 : 7]),
  P: Array.from({ length: 8 }, (_, i) => [45 * i, i % 2 ? 2.4 : 6.5]),
  X: Array.from({ length: 8 }, (_, i) => [45 * i, i % 2 ? 6.5 : 2.4]),
};

function marker(look, x, y) {
  const shape = { fill: look.hollow ? "var(--back)" : ink(look), stroke: ink(look), "stroke-width": 1.5 };
  if (look.marker === "o") return make("circle", { cx: x, cy: y, r: 4.8, ...shape });
  const points = CORNERS[look.marker].map(([angle, radius]) => {
    const turn = (angle * Math.PI) / 180;
    return `${(x + radius * Math.cos(turn)).toFixed(1)},${(y + radius * Math.sin(turn)).toFixed(1)}`;
  });
  return make("polygon", { points: points.join(" "), ...shape });
}

function ticks(low, high, log) {
  if (log) {
    const found = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) found.push(+(10 ** e).toPrecision(3));
    return found.filter((t) => t >= low / 1.001 && t <= high * 1.001);
  }
  const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((s) => s * power >= raw) * power;
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-6; i++) found.push(+(i * step).toPrecision(6));
  return found;
}

function extent(values, log) {
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (log) {
    low = 10 ** Math.floor(Math.log10(Math.max(low, 1e-6)) + 1e-9);
    high = 10 ** Math.ceil(Math.log10(Math.max(high, 1e-5)) - 1e-9);
    return low === high ? [low, high * 10] : [low, high];
  }
  if (low === high) return [low - 0.5, high + 0.5];
  return [low, high + (high - low) * 0.05];
}

// lines: [{id, look, strong, points: [[x, y, words]], every, join}]
function chart(place, lines, { xlabel, ylabel, log = false, xticks = null, base = null, front = null, height = 420 }) {
  place.replaceChildren();
  const there = (p) => p[0] !== null && p[1] !== null;
  const points = lines.flatMap((line) => line.points).filter(there);
  if (!points.length) { place.textContent = "Nothing to show."; return; }
  const [x0, x1] = extent(points.map((p) => p[0]), log);
  const [y0, y1] = extent(points.map((p) => p[1]).concat(base === null ? [] : [base]), false);
  const W = Math.max(300, Math.min(place.clientWidth || 640, 1000)), H = Math.min(height, W), L = 64, R = 18, T = 12, B = 50;
  const u = (x) => (log ? Math.log10(Math.max(x, x0)) : x), span = u(x1) - u(x0);
  const px = (x) => L + ((u(x) - u(x0)) / span) * (W - L - R), py = (y) => H - B - ((y - y0) / (y1 - y0)) * (H - T - B);
  const svg = make("svg", { viewBox: `0 0 ${W} ${H}`, width: W, height: H, role: "application", tabindex: 0, "aria-roledescription": "chart",
    "aria-label": `${ylabel} against ${xlabel}. Left and right move along a curve, up and down between curves.` });
  for (const t of xticks || ticks(x0, x1, log)) {
    svg.append(make("line", { class: "tick", x1: px(t), x2: px(t), y1: T, y2: H - B }));
    svg.append(make("text", { x: px(t), y: H - B + 20, "text-anchor": "middle" }, String(t)));
  }
  for (const t of ticks(y0, y1, false)) {
    svg.append(make("line", { class: "tick", x1: L, x2: W - R, y1: py(t), y2: py(t) }));
    svg.append(make("text", { x: L - 8, y: py(t) + 5, "text-anchor": "end" }, String(t)));
  }
  svg.append(make("text", { x: (L + W - R) / 2, y: H - 8, "text-anchor": "middle" }, xlabel));
  svg.append(make("text", { transform: `translate(16 ${(T + H - B) / 2}) rotate(-90)`, "text-anchor": "middle" }, ylabel));
  if (base !== null) {
    svg.append(make("line", { x1: L, x2: W - R, y1: py(base), y2: py(base), stroke: "#808080", "stroke-dasharray": "4 3" }));
    svg.append(make("text", { x: W - R, y: py(base) - 5, "text-anchor": "end", class: "base" }, `base rate ${base.toFixed(4)}`));
  }
  if (front && front.length) svg.append(make("path", { d: front.map(([x, y], i) => `${i ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join(""), fill: "none", stroke: "var(--text)", "stroke-width": 1.2, "stroke-dasharray": "2 4", class: "front" }));
  // The grey ones first, so that they lie below.
  const order = [...lines].sort((a, b) => a.strong - b.strong);
  for (const line of order) {
    const group = make("g", { "data-method": line.id, class: line.strong ? "strong" : "weak" });
    // A line breaks where there is no value.
    let path = "", pen = "M";
    for (const p of line.points) {
      if (!there(p)) { pen = "M"; continue; }
      path += `${pen}${px(p[0]).toFixed(1)} ${py(p[1]).toFixed(1)}`; pen = "L";
    }
    const stroke = line.strong ? ink(line.look) : GREY;
    if (line.join !== false) group.append(make("path", { d: path, fill: "none", stroke, "stroke-width": line.strong ? 2.2 : 1, "stroke-opacity": line.strong ? 1 : 0.6, "stroke-dasharray": line.look.dash }));
    line.points.forEach((p, i) => {
      if (!there(p)) return;
      if (line.strong && line.every && i % line.every === 0) group.append(marker(line.look, px(p[0]), py(p[1])));
      else if (!line.strong && line.join === false) group.append(make("circle", { cx: px(p[0]), cy: py(p[1]), r: 2.5, fill: GREY }));
    });
    svg.append(group);
  }
  place.append(svg);
  explore(place, svg, lines.filter((line) => line.points.some(there)), there, px, py, W);
}

// One stop of the tab key a chart; what is pointed at or moved to is told in words.
function explore(place, svg, lines, there, px, py, W) {
  const ring = make("circle", { r: 9, fill: "none", stroke: "var(--text)", "stroke-width": 2, visibility: "hidden", class: "ring" });
  const tip = element("output", { class: "tip", "aria-live": "polite" });
  svg.append(ring); place.append(tip);
  let line = Math.max(0, lines.findIndex((l) => l.strong)), i = -1;
  function tell() {
    const [x, y, words] = lines[line].points[i];
    ring.setAttribute("cx", px(x)); ring.setAttribute("cy", py(y)); ring.setAttribute("visibility", "visible");
    tip.textContent = words;
    const scale = svg.clientWidth / W || 1;
    tip.style.left = `${Math.min(px(x) * scale, svg.clientWidth * 0.62)}px`;
    tip.style.top = `${py(y) * scale + 14}px`;
    for (const g of svg.querySelectorAll("g[data-method]")) g.classList.toggle("near", g.dataset.method === lines[line].id);
  }
  function hide() {
    ring.setAttribute("visibility", "hidden"); tip.textContent = "";
    for (const g of svg.querySelectorAll("g.near")) g.classList.remove("near");
  }
  function step(along) {
    const { points } = lines[line];
    for (let j = i + along; j >= 0 && j < points.length; j += along) if (there(points[j])) { i = j; return; }
  }
  function nearest(n) {
    const found = lines[n].points.map((p, j) => [Math.abs(j - i), j]).filter(([, j]) => there(lines[n].points[j]));
    [[, i]] = found.sort((a, b) => a[0] - b[0]);
  }
  svg.addEventListener("keydown", (event) => {
    const along = { ArrowRight: 1, ArrowLeft: -1 }[event.key], across = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") return hide();
    if (!along && !across) return;
    event.preventDefault();
    if (i < 0) { i = 0; nearest(line); } else if (along) step(along);
    else { line = (line + across + lines.length) % lines.length; nearest(line); }
    tell();
  });
  svg.addEventListener("blur", hide);
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), scale = W / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    let best = 900;
    lines.forEach((l, n) => l.points.forEach((p, j) => {
      if (!there(p)) return;
      const distance = (px(p[0]) - x) ** 2 + (py(p[1]) - y) ** 2;
      if (distance < best) { best = distance; line = n; i = j; }
    }));
    if (best < 900) tell(); else hide();
  });
}

// A drawing as a file of its own: what the page's style says is written into it.
function standalone(svg) {
  const copy = svg.cloneNode(true), style = getComputedStyle(document.documentElement);
  copy.querySelectorAll(".ring").forEach((node) => node.remove());
  copy.setAttribute("xmlns", NS);
  copy.prepend(make("style", {}, "text { font: 14px sans-serif; fill: var(--text) } .tick { stroke: var(--line); stroke-width: .7 }"));
  let text = new XMLSerializer().serializeToString(copy);
  for (const name of ["--text", "--back", "--line"]) text = text.replaceAll(`var(${name})`, style.getPropertyValue(name).trim());
  return text;
}
