"use strict";
// Plots, legend, the table of all numbers, and what listens.

function curves() {
  const lineOf = (m, points, more = {}) => ({ id: m.id, look: m, strong: state.shown.has(m.id), points, every: 1, ...more });
  const { metric } = state, base = data.ranked.includes(metric) ? data.chance : null;
  const told = (m, b) => { const e = entry(metric, m.id, b); return `${m.name}, ${b} bits: ${e.t}${e.d ? ` ± ${e.d}` : ""}`; };
  at("map-caption").textContent = `${metric} against code length`;
  chart(at("plot-map"), data.methods.map((m) => lineOf(m, data.bits.map((b) => [b, entry(metric, m.id, b).v, told(m, b)]))), { xlabel: "code length in bits", ylabel: metric, xticks: data.bits, base });
  at("pr-caption").textContent = `Precision against recall at ${state.bits} bits`;
  const pr = data.pr[state.bits] || {};
  chart(at("plot-pr"), data.methods.filter((m) => (pr[m.id] || []).length).map((m) => lineOf(m, pr[m.id].map(([x, y]) => [x, y, `${m.name}: precision ${y} at recall ${x}`]), { every: 16 })), { xlabel: "recall", ylabel: "precision", base: data.chance });
  for (const [id, cost, xlabel, log] of [["time", "fit_seconds", "training time in seconds", true], ["encode", "encode_us", "encoding time of an item in microseconds", true], ["bytes", "bytes_per_item", "bytes of a stored code", false]]) {
    if (!data.values[cost] || !at(`plot-${id}`)) continue;
    const quality = data.ranked.includes(metric) ? metric : data.main;
    const points = (m) => data.bits.map((b) => [entry(cost, m.id, b).v, entry(quality, m.id, b).v, `${m.name}, ${b} bits: ${quality} ${entry(quality, m.id, b).t}, ${entry(cost, m.id, b).t} ${xlabel}`]);
    chart(at(`plot-${id}`), data.methods.map((m) => lineOf(m, points(m), { join: false })), { xlabel, ylabel: quality, log, base: data.chance, front: front(data.methods.flatMap(points)) });
  }
}

// The points that no other one beats in both: cheaper and at least as good.
function front(points) {
  const there = points.filter((p) => p[0] !== null && p[1] !== null).sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  let top = -Infinity;
  return there.filter((p) => (p[1] > top ? ((top = p[1]), true) : false));
}

function legend() {
  const show = (ids, only) => { state.shown = only ? new Set(ids) : new Set([...state.shown, ...ids]); changed(); };
  const every = data.methods.map((m) => m.id);
  const whole = element("p", { class: "controls" }, "Methods in colour: ", element("button", { type: "button", onclick: () => show(every, true) }, "all"), element("button", { type: "button", onclick: () => show([], true) }, "none"),
    element("button", { type: "button", onclick: () => show(data.methods.filter((m) => m.strong).map((m) => m.id), true) }, "the best of each group"));
  const parts = groups.map((group) => {
    const own = data.methods.filter((m) => m.group === group);
    return element("fieldset", {}, element("legend", {}, group, " ", element("button", { type: "button", "aria-label": `only ${group}`, onclick: () => show(own.map((m) => m.id), true) }, "only")),
      ...own.map((m) => {
        const chip = make("svg", { width: 34, height: 16, "aria-hidden": "true" });
        chip.append(make("line", { x1: 1, x2: 33, y1: 8, y2: 8, stroke: ink(m), "stroke-width": 2.2, "stroke-dasharray": m.dash }), marker(m, 17, 8));
        return element("button", { type: "button", class: "switch", "data-switch": m.id, "aria-pressed": String(state.shown.has(m.id)), onclick: (event) => {
          if (event.shiftKey) return show([m.id], true);
          if (!state.shown.delete(m.id)) state.shown.add(m.id);
          changed();
          at("legend").querySelector(`[data-switch="${CSS.escape(m.id)}"]`).focus();
        } }, chip, m.name);
      }));
  });
  at("legend").replaceChildren(whole, ...parts);
}

function controls() {
  options(at("metric"), Object.keys(data.values).map((m) => [m, m]), state.metric);
  options(at("bits"), data.bits.map((b) => [b, `${b} bits`]), state.bits);
  ["compare-one", "compare-other"].forEach((id, i) => options(at(id), [["", "–"], ...data.methods.map((m) => [m.id, m.name])], state.compare[i]));
  if (at("filter-method").value !== state.filter) at("filter-method").value = state.filter;
}

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
      const order = column > 1 ? p - q : p.localeCompare(q);
      return up ? order : -order;
    });
    body.append(...rows);
  });
});

function filter() {
  const text = state.filter.toLowerCase(), bits = at("filter-bits").value;
  for (const row of rows) row.hidden = !row.dataset.method.toLowerCase().includes(text) || (bits !== "" && row.dataset.bits !== bits);
  at("count").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
}

function tests() {
  const found = data.tests[state.bits], place = at("tests");
  if (!place) return;
  if (!found) { place.textContent = `Nothing was tested at ${state.bits} bits.`; return; }
  const name = (id) => methods.get(id).id;
  place.replaceChildren(element("table", {}, element("caption", {}, `Corrected p-values of ${data.main} at ${state.bits} bits; ▲: the row is significantly better than the column, ▼: worse`),
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, ""), ...found.methods.map((m) => element("th", { scope: "col" }, name(m))))),
    element("tbody", {}, ...found.methods.map((m, i) => element("tr", {}, element("th", { scope: "row" }, name(m)), ...found.methods.map((_, j) => {
      const sure = i !== j && found.p[i][j] <= found.level;
      return element("td", {}, i === j ? "" : `${sure ? (found.differences[i][j] > 0 ? "▲ " : "▼ ") : ""}${found.p[i][j]}`);
    }))))));
}

at("metric").addEventListener("change", () => { state.metric = at("metric").value; changed(); });
at("bits").addEventListener("change", () => { state.bits = Number(at("bits").value); changed(); });
at("filter").addEventListener("submit", (event) => event.preventDefault());
at("filter-method").addEventListener("input", () => { state.filter = at("filter-method").value.trim(); changed(); });
at("filter-bits").addEventListener("change", filter);
["compare-one", "compare-other"].forEach((id, i) => at(id).addEventListener("change", () => { state.compare[i] = at(id).value; changed(); }));
at("panel-close").addEventListener("click", () => at("panel").close());
at("panel").addEventListener("close", () => { if (state.method) { state.method = ""; changed(); } });
at("save-csv").addEventListener("click", () => save(`${stem()}.csv`, "text/csv", boardCsv()));
at("save-svg").addEventListener("click", () => save(`${stem()}.svg`, "image/svg+xml", standalone(at("plot-map").querySelector("svg"))));
at("save-png").addEventListener("click", () => {
  const svg = at("plot-map").querySelector("svg"), image = new Image(), canvas = element("canvas", { width: 2 * svg.clientWidth, height: 2 * svg.clientHeight });
  image.addEventListener("load", () => {
    const pen = canvas.getContext("2d");
    pen.fillStyle = getComputedStyle(document.body).backgroundColor;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(`${stem()}.png`, "image/png", blob));
  });
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(svg))}`;
});

listeners.push(controls, answer, board, curves, legend, filter, tests, compare, panel);
window.addEventListener("hashchange", () => { restore(); for (const listener of listeners) listener(); });
dark.addEventListener("change", () => { for (const listener of [board, curves, legend]) listener(); });
let width = window.innerWidth;
window.addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; curves(); } });
restore();
for (const listener of listeners) listener();
