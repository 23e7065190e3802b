// Import with progress, and export.
import { api, newID } from "./api.js";
import { h, plural } from "./dom.js";
import { back } from "./contact.js";
import * as list from "./list.js";

let running = null; // the panel of the import under way, which outlives the view
let abort = null;

async function formatOf(file) {
  if (/\.(vcf|vcard)$/i.test(file.name)) return "vcard";
  if (/\.csv$/i.test(file.name)) return "csv";
  return /^\uFEFF?\s*BEGIN:VCARD/i.test(await file.slice(0, 200).text()) ? "vcard" : "csv";
}

async function start(file, place) {
  const id = newID().replace("c-", "import-");
  abort = new AbortController();
  const bar = h("progress", { "aria-label": "Import of " + file.name, max: 1 });
  const counts = h("p", { class: "counts", role: "status" }, "Starting…");
  const stop = h("button", { type: "button", class: "button", click: () => abort?.abort() }, "Stop");
  running = h("div", { class: "box", id: "import" }, h("h3", {}, file.name), bar, counts, stop);
  place.replaceChildren(running);
  const show = (p) => {
    if (p.total) bar.value = p.state === "running" ? Math.min(.99, p.bytes / p.total) : 1;
    counts.replaceChildren(...[["added", p.added], ["there already", p.present], ["brought back", p.restored], ["refused", p.refused]]
      .filter(([, n], i) => n || i === 0).map(([name, n]) => h("span", {}, h("b", {}, n.toLocaleString()), " " + name)));
  };
  let over = false;
  const poll = async () => {
    if (over) return;
    try {
      const p = await api.progress(id);
      if (!over) show(p);
    } catch { /* not noted yet, or a moment without network */ }
    setTimeout(poll, 400);
  };
  setTimeout(poll, 300);
  let text;
  try {
    const result = await api.import(id, await formatOf(file), file, abort.signal);
    show(result);
    text = result.state === "done" ? `Done: ${plural(result.read, "record")} read.` : `The import ended early: ${result.error} It can be repeated; nothing will be there twice.`;
    if (result.problems?.length) running.append(h("p", {}, "Refused were, among others:"), h("ul", { class: "meta" }, result.problems.map((p) => h("li", {}, p))));
  } catch (error) {
    text = error.name === "AbortError" ? "Stopped. What was added is in the phonebook; the import can be repeated." : error.message + " The import can be repeated; nothing will be there twice.";
  }
  over = true;
  abort = null;
  stop.remove();
  counts.after(h("p", { role: "status" }, text));
  list.refresh();
}

export function view() {
  const place = h("div", {}, running);
  const choose = (files) => { if (files?.length && !abort) start(files[0], place); };
  const input = h("input", { type: "file", id: "file", accept: ".vcf,.vcard,.csv,text/vcard,text/csv", change: () => { choose(input.files); input.value = ""; } });
  const drop = h("div", { class: "drop",
    dragover: (e) => { e.preventDefault(); drop.classList.add("over"); },
    dragleave: () => drop.classList.remove("over"),
    drop: (e) => { e.preventDefault(); drop.classList.remove("over"); choose(e.dataTransfer.files); },
  }, h("label", { for: "file" }, "Drop a vCard or CSV file here, or choose one"), h("div", {}, input));
  return h("div", { class: "panel" }, back(), h("h1", { tabindex: "-1" }, "Import and export"),
    h("h2", {}, "Import"), drop, place,
    h("p", { class: "meta" }, "CSV needs a first line with column names, as Google Contacts and Outlook write it. Contacts that are there already stay as they are."),
    h("h2", {}, "Export"),
    h("div", { class: "actions" }, h("a", { class: "button", href: "/api/export?format=vcard", download: true }, "All contacts as vCard"),
      h("a", { class: "button", href: "/api/export?format=csv", download: true }, "All contacts as CSV")));
}
