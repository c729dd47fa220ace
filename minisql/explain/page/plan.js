// The plan: a tree of rows. The last input of an operator runs straight down from it, the others branch off; the width of a
// line is the number of rows that flow along it, its colour how far the estimate was off.

function planPanel(plan) {
  const nodes = plan.nodes;
  const children = nodes.map(() => []);
  const column = nodes.map(() => 0);
  const level = nodes.map(() => 1);
  nodes.forEach((node, id) => {
    if (node.parent !== null) children[node.parent].push(id);
  });
  nodes.forEach((node, id) => {
    if (node.parent === null) return;
    level[id] = level[node.parent] + 1;
    column[id] = column[node.parent] + (id === children[node.parent].at(-1) ? 0 : 1);
  });
  const columns = Math.max(...column) + 1;
  const pitch = Math.max(7, Math.min(26, 420 / columns));
  const rowsOf = (node) => (node.actual ? node.actual.rows : node.rows);
  const most = Math.max(10, ...nodes.map((node) => Math.max(node.rows, rowsOf(node))));
  const thick = (node) => Math.max(1.5, Math.min(pitch * 0.62, 1.5 + (Math.log10(1 + rowsOf(node)) * 13) / Math.max(3, Math.log10(most))));
  const total = Math.max(1e-9, ...nodes.map((node) => (node.actual ? node.actual.own_ms : 0)));
  const collapsed = new Set();
  const x = (place) => (place + 0.5) * pitch + 8;
  const knot = 19;

  function flows(id) {
    const node = nodes[id];
    const made = [];
    const line = (at, of, from, to) => {
      const width = thick(nodes[of]);
      const piece = h("div", { class: "flow down", "--color": colourOf(nodes[of].q_error) });
      Object.assign(piece.style, { left: x(at) - width / 2 + "px", width: width + "px", top: from, bottom: to });
      made.push(piece);
      return piece;
    };
    // What passes: the straight lines of those above, whose last input is still to come.
    for (let above = id; nodes[above].parent !== null; above = nodes[above].parent) {
      const parent = nodes[above].parent;
      const last = children[parent].at(-1);
      if (above !== last) line(column[parent], last, "0", "0");
    }
    if (node.parent !== null) {
      if (children[node.parent].at(-1) === id) line(column[id], id, "0", "calc(100% - " + knot + "px)");
      else {
        const width = thick(node);
        const piece = h("div", { class: "flow", "--color": colourOf(node.q_error) });
        const left = x(column[id] - 1);
        Object.assign(piece.style, { left: left + "px", width: x(column[id]) - left + "px", top: knot - width / 2 + "px", height: width + "px" });
        made.push(piece);
      }
    }
    if (children[id].length) line(column[id], children[id].at(-1), knot + "px", "0").classList.add("below");
    const dot = h("div", { class: "knot", "--color": colourOf(node.q_error) });
    Object.assign(dot.style, { left: x(column[id]) + "px", top: knot + "px" });
    made.push(dot);
    return made;
  }

  function row(node, id) {
    const [operator, rest] = divided(node);
    const siblings = node.parent === null ? [0] : children[node.parent];
    const element = h(
      "div",
      {
        class: "row" + (node.hottest ? " hottest" : ""), role: "treeitem", id: "node-" + id, tabindex: "-1",
        "aria-level": level[id], "aria-setsize": siblings.length, "aria-posinset": siblings.indexOf(id) + 1,
        "aria-selected": "false", "aria-expanded": children[id].length ? "true" : null, "aria-label": spoken(node),
        "--indent": x(column[id]) + "px",
      },
      flows(id),
      h("div", { class: "line" },
        h("div", { class: "title" }, h("div", { class: "clamp" },
          node.hottest && h("span", { class: "tag hot" }, "hottest"),
          node.role && h("span", { class: "tag" }, node.role),
          h("span", { class: "op" }, operator),
          node.fan_out && [" ", h("span", { class: "tag fan" + (node.fan_out.kind === "n:m" ? " many" : "") }, node.fan_out.kind)],
          h("span", { class: "rest" }, rest))),
        h("div", { class: "metrics" }, h("div", { class: "bell-cell" }, dumbbell(node)),
          cell("estimated", count(node.rows)),
          node.actual ? measured(node) : plan.analyzed ? [cell("actual", "never run")] : [cell("cost", cost(node.cost))])),
    );
    element.querySelector(".title").addEventListener("click", () => choose(id));
    return element;
  }

  function cell(label, value, more) {
    return h("div", { class: "num " + ((more && more.class) || ""), "data-label": label }, value, more && more.inner);
  }

  function measured(node) {
    const own = node.actual.own_ms;
    const bar = h("i");
    bar.style.width = (own < total * 0.02 ? 0 : (100 * own) / total) + "%";
    return [
      cell("actual", count(node.actual.rows)),
      cell("off", offBy(node), { class: node.q_error > 1.5 ? "off" : "" }),
      cell("own time", milliseconds(own), { class: "time", inner: bar }),
      cell("memory", node.actual.bytes ? bytes(node.actual.bytes) : "–"),
    ];
  }

  function offBy(node) {
    if (node.q_error === null) return "–";
    if (node.q_error < 1.05) return "exact";
    return (node.actual.rows / node.actual.loops > node.rows ? "↑ " : "↓ ") + factor(node.q_error);
  }

  /** Estimate (hollow) and actual rows (filled) on a logarithmic scale. */
  function dumbbell(node) {
    const at = (rows) => 7 + (106 * Math.log10(1 + rows)) / Math.log10(1 + most);
    const colour = colourOf(node.q_error);
    const picture = svg("svg", { class: "bell", viewBox: "0 0 120 20", preserveAspectRatio: "xMinYMid meet", "aria-hidden": "true" },
      svg("path", { d: "M4 10H116", stroke: "var(--line)", "stroke-width": 1 }));
    if (node.actual) {
      picture.append(
        svg("path", { d: `M${at(node.rows)} 10H${at(node.actual.rows)}`, stroke: colour, "stroke-width": 3 }),
        svg("circle", { cx: at(node.actual.rows), cy: 10, r: 4.5, fill: colour }));
    }
    picture.append(svg("circle", { cx: at(node.rows), cy: 10, r: 4, fill: "var(--card)", stroke: node.actual ? colour : "var(--muted)", "stroke-width": 2 }));
    return picture;
  }

  function spoken(node) {
    const parts = [node.title, "estimated " + counted(node.rows, "row")];
    if (node.actual) {
      parts.push("actual " + counted(node.actual.rows, "row"), "own time " + milliseconds(node.actual.own_ms));
      if (node.q_error > 1.5) parts.push("estimate off by " + factor(node.q_error));
    }
    if (node.hottest) parts.push("the hottest operator");
    return parts.join(", ");
  }

  function details(node) {
    const facts = [["estimated cost", cost(node.cost)]];
    const actual = node.actual;
    if (actual) facts.push(["time with inputs", milliseconds(actual.ms)], ["batches", count(actual.batches)], ["runs", count(actual.loops)]);
    return h("div", { class: "more" },
      h("dl", {}, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
      node.notes.map((note) => h("p", {}, note)),
      node.fan_out && fanOut(node.fan_out));
  }

  function fanOut(fan) {
    return [
      h("p", {}, fan.sentence),
      fan.keys.length > 0 && h("div", { class: "scroll" }, h("table", { class: "rows" },
        h("thead", {}, h("tr", {}, h("th", {}, "key"), fan.sides.map((side) => h("th", { class: "num" }, "rows of " + side)), h("th", { class: "num" }, "pairs"))),
        h("tbody", {}, fan.keys.map((each) => h("tr", {}, h("td", {}, each.key), h("td", { class: "num" }, count(each.left)),
          h("td", { class: "num" }, count(each.right)), h("td", { class: "num" }, count(each.pairs))))))),
    ];
  }

  const rows = nodes.map(row);
  const body = h("div", { role: "tree", "aria-label": "Plan" }, rows);

  function choose(id) {
    const open = rows[id].getAttribute("aria-selected") === "true";
    rows.forEach((each) => {
      each.setAttribute("aria-selected", "false");
      each.querySelector(".more")?.remove();
    });
    if (!open) {
      rows[id].setAttribute("aria-selected", "true");
      rows[id].append(details(nodes[id]));
    }
    focusOn(id);
  }

  function focusOn(id) {
    makeCurrent(rows, rows[id]);
    rows[id].focus({ preventScroll: false });
  }

  function isShown(id) {
    for (let above = nodes[id].parent; above !== null; above = nodes[above].parent) if (collapsed.has(above)) return false;
    return true;
  }

  function setCollapsed(id, value) {
    if (value) collapsed.add(id);
    else collapsed.delete(id);
    rows[id].setAttribute("aria-expanded", String(!value));
    rows[id].querySelector(".below").hidden = value;
    rows.forEach((each, other) => { if (other > id) each.hidden = !isShown(other); });
  }

  body.addEventListener("keydown", (event) => {
    const at = rows.indexOf(event.target);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = (by) => {
      let next = at + by;
      while (rows[next] && rows[next].hidden) next += by;
      return rows[next] ? next : at;
    };
    const actions = {
      ArrowDown: () => focusOn(step(1)),
      ArrowUp: () => focusOn(step(-1)),
      Home: () => focusOn(0),
      End: () => focusOn(rows.findLastIndex((each) => !each.hidden)),
      Enter: () => choose(at),
      " ": () => choose(at),
      ArrowRight: () => {
        if (collapsed.has(at)) setCollapsed(at, false);
        else if (children[at].length) focusOn(children[at][0]);
      },
      ArrowLeft: () => {
        if (children[at].length && !collapsed.has(at)) setCollapsed(at, true);
        else if (nodes[at].parent !== null) focusOn(nodes[at].parent);
      },
    };
    if (!(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  });
  makeCurrent(rows, rows[0]);

  const titles = plan.analyzed ? ["estimated", "actual", "off by", "own time", "memory"] : ["estimated", "cost"];
  const head = h("div", { class: "line head", "aria-hidden": "true" }, h("div"), h("div", {}, "rows"), titles.map((each) => h("div", { class: "num" }, each)));
  const tree = h("div", { class: "tree" + (columns > 14 ? " wide" : "") + (plan.analyzed ? "" : " plain") }, head, body);
  return [planLegend(plan), h("div", { class: "card scroll" }, tree),
    plan.left_out && h("p", { class: "left-out" }, plan.left_out)];
}

function planLegend(plan) {
  const sample = (height, colour) => {
    const mark = h("i");
    Object.assign(mark.style, { height: height + "px", background: colour });
    return mark;
  };
  const scale = [["exact to 1.5×", 1], ["to 4×", 3], ["to 16×", 9], ["worse", 99]];
  return h("div", { class: "legend" },
    h("span", {}, sample(2, "var(--qx)"), sample(6, "var(--qx)"), sample(11, "var(--qx)"), "width: rows, logarithmic"),
    plan.analyzed && [h("span", {}, "estimate off by:"), scale.map(([text, error]) => h("span", {}, sample(9, colourOf(error)), text)),
      h("span", {}, "○ estimated, ● actual")]);
}

/** The operator's name and what follows it. */
function divided(node) {
  const found = /^(Group by|[^(:,]*[^(:,\s])/.exec(node.title);
  const end = found ? found[0].length : 0;
  return [node.title.slice(0, end), node.title.slice(end)];
}
