// Hands the data of the page to DataTables and Observable Plot, and opens panels.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);

function element(name, text, attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  if (text !== undefined) made.textContent = text;
  return made;
}

// The points that no other beats: rising y over rising x.
function front(points, x) {
  let best = -Infinity;
  return d3.sort(points.filter((p) => p[x] > 0), (p) => p[x], (p) => -p.y).filter((p) => p.y > best && ((best = p.y), true));
}

function plot(spec, place) {
  const figure = document.getElementById("plot-" + place);
  const choice = figure.querySelector("select");
  const draw = () => {
    const x = spec.x[choice ? choice.selectedIndex : 0];
    const points = spec.points.filter((p) => p[x.key] !== null && (!x.log || p[x.key] > 0));
    const tip = { x: x.key, y: "y", title: (p) => p.name + "\n" + spec.y + " " + p.y + "\n" + x.label + " " + p[x.key] };
    const marks = [Plot.ruleX(points.filter((p) => p.low !== null && p.low !== undefined), { x: x.key, y1: "low", y2: "high", stroke: "var(--soft)" })];
    if (x.cost) marks.push(Plot.line(front(points, x.key), { x: x.key, y: "y", curve: "step-after", stroke: "var(--front)" }));
    marks.push(Plot.dot(points, { x: x.key, y: "y", r: 3.5, fill: "var(--accent)", ariaLabel: "name" }));
    marks.push(Plot.tip(points, Plot.pointer({ ...tip, fill: "var(--paper)" })));
    const drawn = Plot.plot({
      width: Math.max(300, Math.min(1000, figure.clientWidth)), height: 440, marginLeft: 60, marginBottom: 40, grid: true, marks,
      style: { fontSize: "12px" },
      x: { type: x.log ? "log" : "linear", label: x.label, tickFormat: "~s", inset: 8 }, y: { label: spec.y, inset: 8 },
    });
    const place = figure.querySelector(".plot");
    drawn.setAttribute("aria-hidden", "true");
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", spec.title + ": " + points.length + " points, " + spec.y + " against " + x.label + "; the table has the same numbers.");
    place.replaceChildren(drawn);
  };
  if (choice) choice.addEventListener("change", draw);
  let width = 0; // drawn again where the window has another
  new ResizeObserver(() => { if (figure.clientWidth !== width) { width = figure.clientWidth; draw(); } }).observe(figure);
  draw();
}

function cell(kind) {
  return (value, type) => (type === "display" || type === "filter" ? value[1] : value[0] === null ? -Infinity : value[0]);
}

function table(spec, place) {
  const made = new DataTable("#table-" + place, {
    data: spec.rows.map((row) => row.cells),
    columns: spec.columns.map((each) => ({
      title: each.title, render: cell(each), type: each.number ? "num" : "string", className: each.number ? "number" : "",
    })),
    order: [], paging: spec.rows.length > 25, pageLength: 25, lengthMenu: [25, 100, { label: "all", value: -1 }], deferRender: true, autoWidth: false,
    layout: { topStart: "pageLength", topEnd: "search" },
    createdRow: (row, cells, index) => {
      if (spec.rows[index].panel === undefined) return;
      const first = row.cells[spec.opens];
      const button = element("button", first.textContent, { type: "button", className: "open" });
      button.addEventListener("click", () => open(spec.rows[index].panel, button.textContent));
      first.replaceChildren(button);
    },
  });
  const name = () => made.table().container().querySelectorAll("nav").forEach((nav) => nav.setAttribute("aria-label", "pages of " + spec.title));
  made.on("draw", name);
  name();
  let before = 25;
  addEventListener("beforeprint", () => { before = made.page.len(); made.page.len(-1).draw(); });
  addEventListener("afterprint", () => made.page.len(before).draw());
}

function open(panel, name) {
  const body = document.getElementById("panel-body");
  document.getElementById("panel-title").textContent = name;
  const facts = element("table", undefined, { className: "plain" });
  for (const [key, value] of panel.facts) {
    const row = facts.insertRow();
    row.append(element("th", key, { scope: "row" }), element("td", value));
  }
  body.replaceChildren(facts);
  for (const list of panel.lists) {
    const rows = element("table", undefined, { className: "plain" });
    rows.append(element("caption", list.title));
    const head = rows.createTHead().insertRow();
    list.columns.forEach((title) => head.append(element("th", title, { scope: "col" })));
    const lines = rows.createTBody();
    list.rows.forEach((values) => { const row = lines.insertRow(); values.forEach((value) => (row.insertCell().textContent = value)); });
    body.append(rows);
  }
  if (panel.picture) body.append(element("img", undefined, { src: panel.picture, alt: panel.alt }));
  const dialog = document.getElementById("panel");
  dialog.showModal();
  dialog.scrollTop = 0;
}

data.plots.forEach(plot);
data.tables.forEach(table);
