"use strict";
const at = (id) => document.getElementById(id);
const reports = Array.from(document.querySelectorAll("section.report"));

function choose() {
  const dataset = at("choose-dataset").value, features = at("choose-features").value;
  for (const one of reports) {
    one.hidden = (dataset !== "" && one.dataset.dataset !== dataset) || (features !== "" && one.dataset.features !== features);
  }
  at("count").textContent = `${reports.filter((one) => !one.hidden).length} of ${reports.length} reports`;
}
at("choose").addEventListener("submit", (event) => event.preventDefault());
at("choose").addEventListener("change", choose);
choose();
