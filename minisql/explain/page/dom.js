// Elements and numbers. Whatever comes from a query or from data reaches the page as text or as the value of an
// attribute, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

function h(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function byId(id) {
  return document.getElementById(id);
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A number of rows: whole from 10 on, in powers of ten from ten million on. */
function count(value) {
  if (value >= 1e7) return short(value);
  return value >= 10 || Number.isInteger(value) ? whole.format(value) : String(Number(value.toPrecision(2)));
}

function short(value) {
  if (value >= 1e15) return Number(value).toExponential(1);
  for (const [size, unit] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= size) return Number((value / size).toPrecision(3)) + unit;
  }
  return String(Number(value.toPrecision(3)));
}

function cost(value) {
  return value >= 1000 ? count(value) : String(Number(value.toPrecision(4)));
}

function milliseconds(value) {
  if (value >= 10000) return Number((value / 1000).toPrecision(3)) + " s";
  return Number(value.toPrecision(value >= 1 ? 3 : 2)) + " ms";
}

function bytes(value) {
  for (const [size, unit] of [[2 ** 30, "GB"], [2 ** 20, "MB"], [2 ** 10, "kB"]]) {
    if (value >= size) return Number((value / size).toPrecision(3)) + " " + unit;
  }
  return value + " B";
}

function factor(value) {
  return (value >= 1000 ? short(value) : Number(value.toPrecision(value < 9.95 ? 2 : 3))) + "×";
}

function counted(number, noun) {
  return count(number) + " " + noun + (number === 1 ? "" : "s");
}

function setOf(names) {
  return names.length === 1 ? names[0] : "{" + names.join(", ") + "}";
}

/** The colour of a q-error: how many times the estimate was off, in either direction. */
function colourOf(error) {
  if (error === null || error === undefined) return "var(--qx)";
  return "var(--q" + (error <= 1.5 ? 0 : error <= 4 ? 1 : error <= 16 ? 2 : 3) + ")";
}

function typeColour(type) {
  const word = type.toLowerCase();
  return "var(--" + (["left", "full", "semi", "anti"].find((each) => word.includes(each)) || "inner") + ")";
}

/** One tab stop for several elements; arrows, Home and End go from one to the other. */
function rove(container, selector, onMove, keys) {
  const [back, forth] = keys || [["ArrowLeft", "ArrowUp"], ["ArrowRight", "ArrowDown"]];
  container.addEventListener("keydown", (event) => {
    const items = [...container.querySelectorAll(selector)];
    const at = items.indexOf(event.target.closest(selector));
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    let next;
    if (forth.includes(event.key)) next = (at + 1) % items.length;
    else if (back.includes(event.key)) next = (at + items.length - 1) % items.length;
    else if (event.key === "Home") next = 0;
    else if (event.key === "End") next = items.length - 1;
    else return;
    event.preventDefault();
    makeCurrent(items, items[next]);
    items[next].focus();
    if (onMove) onMove(items[next]);
  });
  const items = [...container.querySelectorAll(selector)];
  if (items.length) makeCurrent(items, items[0]);
}

function makeCurrent(items, current) {
  for (const item of items) item.setAttribute("tabindex", item === current ? "0" : "-1");
}

/** SQL with its words, strings, numbers and comments marked. */
function highlighted(sql) {
  const token = /(--[^\n]*|\/\*[\s\S]*?\*\/)|('(?:[^']|'')*'|"(?:[^"]|"")*")|(\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b)|([A-Za-z_]\w*)/gi;
  const words = new Set(("all alter and any as asc between by case cast coalesce create cross cube date desc distinct else end " +
    "escape except exists false fetch filter first following from full group grouping having if in inner insert intersect " +
    "interval into is join key last lateral left like limit materialized natural not null nulls offset on or order outer over " +
    "partition preceding primary range recursive right rollup row rows select sets some table then true unbounded union unique " +
    "using values when where window with").split(" "));
  const parts = [];
  let from = 0;
  for (const match of sql.matchAll(token)) {
    const [text, comment, string, number, word] = match;
    const kind = comment ? "c" : string ? (text[0] === "'" ? "s" : "") : number ? "n" : words.has(word.toLowerCase()) ? "k" : "";
    if (!kind) continue;
    parts.push(sql.slice(from, match.index), h("span", { class: "sql-" + kind }, text));
    from = match.index + text.length;
  }
  parts.push(sql.slice(from));
  return parts;
}
