// The legal orders, and those that are forbidden with a database on which they give other rows.

function ordersPanel(orders) {
  const lowest = orders.lines[0].cost;
  const highest = Math.max(...orders.lines.map((line) => line.cost));
  const share = (value) => (highest > lowest * 20 ? (2 + 98 * Math.log(value / lowest)) / (2 + 98 * Math.log(highest / lowest)) : value / highest);
  const rows = orders.lines.map((line, at) => {
    const bar = h("i");
    bar.style.width = Math.max(1, 100 * share(Math.max(line.cost, lowest))) + "%";
    return h("tr", { class: line.chosen ? "chosen" : "" }, h("td", { class: "num" }, count(at + 1)),
      h("td", {}, line.order, " ", line.chosen && h("span", { class: "tag good" }, "chosen"), line.as_written && h("span", { class: "tag" }, "as written")),
      h("td", { class: "num", "data-label": "cost" }, cost(line.cost)),
      h("td", { class: "bar", "aria-hidden": "true" }, bar),
      h("td", { class: "num", "data-label": "" }, lowest > 0 && line.cost > lowest * 1.0005 ? factor(line.cost / lowest) : "cheapest"),
      h("td", { class: "num", "data-label": "intermediate rows" }, count(Math.round(line.rows))));
  });
  const heads = [["", "num"], ["order", ""], ["cost", "num"], ["", "bar"], ["of the cheapest", "num"], ["intermediate rows", "num"]];
  return [h("div", { class: "card" }, h("div", { class: "scroll" }, h("table", { class: "orders" },
    h("thead", {}, h("tr", {}, heads.map(([text, kind]) => h("th", { class: kind }, text)))), h("tbody", {}, rows)))),
    orders.left_out && h("p", { class: "left-out" }, orders.left_out)];
}

function forbiddenPanel(forbidden) {
  const stage = h("div", { class: "card case", id: "case", "aria-live": "polite" });
  const buttons = forbidden.cases.map((each, at) => h("button", { type: "button", role: "radio", "aria-checked": "false", onclick: () => pick(at) }, each.order));
  const choices = h("div", { class: "choices", role: "radiogroup", "aria-label": "Forbidden orders" }, buttons);

  function pick(at) {
    buttons.forEach((button, other) => button.setAttribute("aria-checked", String(other === at)));
    makeCurrent(buttons, buttons[at]);
    const each = forbidden.cases[at];
    stage.replaceChildren(...[h("h2", { class: "mono" }, each.order), h("p", { class: "reason" }, each.reason),
      each.script && h("div", {}, h("h3", {}, "A database on which it shows"), h("pre", { tabindex: "0" }, highlighted(each.script))),
      (each.written || each.reordered) && h("div", { class: "two" }, side("As written", each.written, each.written_rows, each.reordered_rows), side("In the asked order", each.reordered, each.reordered_rows, each.written_rows)),
    ].filter(Boolean));
  }

  function side(title, sql, rows, others) {
    return h("div", {}, h("h3", {}, title), sql && h("pre", { tabindex: "0" }, highlighted(sql)), rows && rowsTable(rows, others, title + ": what it gives"));
  }

  rove(choices, "[role=radio]", (button) => button.click());
  pick(0);
  return [h("div", { class: "split reverse" }, choices, stage), forbidden.left_out && h("p", { class: "left-out" }, forbidden.left_out)];
}

/** The rows of a query, those that the other one does not give marked; rows count as often as they come. */
function rowsTable(rows, others, caption) {
  const left = new Map();
  for (const row of (others && others.rows) || []) left.set(JSON.stringify(row), (left.get(JSON.stringify(row)) || 0) + 1);
  const differs = rows.rows.map((row) => {
    const key = JSON.stringify(row);
    const matched = (left.get(key) || 0) > 0;
    if (matched) left.set(key, left.get(key) - 1);
    return !matched;
  });
  const title = h("caption", { class: "offscreen" }, caption);
  const table = rows.columns.length > 5 && rows.rows.length <= 3 && rows.rows.length > 0 ? recordTable(rows, differs, title) : plainTable(rows, differs, title);
  return h("div", { class: "scroll" }, table);
}

function plainTable(rows, differs, title) {
  const lines = rows.rows.map((row, at) => h("tr", { class: differs[at] ? "differs" : "" }, row.map((value) => h("td", {}, shown(value))), h("td", {}, differs[at] ? "only here" : "")));
  return h("table", { class: "rows" }, title,
    h("thead", {}, h("tr", {}, rows.columns.map((name) => h("th", {}, name)), h("th", {}, h("span", { class: "offscreen" }, "difference")))),
    h("tbody", {}, lines.length ? lines : h("tr", {}, h("td", { class: "null", colspan: rows.columns.length + 1 }, "no rows"))));
}

/** A few rows of many columns, a line for each column. */
function recordTable(rows, differs, title) {
  const kind = (at) => ({ class: differs[at] ? "differs" : "" });
  return h("table", { class: "rows record" }, title,
    h("thead", {}, h("tr", {}, h("th", {}, "column"), rows.rows.map((_, at) => h("th", kind(at), `row ${at + 1}` + (differs[at] ? ", only here" : ""))))),
    h("tbody", {}, rows.columns.map((name, place) => h("tr", {}, h("th", { scope: "row" }, name), rows.rows.map((row, at) => h("td", kind(at), shown(row[place])))))));
}

function shown(value) {
  return value === null ? h("span", { class: "null" }, "NULL") : value;
}
