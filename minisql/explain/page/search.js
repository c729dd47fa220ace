// The search, step by step: which sets of tables were found, which pair was looked at, what was kept and what it beat.

function searchPanel(search, region) {
  const steps = search.steps;
  const drawn = region || onCircle(search.tables);
  const graph = drawGraph(drawn, "The tables; the two sides of the pair are marked");
  const names = new Map(search.tables.map((table) => [table.number, table.name]));
  const called = (numbers) => setOf(numbers.map((number) => names.get(number) ?? "#" + number));
  const tone = (step) => "v-" + (step.event === "table" ? "table" : step.verdict);
  const used = usedSets(steps);
  let at = 0;
  let timer = null;

  const slider = h("input", { type: "range", id: "step", min: 0, max: steps.length - 1, step: 1, value: 0, "aria-label": "Step of the search" });
  const output = h("output", { for: "step" });
  const button = (text, label, action) => h("button", { type: "button", "aria-label": label, onclick: action }, text);
  const play = h("button", { type: "button", class: "play", onclick: () => (timer ? stop() : start()) }, "Play");
  const said = h("div", { class: "said", "aria-live": "polite" });
  const body = h("tbody");
  const ticks = svg("svg", { viewBox: `0 0 ${steps.length} 10`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const grouped = Math.max(1, Math.ceil(steps.length / 400));
  for (let from = 0; from < steps.length; from += grouped) {
    const group = steps.slice(from, from + grouped);
    const most = group.find((step) => step.verdict === "better") || group.find((step) => step.verdict === "first") || group[0];
    const height = { table: 3, first: 8, better: 10, dearer: 5, forbidden: 4 }[most.event === "table" ? "table" : most.verdict];
    ticks.append(svg("rect", { class: tone(most), x: from, y: 10 - height, width: Math.max(0.6, group.length * 0.8), height }));
  }
  const needle = svg("rect", { y: 0, width: Math.max(0.25, steps.length / 400), height: 10, "--color": "var(--ink)" });
  ticks.append(needle);

  function start() {
    if (at === steps.length - 1) show(0);
    play.textContent = "Pause";
    const pace = Math.max(60, Math.min(900, 24000 / steps.length));
    timer = setInterval(() => {
      if (at < steps.length - 1) show(at + 1);
      if (at === steps.length - 1) stop();
    }, pace);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }

  function show(next) {
    at = Math.max(0, Math.min(steps.length - 1, next));
    slider.value = String(at);
    const step = steps[at];
    slider.setAttribute("aria-valuetext", `step ${at + 1} of ${steps.length}: ${spoken(step)}`);
    output.textContent = `step ${count(at + 1)} of ${count(steps.length)}`;
    needle.setAttribute("x", String(at));
    const [left, right] = step.event === "table" ? [step.tables, []] : [step.left, step.right];
    graph.mark(left, right);
    const crosses = (edge) => [[left, right], [right, left]].some(([a, b]) => edge.left.every((each) => a.includes(each)) && edge.right.every((each) => b.includes(each)));
    graph.light(crosses, (node) => left.includes(node.number) || right.includes(node.number));
    said.replaceChildren(...sentence(step));
    body.replaceChildren(...bestRows(at));
    body.querySelector(".now")?.scrollIntoView({ block: "nearest", inline: "nearest", container: "nearest" });
  }

  function spoken(step) {
    if (step.event === "table") return "table " + called(step.tables);
    return `${called(step.left)} with ${called(step.right)}, ${step.verdict}`;
  }

  function sentence(step) {
    if (step.event === "table") {
      return [h("p", {}, h("span", { class: "pair a" }, called(step.tables))),
        h("p", {}, h("span", { class: "verdict v-table" }, "a table"), " ", `${counted(Math.round(step.rows), "row")} at a cost of ${cost(step.cost)}.`)];
    }
    const verdict = {
      first: () => "The first plan for this set.",
      better: () => `Beats the ${cost(step.beaten)} that was best so far by ${factor(step.factor)}.`,
      dearer: () => `Dearer than the best so far, ${cost(step.best)}, by ${factor(step.factor)}.`,
      forbidden: () => "The rules of the joins do not allow this pair.",
    }[step.verdict]();
    const number = step.rows === null || step.rows === undefined ? null
      : h("p", { class: "muted" }, `${counted(Math.round(step.rows), "row")} at a cost of ${cost(step.cost)}.`);
    return [h("p", { class: "pair" }, h("span", { class: "a" }, called(step.left)), "  with  ", h("span", { class: "b" }, called(step.right))),
      h("p", {}, h("span", { class: "verdict " + tone(step) }, step.verdict), " ", verdict),
      step.operator && h("p", {}, step.operator, step.condition ? [" on ", h("code", {}, step.condition)] : ""), number].filter(Boolean);
  }

  /** The best plan of each set after a step, the largest sets first. */
  function bestRows(until) {
    const best = new Map();
    let touched = null;
    for (const step of steps.slice(0, until + 1)) {
      const tables = step.event === "table" ? step.tables : [...step.left, ...step.right].sort((a, b) => a - b);
      const key = tables.join();
      touched = key;
      if (step.event === "table" || step.verdict === "first" || step.verdict === "better") {
        best.set(key, { key, tables, cost: step.cost, rows: step.rows, of: step.event === "table" ? "" : called(step.left) + " · " + called(step.right) });
      }
    }
    const shown = [...best.values()].sort((a, b) => b.tables.length - a.tables.length);
    const now = shown.findIndex((each) => each.key === touched);
    const from = Math.max(0, Math.min(now - 60, shown.length - 120));
    return shown.slice(from, from + 120).map((each) => h("tr", { class: (each.key === touched ? "now " : "") + (used.has(each.key) ? "used" : "") },
      h("td", {}, called(each.tables)), h("td", { class: "num" }, count(Math.round(each.rows))), h("td", { class: "num" }, cost(each.cost))));
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
      button("⏮", "First step", go(() => 0)), button("◀", "One step back", go(() => at - 1)),
      button("▶", "One step on", go(() => at + 1)), button("⏭", "Last step", go(() => steps.length - 1)), output),
    h("div", { class: "timeline" }, ticks, slider),
    h("div", { class: "scroll" }, graph.picture), said);
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

/** The sets that the final plan is made of, by their keys. */
function usedSets(steps) {
  const made = new Map();
  let largest = null;
  for (const step of steps) {
    if (step.event !== "pair" || (step.verdict !== "first" && step.verdict !== "better")) continue;
    const tables = [...step.left, ...step.right].sort((a, b) => a - b);
    made.set(tables.join(), [step.left, step.right]);
    if (!largest || tables.length >= largest.length) largest = tables;
  }
  const used = new Set();
  const waiting = largest ? [largest] : [];
  while (waiting.length) {
    const tables = [...waiting.pop()].sort((a, b) => a - b);
    used.add(tables.join());
    waiting.push(...(made.get(tables.join()) || []));
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
