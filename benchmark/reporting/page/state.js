"use strict";
// What is shown, and its place in the fragment of the address.
const at = (id) => document.getElementById(id);
const data = JSON.parse(at("data").textContent);
const methods = new Map(data.methods.map((m) => [m.id, m]));
const groups = [...new Set(data.methods.map((m) => m.group))];
const state = { metric: data.main, bits: data.first, shown: new Set(data.methods.filter((m) => m.strong).map((m) => m.id)), method: "", compare: ["", ""], filter: "" };
const initial = JSON.stringify([...state.shown]);
const listeners = [];

function changed() {
  const words = new URLSearchParams();
  if (state.metric !== data.main) words.set("metric", state.metric);
  if (state.bits !== data.first) words.set("bits", state.bits);
  if (JSON.stringify([...state.shown]) !== initial) words.set("shown", JSON.stringify([...state.shown]));
  if (state.method) words.set("method", state.method);
  if (state.compare[0] && state.compare[1]) words.set("compare", JSON.stringify(state.compare));
  if (state.filter) words.set("filter", state.filter);
  const text = words.toString();
  if (text || location.hash.includes("=")) history.replaceState(null, "", text ? `#${text}` : "#");
  for (const listener of listeners) listener();
}

// A fragment that was edited by hand may hold anything; what is unknown is left out.
function restore() {
  if (!location.hash.includes("=")) return;
  const words = new URLSearchParams(location.hash.slice(1)), known = (id) => methods.has(id);
  const list = (name) => { try { const found = JSON.parse(words.get(name)); return Array.isArray(found) ? found.filter(known) : null; } catch { return null; } };
  if (data.values[words.get("metric")]) state.metric = words.get("metric");
  if (data.bits.includes(Number(words.get("bits")))) state.bits = Number(words.get("bits"));
  if (list("shown")) state.shown = new Set(list("shown"));
  if (known(words.get("method"))) state.method = words.get("method");
  const pair = list("compare");
  if (pair && pair.length === 2) state.compare = pair;
  state.filter = words.get("filter") || "";
}

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

function options(select, values, chosen) {
  select.replaceChildren(...values.map(([value, text]) => element("option", { value, selected: String(value) === String(chosen) }, text)));
}

function save(name, type, content) {
  const link = element("a", { download: name, href: URL.createObjectURL(new Blob([content], { type })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const stem = () => `${data.dataset}-${data.features}-${state.metric}`.replace(/[^A-Za-z0-9@.-]+/g, "_");
const entry = (metric, id, bits) => (data.values[metric][id] || [])[data.bits.indexOf(bits)] || { t: "–", v: null, r: 0 };
