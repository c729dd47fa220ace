// The hypergraph: nodes as pills, edges as lines, sides of several nodes as hulls. Places come with the model.

const UNIT = 130;
const PAD = 33;
const MOST_SHOWN = 4; // nodes of a side whose hull is there before someone asks for it

/** A drawing of a region: the element, and functions that light its edges and nodes or mark the sides of a pair. */
function drawGraph(region, label) {
  const place = new Map(region.nodes.map((node) => [node.number, [node.x * UNIT, node.y * UNIT]]));
  const wide = new Map(region.nodes.map((node) => [node.number, Math.max(44, Math.min(130, node.name.length * 8 + 22))]));
  const reach = Math.max(...wide.values()) / 2 + 24;
  const xs = [...place.values()].map((each) => each[0]);
  const ys = [...place.values()].map((each) => each[1]);
  const box = [Math.min(...xs) - reach, Math.min(...ys) - 52, Math.max(...xs) - Math.min(...xs) + 2 * reach, Math.max(...ys) - Math.min(...ys) + 104];
  const picture = svg("svg", { class: "graph", viewBox: box.map((each) => each.toFixed(1)).join(" "), role: "group", "aria-label": label });
  picture.style.minWidth = box[2] * 0.55 + "px";
  picture.style.maxWidth = box[2] * 1.35 + "px";
  picture.style.marginInline = "auto";
  const areas = svg("g");
  const marks = svg("g");
  const lines = svg("g");
  const pills = svg("g");
  picture.append(areas, marks, lines, pills);
  const taken = [...place.values()];
  const parallel = new Map();
  const edges = region.edges.map((edge) => drawEdge(edge));
  picture.style.setProperty("--hull", String(Math.max(0.05, Math.min(0.2, 0.9 / Math.max(1, areas.children.length)))));
  const nodes = region.nodes.map((node) => drawNode(node));
  const parts = new Map(region.nodes.map((node, at) => [node.number, nodes[at]]));

  function drawEdge(edge) {
    const colour = typeColour(edge.join_type);
    const hulls = [edge.left, edge.right].filter((side) => side.length > 1).map((side) => hull(side, colour));
    const [left, right] = [ends(edge, edge.left), ends(edge, edge.right)];
    const [from, to] = [leave(left, middle(right)), leave(right, middle(left))];
    const key = [...edge.left, "-", ...edge.right].sort().join();
    const nth = parallel.get(key) || 0;
    parallel.set(key, nth + 1);
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const length = Math.hypot(dx, dy) || 1;
    const bend = (nth % 2 ? -1 : 1) * Math.ceil(nth / 2) * 46;
    const control = [(from[0] + to[0]) / 2 - (dy / length) * bend * 2, (from[1] + to[1]) / 2 + (dx / length) * bend * 2];
    const along = (t) => [0, 1].map((axis) => (1 - t) ** 2 * from[axis] + 2 * t * (1 - t) * control[axis] + t * t * to[axis]);
    const path = `M${from.map(fixed)}Q${control.map(fixed)} ${to.map(fixed)}`;
    const at = freest([0.5, 0.42, 0.58, 0.35, 0.65, 0.28, 0.72].map(along));
    const text = edge.join_type + (edge.rules.length ? " §" : "");
    const half = text.length * 3.3 + 9;
    const item = svg("g", { class: "item edge", tabindex: "-1", role: "button", "--color": colour, "aria-label": spokenEdge(region, edge) },
      svg("path", { class: "wire", d: path }), svg("path", { class: "halo", d: path }),
      svg("g", { class: "label", transform: `translate(${at.map(fixed)})` },
        svg("rect", { x: -half, y: -10, width: 2 * half, height: 20, rx: 10 }), svg("text", {}, text)));
    for (const each of hulls) areas.append(each);
    hulls.forEach((each, at) => each.classList.toggle("large", [edge.left, edge.right].filter((side) => side.length > 1)[at].length > MOST_SHOWN));
    lines.append(item);
    return { edge, item, hulls };
  }

  /** The nodes of a side that its line ends at: of a large side only those that the conditions use. */
  function ends(edge, side) {
    const used = side.filter((each) => edge.ses.includes(each));
    return side.length <= MOST_SHOWN || !used.length ? side : used;
  }

  function freest(candidates) {
    const room = (point) => Math.min(...taken.map((other) => Math.hypot((point[0] - other[0]) * 0.6, point[1] - other[1])));
    let best = candidates[0];
    for (const each of candidates) if (room(best) < 24 && room(each) > room(best)) best = each;
    taken.push(best);
    return best;
  }

  function drawNode(node) {
    const half = wide.get(node.number) / 2;
    const most = Math.floor((2 * half - 14) / 8);
    const name = node.name.length > most ? node.name.slice(0, most - 1) + "…" : node.name;
    const item = svg("g", { class: "item node", tabindex: "-1", role: "button", transform: `translate(${place.get(node.number).map(fixed)})`, "aria-label": spokenNode(node) },
      svg("rect", { class: "pill", x: -half, y: -20, width: 2 * half, height: 40, rx: 12 }),
      svg("text", { class: "name", y: -6 }, name), svg("text", { class: "small", y: 10 }, node.rows === null ? "" : short(node.rows)),
      svg("title", {}, node.name));
    pills.append(item);
    return item;
  }

  /** Where a line to a place leaves a side: at a node in its middle, at several on the border of their hull. */
  function leave(side, goal) {
    const start = middle(side);
    if (side.length === 1) return start;
    const corners = side.map((each) => place.get(each));
    const hulled = convex(corners);
    const path = spanningLines(corners);
    let last = start;
    for (let t = 0.02; t < 0.9; t += 0.02) {
      const point = [0, 1].map((axis) => start[axis] + t * (goal[axis] - start[axis]));
      if (path.some(([a, b]) => distance(point, a, b) < PAD) || (hulled.length > 2 && inside(point, hulled, -PAD))) last = point;
    }
    return last;
  }

  function middle(side) {
    return [0, 1].map((axis) => side.reduce((sum, each) => sum + place.get(each)[axis], 0) / side.length);
  }

  /** What encloses a side: its convex hull or, where that would enclose others, a thick line through its nodes. */
  function hull(side, colour) {
    const points = side.map((each) => place.get(each));
    const corners = convex(points);
    const strangers = region.nodes.filter((node) => !side.includes(node.number)).map((node) => place.get(node.number));
    const isHull = corners.length > 2 && !strangers.some((point) => inside(point, corners, -44));
    const lines = isHull ? "M" + corners.map((each) => each.map(fixed)).join("L") + "Z" : spanningLines(points).map(([a, b]) => `M${a.map(fixed)}L${b.map(fixed)}`).join("");
    return svg("path", { class: "area" + (isHull ? "" : " round"), d: lines, "stroke-width": 2 * PAD, "--color": colour });
  }

  /** Lights the edges and nodes for which the functions say so; without them all. */
  function light(isEdge, isNode) {
    picture.classList.toggle("asked", Boolean(isEdge));
    edges.forEach(({ edge, item, hulls }) => {
      const lit = Boolean(isEdge && isEdge(edge));
      item.classList.toggle("lit", lit);
      hulls.forEach((each) => {
        each.classList.toggle("lit", lit);
        each.classList.toggle("dim", Boolean(isEdge) && !lit);
      });
    });
    region.nodes.forEach((node) => parts.get(node.number).classList.toggle("lit", Boolean(isNode && isNode(node))));
  }

  function mark(left, right) {
    for (const [number, item] of parts) {
      item.classList.toggle("side-a", left.includes(number));
      item.classList.toggle("side-b", right.includes(number));
    }
    marks.replaceChildren(...[[left, "a"], [right, "b"]].filter(([side]) => side.length > 1 && side.every((each) => place.has(each))).map(([side, name]) => {
      const drawn = hull(side, `var(--side-${name})`);
      drawn.classList.add("side-hull");
      return drawn;
    }));
  }

  return { picture, edges, nodes, light, mark };
}

function fixed(value) {
  return Number(value.toFixed(1));
}

function convex(points) {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const turn = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  const half = (list) => {
    const made = [];
    for (const point of list) {
      while (made.length > 1 && turn(made.at(-2), made.at(-1), point) <= 1) made.pop();
      made.push(point);
    }
    return made.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

function inside(point, corners, margin) {
  return corners.every((corner, at) => {
    const next = corners[(at + 1) % corners.length];
    const edge = Math.hypot(next[0] - corner[0], next[1] - corner[1]) || 1;
    return ((next[0] - corner[0]) * (point[1] - corner[1]) - (next[1] - corner[1]) * (point[0] - corner[0])) / edge > margin;
  });
}

/** The shortest lines that connect all points (Prim). */
function spanningLines(points) {
  const reached = [points[0]];
  const waiting = points.slice(1);
  const lines = [];
  while (waiting.length) {
    let best = [Infinity, 0, 0];
    reached.forEach((from, i) => waiting.forEach((to, j) => {
      const far = Math.hypot(from[0] - to[0], from[1] - to[1]);
      if (far < best[0]) best = [far, i, j];
    }));
    const next = waiting.splice(best[2], 1)[0];
    lines.push([reached[best[1]], next]);
    reached.push(next);
  }
  return lines;
}

/** How far a point is from the line between two others. */
function distance(point, a, b) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const t = Math.max(0, Math.min(1, ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(point[0] - a[0] - t * dx, point[1] - a[1] - t * dy);
}

function namesOf(region, numbers) {
  const names = new Map(region.nodes.map((node) => [node.number, node.name]));
  return numbers.map((number) => names.get(number) ?? "#" + number);
}

function spokenEdge(region, edge) {
  const on = edge.conditions.length ? " on " + edge.conditions.join(" AND ") : "";
  return `Edge ${edge.number}: ${edge.join_type} join of ${setOf(namesOf(region, edge.left))} with ${setOf(namesOf(region, edge.right))}${on}`;
}

function spokenNode(node) {
  return node.name + (node.table && node.table !== node.name ? ", table " + node.table : "") + (node.rows === null ? "" : ", " + counted(Math.round(node.rows), "row") + " expected");
}

function regionPanel(region) {
  const graph = drawGraph(region, "Hypergraph of the joins; arrow keys go from one edge or table to the next");
  const inspector = h("div", { class: "inspector card", "aria-live": "polite", id: "inspector", tabindex: "0", role: "region", "aria-label": "What is pointed at" });
  const buttons = new Map();
  let pinned = null;

  function conditionsAs(title, conditions) {
    return conditions.length > 0 && [h("h3", {}, title), conditions.map((each) => h("p", {}, h("code", {}, each)))];
  }

  function explainEdge(edge) {
    const names = (numbers) => setOf(namesOf(region, numbers));
    inspector.replaceChildren(...[h("h2", {}, `Edge ${edge.number}: ${edge.join_type} join`),
      h("p", { class: "mono" }, names(edge.left) + " – " + names(edge.right)),
      conditionsAs("On", edge.conditions),
      h("h3", {}, "Its conditions use (SES)"), h("p", { class: "mono" }, edge.ses.length ? names(edge.ses) : "no table"),
      h("h3", {}, "Must be there (TES)"), h("p", { class: "mono" }, names(edge.tes)),
      edge.rules.length ? [h("h3", {}, "Rules"), edge.rules.map((each) => h("p", { class: "rule" }, each))]
        : h("p", { class: "muted" }, "No rule beyond its sides."),
      edge.chain > 0 && h("p", {}, `One of the edges of chain ${edge.chain} of full joins, which merge a key: they may be made in any order.`)].flat(Infinity).filter(Boolean));
    graph.light((other) => other === edge, (node) => edge.tes.includes(node.number) || edge.left.includes(node.number) || edge.right.includes(node.number));
    for (const [other, button] of buttons) button.setAttribute("aria-pressed", String(other === edge));
  }

  function explainNode(node) {
    inspector.replaceChildren(...[h("h2", {}, node.name),
      node.table && node.table !== node.name && h("p", { class: "mono" }, node.table),
      h("p", {}, counted(Math.round(node.rows), "row") + " expected"),
      conditionsAs("Where", node.conditions)].flat(Infinity).filter(Boolean));
    graph.light((edge) => edge.left.includes(node.number) || edge.right.includes(node.number), (other) => other === node);
    for (const button of buttons.values()) button.setAttribute("aria-pressed", "false");
  }

  function rest() {
    if (pinned) return pinned();
    graph.light(null, null);
    for (const button of buttons.values()) button.setAttribute("aria-pressed", "false");
    const ruled = region.edges.filter((edge) => edge.rules.length).length;
    inspector.replaceChildren(h("h2", {}, counted(region.nodes.length, "table") + ", " + counted(region.edges.length, "edge")),
      h("p", {}, "Point at an edge or a table, tap it, or go there with the Tab and arrow keys: this is where it says what it stands for."),
      h("p", { class: "muted" }, ruled ? counted(ruled, "edge") + (ruled === 1 ? " has" : " have") + " conflict rules (§): reasons why a join has to wait for others."
        : "No edge has a conflict rule: the sides of the edges say it all."));
    return undefined;
  }

  function attend(element, explain) {
    element.addEventListener("pointerenter", explain);
    element.addEventListener("pointerleave", rest);
    element.addEventListener("focus", explain);
    element.addEventListener("blur", rest);
    const pin = () => {
      pinned = pinned === explain ? null : explain;
      explain();
    };
    element.addEventListener("click", pin);
    if (element instanceof SVGElement) {
      element.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        pin();
      });
    }
  }

  graph.edges.forEach(({ edge, item }) => attend(item, () => explainEdge(edge)));
  region.nodes.forEach((node, at) => attend(graph.nodes[at], () => explainNode(node)));
  rove(graph.picture, ".item");
  const list = h("ol", { class: "edges card", "aria-label": "Edges" }, region.edges.map((edge) => {
    const button = h("button", { type: "button", "aria-pressed": "false", "--color": typeColour(edge.join_type) },
      h("span", { class: "kind" }, edge.join_type), h("span", { class: "mono" }, setOf(namesOf(region, edge.left)) + " – " + setOf(namesOf(region, edge.right))),
      edge.rules.length > 0 && h("span", { class: "tag" }, counted(edge.rules.length, "rule")),
      edge.conditions.length > 0 && h("code", { class: "on" }, edge.conditions.join(" AND ")));
    buttons.set(edge, button);
    attend(button, () => explainEdge(edge));
    return h("li", {}, button);
  }));
  rest();
  const filters = region.filters.map((each) => h("div", { class: "note" }, h("b", {}, "Filter"), h("div", {},
    h("code", {}, each.conditions.join(" AND ")), " as soon as " + setOf(namesOf(region, each.nodes)) + (each.nodes.length === 1 ? " is" : " are") + " joined",
    each.rules.map((rule) => h("p", {}, rule)))));
  const said = (title, sentences) => sentences.map((each) => h("div", { class: "note" }, h("b", {}, title), h("div", {}, each)));
  return h("div", {}, h("div", { class: "split even" }, h("div", { class: "card scroll stage" }, graph.picture), inspector), list,
    h("div", { class: "notes" }, filters, said("Simplified", region.simplifications), said("Derived", region.derived)));
}
