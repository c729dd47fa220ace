// The search, step by step: which sets of tables were found, which pair was looked at, what was kept and what it beat.

function searchPanel(search, region) {
  const steps = search.steps.map(([kind, left, right, text, more, rows, cost, beaten]) => (
    { kind, left, right, text: search.texts[text], more: search.texts[more], rows, cost, beaten, key: keyOf([...left, ...right]) }));
  const drawn = region || onCircle(search.tables);
  const graph = drawGraph(drawn, "The tables; the two sides of the pair are marked");
  const names = new Map(search.tables.map((table) => [table.number, table.name]));
  const called = (numbers) => setOf(numbers.map((number) => names.get(number) ?? "#" + number));
  const tone = (step) => "v-" + step.kind;
  const used = usedSets(steps);
  let at = 0;
  let timer = null;

  const slider = h("input", { type: "range", id: "step", min: 0, max: steps.length - 1, step: 1, value: 0, "aria-label": "Step of the search" });
  const output = h("output", { for: "step" });
  const button = (path, label, action) => h("button", { type: "button", "aria-label": label, title: label, onclick: action }, icon(path));
  const play = h("button", { type: "button", class: "play", onclick: () => (timer ? stop() : start()) }, icon("M4 2L14 8L4 14Z"), "Play");
  const said = h("div", { class: "said", "aria-live": "polite" });
  const body = h("tbody");
  const ticks = svg("svg", { viewBox: `0 0 ${steps.length} 10`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const grouped = Math.max(1, Math.ceil(steps.length / 400));
  for (let from = 0; from < steps.length; from += grouped) {
    const group = steps.slice(from, from + grouped);
    const most = group.find((step) => step.kind === "better") || group.find((step) => step.kind === "first") || group[0];
    const height = { phase: 2, table: 3, first: 8, better: 10, dearer: 5, forbidden: 4 }[most.kind];
    ticks.append(svg("rect", { class: tone(most), x: from, y: 10 - height, width: group.length * (steps.length > 120 ? 1 : 0.8), height }));
  }
  const needle = svg("rect", { y: 0, width: Math.max(0.25, steps.length / 400), height: 10, "--color": "var(--ink)" });
  ticks.append(needle);

  function start() {
    if (at === steps.length - 1) show(0);
    play.replaceChildren(icon("M3 2H7V14H3ZM9 2H13V14H9Z"), "Pause");
    const pace = Math.max(60, Math.min(900, 24000 / steps.length));
    timer = setInterval(() => {
      if (at < steps.length - 1) show(at + 1);
      if (at === steps.length - 1) stop();
    }, pace);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.replaceChildren(icon("M4 2L14 8L4 14Z"), "Play");
  }

  function show(next) {
    at = Math.max(0, Math.min(steps.length - 1, next));
    slider.value = String(at);
    const step = steps[at];
    slider.setAttribute("aria-valuetext", `step ${at + 1} of ${steps.length}: ${spoken(step)}`);
    output.textContent = `step ${count(at + 1)} of ${count(steps.length)}`;
    needle.setAttribute("x", String(at));
    const { left, right } = step;
    graph.mark(left, right);
    const crosses = (edge) => [[left, right], [right, left]].some(([a, b]) => edge.left.every((each) => a.includes(each)) && edge.right.every((each) => b.includes(each)));
    graph.light(left.length ? crosses : null, (node) => left.includes(node.number) || right.includes(node.number));
    said.replaceChildren(...sentence(step));
    const rows = bestRows(at);
    body.replaceChildren(...(rows.length ? rows : [h("tr", {}, h("td", { class: "none", colspan: 3 }, "Nothing found yet."))]));
    reveal(body.querySelector(".now"));
  }

  /** Scrolls the table, and nothing else, to a row. */
  function reveal(row) {
    if (!row) return;
    const [top, bottom] = [row.offsetTop - 40, row.offsetTop + row.offsetHeight];
    if (top < table.scrollTop) table.scrollTop = top;
    else if (bottom > table.scrollTop + table.clientHeight) table.scrollTop = bottom - table.clientHeight;
  }

  function spoken(step) {
    if (step.kind === "phase") return step.text;
    if (step.kind === "table") return "table " + called(step.left);
    return `${called(step.left)} with ${called(step.right)}, ${step.kind}`;
  }

  function sentence(step) {
    const numbers = step.cost === null ? null : h("p", { class: "muted" }, `${counted(Math.round(step.rows), "row")} at a cost of ${cost(step.cost)}`);
    if (step.kind === "phase") return [h("p", { class: "pair" }, step.text), h("p", {}, step.more)];
    if (step.kind === "table") return [h("p", { class: "pair a" }, called(step.left)), h("p", {}, h("span", { class: "verdict v-table" }, "table")), numbers];
    const verdict = {
      first: () => "The first plan for this set.",
      better: () => `Beats the ${cost(step.beaten)} that was best so far by ${factor(step.beaten / step.cost)}.`,
      dearer: () => (step.cost === step.beaten ? "As dear as the best so far, which stays." : `Dearer than the best so far, ${cost(step.beaten)}, by ${factor(step.cost / step.beaten)}.`),
      forbidden: () => step.more || "",
    }[step.kind]();
    return [h("p", { class: "pair" }, h("span", { class: "a" }, called(step.left)), "  with  ", h("span", { class: "b" }, called(step.right))),
      h("p", {}, h("span", { class: "verdict " + tone(step) }, step.kind), " ", verdict),
      step.text && h("p", {}, step.text, step.kind !== "forbidden" && step.more ? [" on ", h("code", {}, step.more)] : ""), numbers].filter(Boolean);
  }

  /** The best plan of each set after a step, the largest sets first. */
  function bestRows(until) {
    const best = new Map();
    for (const step of steps.slice(0, until + 1)) {
      if (isKept(step)) best.set(step.key, step);
    }
    const size = (step) => step.left.length + step.right.length;
    const shown = [...best.values()].sort((a, b) => size(b) - size(a));
    const now = shown.findIndex((step) => step.key === steps[until].key);
    const from = Math.max(0, Math.min(now - 60, shown.length - 120));
    return shown.slice(from, from + 120).map((step) => h("tr", { class: (step.key === steps[until].key ? "now " : "") + (used.has(step.key) ? "used" : "") },
      h("td", {}, called(ascending([...step.left, ...step.right]))), h("td", { class: "num" }, count(Math.round(step.rows))), h("td", { class: "num" }, cost(step.cost))));
  }

  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });
  const go = (next) => () => {
    stop();
    show(next());
  };
  const box = h("div", { class: "card" },
    h("div", { class: "transport", role: "group", "aria-label": "Replay" }, play,
      button("M2 2H4V14H2ZM14 2V14L5 8Z", "First step", go(() => 0)), button("M12 2V14L3 8Z", "One step back", go(() => at - 1)),
      button("M4 2L13 8L4 14Z", "One step on", go(() => at + 1)), button("M12 2H14V14H12ZM2 2L11 8L2 14Z", "Last step", go(() => steps.length - 1)), output),
    h("div", { class: "timeline" }, ticks, slider),
    h("div", { class: "scroll stage" }, graph.picture), said);
  box.addEventListener("keydown", (event) => {
    if (event.target.tagName === "BUTTON" || event.key !== " ") return;
    event.preventDefault();
    if (timer) stop();
    else start();
  });
  const table = h("div", { class: "card best", tabindex: "0", "aria-label": "Best plan of each set so far" }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", {}, "set"), h("th", { class: "num" }, "rows"), h("th", { class: "num" }, "best cost"))), body));
  show(0);
  return [h("div", { class: "split" }, box, table), search.left_out && h("p", { class: "left-out" }, search.left_out)];
}

function icon(path) {
  return svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: path }));
}

function isKept(step) {
  return step.kind === "table" || step.kind === "first" || step.kind === "better";
}

function ascending(numbers) {
  return numbers.sort((a, b) => a - b);
}

function keyOf(numbers) {
  return ascending(numbers).join();
}

/** The keys of the sets that the best plan of the largest set is made of. */
function usedSets(steps) {
  const made = new Map();
  let largest = null;
  for (const step of steps) {
    if (!isKept(step)) continue;
    made.set(step.key, step);
    if (!largest || step.left.length + step.right.length >= largest.left.length + largest.right.length) largest = step;
  }
  const used = new Set();
  const waiting = largest ? [largest.key] : [];
  while (waiting.length) {
    const step = made.get(waiting.pop());
    if (!step) continue;
    used.add(step.key);
    if (step.right.length) waiting.push(keyOf([...step.left]), keyOf([...step.right]));
  }
  return used;
}

function onCircle(tables) {
  const radius = Math.max(0.8, tables.length / 6);
  const nodes = tables.map((table, at) => {
    const angle = (2 * Math.PI * at) / tables.length - Math.PI / 2;
    return { number: table.number, name: table.name, table: "", rows: null, conditions: [], x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
  });
  return { nodes, edges: [], filters: [], simplifications: [], derived: [] };
}
