"use strict";
// The answer, the leaderboard, the panel of a method and the comparison of two.

function best(group, metric, bits) {
  const found = data.methods.filter((m) => m.group === group && entry(metric, m.id, bits).v !== null);
  return found.sort((a, b) => entry(metric, b.id, bits).v - entry(metric, a.id, bits).v);
}

function answer() {
  const metric = data.ranked.includes(state.metric) ? state.metric : data.main;
  at("answer-title").textContent = `Best ${metric} at ${state.bits} bits`;
  at("answer").replaceChildren(...groups.map((group) => {
    const [first, ...others] = best(group, metric, state.bits);
    if (!first) return element("li", {}, element("b", {}, group), ": nothing measured");
    const beside = others.filter((m) => entry(metric, m.id, state.bits).r === 1 && entry(metric, first.id, state.bits).r === 1);
    const words = beside.length ? ` – not shown to be better than ${beside.slice(0, 3).map((m) => m.name).join(", ")}${beside.length > 3 ? ` and ${beside.length - 3} more` : ""}` : "";
    return element("li", {}, element("b", {}, group), ": ", nameButton(first), ` ${first.year} `, element("b", { class: "number" }, entry(metric, first.id, state.bits).t), element("small", {}, words));
  }));
}

function nameButton(m) {
  return element("button", { type: "button", class: "name", "data-panel": m.id, onclick: () => { state.method = m.id; changed(); } }, m.name);
}

const badges = (m) => m.kinds.map((kind) => element("small", { class: "badge", title: kind }, kind === "asymmetric search" ? "asym." : "recon."));

function board() {
  const { metric } = state, ranked = data.ranked.includes(metric), values = data.methods.flatMap((m) => data.bits.map((b) => entry(metric, m.id, b).v)).filter((v) => v !== null);
  const low = ranked && data.chance !== null ? Math.min(data.chance, ...values) : Math.min(0, ...values), high = Math.max(...values);
  const head = element("tr", {}, element("th", { scope: "col" }, "method"), ...data.bits.map((b) => element("th", { scope: "col", class: b === state.bits ? "chosen" : "" },
    element("button", { type: "button", "aria-pressed": String(b === state.bits), title: `order by ${b} bits`, onclick: () => { state.bits = b; changed(); } }, `${b} bits`))));
  const bodies = groups.map((group) => {
    const own = data.methods.filter((m) => m.group === group && `${m.name} ${m.id}`.toLowerCase().includes(state.filter.toLowerCase()));
    const value = (m) => entry(metric, m.id, state.bits).v;
    own.sort((a, b) => (value(a) === null) - (value(b) === null) || (ranked ? value(b) - value(a) : value(a) - value(b)));
    if (!own.length) return element("tbody");
    return element("tbody", {}, element("tr", { class: "group" }, element("th", { colspan: data.bits.length + 1, scope: "rowgroup" }, group)), ...own.map((m) => row(m, metric, low, high)));
  });
  at("board").replaceChildren(element("thead", {}, head), ...bodies);
  at("board-caption").textContent = data.metrics[metric];
}

function row(m, metric, low, high) {
  const cells = data.bits.map((b) => {
    const e = entry(metric, m.id, b), width = e.v === null || high === low ? 0 : Math.max(0, (100 * (e.v - low)) / (high - low));
    const words = [e.d ? `± ${e.d}` : "", e.i ? `95 % interval ${e.i}` : ""].filter(Boolean).join(", ");
    const shown = element("span", { class: `number${e.r === 1 ? " best" : e.r === 2 ? " second" : ""}` }, e.t);
    return element("td", { title: words, "data-value": e.v === null ? "" : e.v, style: `--bar:${width.toFixed(0)}%`, class: b === state.bits ? "chosen" : "" }, shown, e.r === 1 ? element("span", { class: "star" }, "★") : "");
  });
  const chip = make("svg", { width: 16, height: 16, "aria-hidden": "true" });
  chip.append(marker(m, 8, 8));
  return element("tr", { "data-method": m.id }, element("th", { scope: "row" }, chip, nameButton(m), element("small", {}, ` ${m.year}`), ...badges(m)), ...cells);
}

function boardCsv() {
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [["method", "name", "year", "group", ...data.bits.flatMap((b) => [`${b} bits`, `${b} bits deviation`])]];
  for (const m of data.methods) lines.push([m.id, m.name, m.year, m.group, ...data.bits.flatMap((b) => { const e = entry(state.metric, m.id, b); return [e.v === null ? "" : e.t, e.d || ""]; })]);
  return `${lines.map((line) => line.map((v) => quoted(String(v))).join(",")).join("\n")}\n`;
}

function panel() {
  const box = at("panel"), m = methods.get(state.method);
  if (!m) { if (box.open) box.close(); return; }
  const facts = [["Paper", m.paper || "unknown"], ["Learns from", m.group], ["Search", m.kinds.includes("asymmetric search") ? "asymmetric, by look-up tables of the query" : "Hamming distance"]];
  if (m.kinds.includes("reconstruction")) facts.push(["Fidelity", "a reconstruction: the paper leaves parts open"]);
  facts.push(["Parameters", Object.entries(m.parameters).map(([k, v]) => `${k}=${v}`).join(", ") || "none"]);
  const table = element("table", {}, element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "metric"), ...data.bits.map((b) => element("th", { scope: "col" }, `${b} bits`)))),
    element("tbody", {}, ...Object.keys(data.values).map((metric) => element("tr", {}, element("th", { scope: "row" }, metric), ...data.bits.map((b) => { const e = entry(metric, m.id, b); return element("td", {}, e.t, e.d ? element("small", {}, ` ± ${e.d}`) : ""); })))));
  const plot = element("div", { class: "plot" });
  at("panel-title").textContent = `${m.name} ${m.year}`;
  at("panel-body").replaceChildren(element("p", {}, m.summary), element("dl", { class: "facts" }, ...facts.flatMap(([k, v]) => [element("dt", {}, k), element("dd", {}, v)])),
    element("p", {}, "This command reproduces the numbers:"), element("pre", {}, m.command), element("div", { class: "scroll" }, table), plot);
  if (!box.open) box.showModal();
  const trained = data.training.find((t) => t.method === m.id && t.bits === state.bits) || data.training.find((t) => t.method === m.id);
  if (!trained) { plot.textContent = "No loss of single epochs was recorded."; return; }
  const lines = ["training", "validation"].filter((n) => trained[n]).map((n) => ({ id: n, look: { ...m, dash: n === "training" ? "" : "5 3" }, strong: true, every: 0,
    points: trained[n].map((y, i) => [i + 1, y, `${n} loss after epoch ${i + 1}: ${y}`]) }));
  plot.before(element("p", {}, `Loss at ${trained.bits} bits, seed ${trained.seed}${trained.validation ? "; validation dashed" : ""}`));
  chart(plot, lines, { xlabel: "epoch", ylabel: "loss", height: 300 });
}

function compare() {
  const [one, other] = state.compare, place = at("compare-result");
  if (!one || !other || one === other) { place.textContent = "Choose two methods."; return; }
  const values = [one, other].map((id) => (data.queries.values[id] || {})[state.bits]);
  if (!values[0] || !values[1]) { place.textContent = `No values of single queries at ${state.bits} bits.`; return; }
  const pairs = values[0].map((v, i) => [v, values[1][i], data.queries.numbers[i]]).filter(([v, w]) => v >= 0 && w >= 0);
  const count = (test) => pairs.filter(([v, w]) => test(v - w)).length;
  const names = [one, other].map((id) => methods.get(id).name);
  const test = (data.tests[state.bits] || { methods: [] }), i = test.methods.indexOf(one), j = test.methods.indexOf(other);
  const sure = i < 0 || j < 0 ? "The difference of the means is not tested." : `Difference of the means ${test.differences[i][j]}, corrected p-value ${test.p[i][j]} (level ${test.level}).`;
  const far = [...pairs].sort((a, b) => Math.abs(b[0] - b[1]) - Math.abs(a[0] - a[1])).slice(0, 8);
  place.replaceChildren(
    element("p", { id: "compare-counts" }, `${names[0]} is better in ${count((d) => d > 0)} queries, ${names[1]} in ${count((d) => d < 0)}, and ${count((d) => d === 0)} are ties to three digits. ${sure}`),
    element("div", { class: "scroll" }, element("table", {}, element("caption", {}, `Queries of the largest difference in ${data.queries.metric} at ${state.bits} bits, means over seeds`),
      element("thead", {}, element("tr", {}, ...["query", ...names, "difference"].map((t) => element("th", { scope: "col" }, t)))),
      element("tbody", {}, ...far.map(([v, w, n]) => element("tr", {}, element("th", { scope: "row" }, String(n)), ...[v, w, v - w].map((x) => element("td", {}, (x / 1000).toFixed(3)))))))));
}
