// Puts the page together from its model (see minisql/explain/page/__init__.py): one tab for each thing that is known.

const model = JSON.parse(byId("model").textContent);
const panels = [];

function several(items, label, draw) {
  if (items.length === 1) return [draw(items[0], 0)].flat();
  const stage = h("div");
  const select = h("select", { "aria-label": label, onchange: () => stage.replaceChildren(...[draw(items[select.value], Number(select.value))].flat().filter(Boolean)) },
    items.map((item, at) => h("option", { value: at }, item.title)));
  stage.replaceChildren(...[draw(items[0], 0)].flat().filter(Boolean));
  return [h("p", { class: "muted" }, select), stage];
}

function panel(id, title, size, lead, make) {
  panels.push({ id, title, size, lead, make });
}

panel("plan", "Plan", null, "Rows flow upwards. What an operator reads row by row runs straight down from it; what it holds branches off. Enter or a click tells more of an operator.", () => planPanel(model.plan));
const regions = model.hypergraph ? model.hypergraph.regions : [];
if (model.hypergraph) {
  panel("hypergraph", "Hypergraph", regions.reduce((sum, each) => sum + each.edges.length, 0),
    "What the optimizer orders: each table is a node, each condition an edge. An edge that needs several tables at once has a hull around them.",
    () => [regions.length ? several(regions, "Group of joins", (each) => regionPanel(each)) : [],
      model.hypergraph.left_out && h("p", { class: "left-out" }, model.hypergraph.left_out)]);
}
if (model.orders) {
  panel("orders", "Orders", model.orders.count, model.orders.reason || "Every order of the joins that gives the query's rows, a JOIN b and b JOIN a taken as one.",
    () => (model.orders.lines.length ? ordersPanel(model.orders) : []));
}
if (model.trace) {
  const drawn = regions.find((region) => model.trace.tables.every((table) => region.nodes.some((node) => node.number === table.number)));
  panel("search", "Search", model.trace.pairs, "Each step looks at one pair of sets of tables; the cheapest plan of each set is kept. Drag the slider, use its arrow keys, or press space.",
    () => searchPanel(model.trace, drawn));
}
if (model.forbidden) {
  panel("forbidden", "Forbidden orders", model.forbidden.count, "Orders that the rules forbid, for they may change the result. Each comes with the reason and, where one was found, with a database of a few rows on which the two queries were run.",
    () => forbiddenPanel(model.forbidden));
}

function showTab(id) {
  for (const each of panels) {
    const selected = each.id === id;
    byId("tab-" + each.id).setAttribute("aria-selected", String(selected));
    byId("panel-" + each.id).hidden = !selected;
  }
  const [tabs, tab] = [byId("tabs"), byId("tab-" + id)];
  makeCurrent([...tabs.children], tab);
  tabs.scrollLeft = Math.min(tab.offsetLeft, Math.max(tabs.scrollLeft, tab.offsetLeft + tab.offsetWidth - tabs.clientWidth));
}

for (const each of panels) {
  byId("tabs").append(h("button", { type: "button", role: "tab", id: "tab-" + each.id, "aria-controls": "panel-" + each.id, onclick: () => showTab(each.id) },
    each.title, each.size === null || each.size === undefined ? "" : h("small", {}, " " + short(each.size))));
  byId("panels").append(h("section", { class: "panel", role: "tabpanel", id: "panel-" + each.id, "aria-labelledby": "tab-" + each.id },
    h("p", { class: "muted" }, each.lead), each.make()));
}
rove(byId("tabs"), "[role=tab]", (tab) => tab.click(), [["ArrowLeft"], ["ArrowRight"]]);
showTab("plan");

byId("what").textContent = model.analyzed ? "EXPLAIN ANALYZE" : "EXPLAIN";
byId("headline").textContent = model.headline;
byId("lead").textContent = model.lead;
byId("made").textContent = "Made by minisql " + model.version + ". This file is complete: it loads nothing.";
for (const [name, value, unit] of model.facts) {
  byId("facts").append(h("div", {}, h("dt", {}, name), h("dd", {}, value, unit && [" ", h("small", {}, unit)])));
}
for (const each of model.warnings) byId("notes").append(h("div", { class: "note warning" }, h("b", {}, "Warning"), h("div", {}, each)));
for (const each of model.simplifications) byId("notes").append(h("div", { class: "note" }, h("b", {}, "Simplified"), h("div", {}, each)));
byId("sql").append(...highlighted(model.sql));
byId("query").open = model.sql.split("\n").length <= 14 && model.sql.length <= 900 && innerWidth > 640;

const isDark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const nameTheme = () => { byId("theme").textContent = isDark() ? "Light" : "Dark"; };
byId("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
nameTheme();
