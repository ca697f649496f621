"use strict";
const data = JSON.parse(document.getElementById("plot-data").textContent);
const hidden = new Set();
const NS = "http://www.w3.org/2000/svg";

function make(name, attributes, text) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// Black lines must show on a dark page too.
const ink = (style) => (style.colour === "#000000" ? "var(--text)" : style.colour);

// Corners of the markers, as angles in degrees and radii.
const CORNERS = {
  s: [[45, 5.2], [135, 5.2], [225, 5.2], [315, 5.2]], "^": [[270, 5.5], [30, 5.5], [150, 5.5]],
  v: [[90, 5.5], [210, 5.5], [330, 5.5]], "<": [[180, 5.5], [300, 5.5], [60, 5.5]],
  ">": [[0, 5.5], [120, 5.5], [240, 5.5]], D: [[0, 5.5], [90, 5.5], [180, 5.5], [270, 5.5]],
  d: [[0, 3], [90, 6], [180, 3], [270, 6]],
  p: [270, 342, 54, 126, 198].map((a) => [a, 5]), h: [30, 90, 150, 210, 270, 330].map((a) => [a, 5]),
  "*": Array.from({ length: 10 }, (_, i) => [270 + 36 * i, i % 2 ? 2.4 : 6]),
  P: Array.from({ length: 8 }, (_, i) => [45 * i, i % 2 ? 2 : 5.5]),
  X: Array.from({ length: 8 }, (_, i) => [45 * i, i % 2 ? 5.5 : 2]),
};

function marker(style, x, y) {
  const look = { fill: style.hollow ? "var(--back)" : ink(style), stroke: ink(style) };
  if (style.marker === "o") return make("circle", { cx: x, cy: y, r: 4, ...look });
  const points = CORNERS[style.marker].map(([angle, radius]) => {
    const turn = (angle * Math.PI) / 180;
    return `${(x + radius * Math.cos(turn)).toFixed(1)},${(y + radius * Math.sin(turn)).toFixed(1)}`;
  });
  return make("polygon", { points: points.join(" "), ...look });
}

function ticks(low, high, log) {
  if (log) {
    const found = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) found.push(10 ** e);
    return found.filter((t) => t >= low / 1.001 && t <= high * 1.001);
  }
  const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((s) => s * power >= raw) * power;
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-6; i++) found.push(+(i * step).toPrecision(6));
  return found;
}

// lines: [{name, style, points: [[x, y]], every, join}]
function chart(place, lines, { xlabel, ylabel, log = false, xticks = null, base = null, zero = true }) {
  place.replaceChildren();
  const points = lines.flatMap((line) => line.points).filter((p) => p[0] !== null && p[1] !== null);
  if (!points.length) { place.textContent = "Nothing to show."; return; }
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]).concat(base === null ? [] : [base]);
  let [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  let [y0, y1] = [zero ? Math.min(0, ...ys) : Math.min(...ys), Math.max(...ys)];
  if (log) { x0 = 10 ** Math.floor(Math.log10(Math.max(x0, 1e-6))); x1 = 10 ** Math.ceil(Math.log10(Math.max(x1, 1e-5))); if (x0 === x1) x1 *= 10; }
  if (x0 === x1) { x0 -= 1; x1 += 1; }
  if (y0 === y1) { y0 -= 0.5; y1 += 0.5; }
  y1 += (y1 - y0) * 0.05;
  const W = 460, H = 320, L = 58, R = 22, T = 10, B = 44;
  const u = (x) => (log ? Math.log10(Math.max(x, x0)) : x), span = u(x1) - u(x0);
  const px = (x) => L + ((u(x) - u(x0)) / span) * (W - L - R), py = (y) => H - B - ((y - y0) / (y1 - y0)) * (H - T - B);
  const label = `${ylabel} against ${xlabel} of ${lines.map((l) => l.name).join(", ")}; the numbers are in the table`;
  const svg = make("svg", { viewBox: `0 0 ${W} ${H}`, width: W, height: H, role: "img", "aria-label": label });
  for (const t of xticks || ticks(x0, x1, log)) {
    svg.append(make("line", { class: "tick", x1: px(t), x2: px(t), y1: T, y2: H - B }));
    svg.append(make("text", { x: px(t), y: H - B + 16, "text-anchor": "middle" }, String(t)));
  }
  for (const t of ticks(y0, y1, false)) {
    svg.append(make("line", { class: "tick", x1: L, x2: W - R, y1: py(t), y2: py(t) }));
    svg.append(make("text", { x: L - 6, y: py(t) + 4, "text-anchor": "end" }, String(t)));
  }
  svg.append(make("text", { x: (L + W - R) / 2, y: H - 8, "text-anchor": "middle" }, xlabel));
  svg.append(make("text", { transform: `translate(13 ${(T + H - B) / 2}) rotate(-90)`, "text-anchor": "middle" }, ylabel));
  if (base !== null) svg.append(make("line", { x1: L, x2: W - R, y1: py(base), y2: py(base), stroke: "#808080", "stroke-dasharray": "4 3" }));
  lines.forEach((line, number) => {
    const group = make("g", { "data-method": line.name });
    group.append(make("title", {}, line.name));
    // A line breaks where there is no value.
    let path = "", pen = "M";
    for (const [x, y] of line.points) {
      if (x === null || y === null) { pen = "M"; continue; }
      path += `${pen}${px(x).toFixed(1)} ${py(y).toFixed(1)}`; pen = "L";
    }
    group.append(make("path", { d: path, fill: "none", stroke: ink(line.style), "stroke-width": 1.8, "stroke-dasharray": line.style.dash }));
    line.points.forEach(([x, y], i) => {
      if (x !== null && y !== null && line.every && (i + number) % line.every === 0) group.append(marker(line.style, px(x), py(y)));
    });
    svg.append(group);
  });
  place.append(svg);
}

const shown = () => Object.keys(data.styles).filter((m) => !hidden.has(m));
const at = (id) => document.getElementById(id);

function draw() {
  const line = (name, points, every) => ({ name, style: data.styles[name], points, every });
  const base = data.chance;
  chart(at("plot-map"), shown().map((m) => line(m, data.map[m], 1)), { xlabel: "bits", ylabel: data.main, xticks: data.bits, base });
  const curves = data.pr[at("curve-bits").value] || {};
  chart(at("plot-pr"), shown().filter((m) => (curves[m] || []).length).map((m) => line(m, curves[m], 16)), { xlabel: "recall", ylabel: "precision", base });
  const times = shown().map((m) => line(m, data.time[m].map((p) => [p[0], p[1]]), 1));
  chart(at("plot-time"), times, { xlabel: "training time in seconds", ylabel: data.main, log: true, base });
  for (const place of document.querySelectorAll(".training")) {
    const t = data.training[place.dataset.index], style = data.styles[t.method];
    const figure = place.closest("figure");
    figure.hidden = hidden.has(t.method) || figure.dataset.bits !== at("curve-bits").value;
    const lines = ["training", "validation"].filter((n) => t[n]).map((n) => ({
      name: n, style: { ...style, dash: n === "training" ? "" : "5 3" }, points: t[n].map((y, i) => [i + 1, y]), every: 0,
    }));
    chart(place, lines, { xlabel: "epoch", ylabel: "loss", zero: false });
  }
}

for (const [method, style] of Object.entries(data.styles)) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-pressed", "true");
  const sample = make("svg", { width: 34, height: 14, "aria-hidden": "true" });
  sample.append(make("line", { x1: 1, x2: 33, y1: 7, y2: 7, stroke: ink(style), "stroke-width": 1.8, "stroke-dasharray": style.dash }), marker(style, 17, 7));
  button.append(sample, method);
  button.addEventListener("click", () => {
    if (!hidden.delete(method)) hidden.add(method);
    button.setAttribute("aria-pressed", String(!hidden.has(method)));
    draw();
  });
  at("legend").append(button);
}
at("curve-bits").addEventListener("change", draw);
draw();

const body = document.querySelector("#table tbody"), rows = Array.from(body.rows);
const heads = Array.from(document.querySelectorAll("#table thead th"));
heads.forEach((head, column) => {
  head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((h) => h.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (row) => row.cells[column].dataset.value;
    rows.sort((a, b) => {
      const [p, q] = [value(a), value(b)];
      // What was not measured stays last either way.
      if (p === "" || q === "") return (p === "") - (q === "");
      const order = column ? p - q : p.localeCompare(q);
      return up ? order : -order;
    });
    body.append(...rows);
  });
});

function filter() {
  const text = at("filter-method").value.trim().toLowerCase(), bits = at("filter-bits").value;
  for (const row of rows) row.hidden = !row.dataset.method.toLowerCase().includes(text) || (bits !== "" && row.dataset.bits !== bits);
  at("count").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
}
at("filter").addEventListener("submit", (event) => event.preventDefault());
at("filter-method").addEventListener("input", filter);
at("filter-bits").addEventListener("change", filter);
filter();
