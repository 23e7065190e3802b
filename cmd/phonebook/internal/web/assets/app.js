// The page: which pane is shown, the search field, the keyboard, news from elsewhere.
// Routes are #/, #/tag/…, #/c/ID, #/c/ID/edit, #/new, #/changes, #/deleted, #/files.
import { api, newID } from "./api.js";
import { $, ask, h } from "./dom.js";
import * as changes from "./changes.js";
import * as contact from "./contact.js";
import * as editor from "./editor.js";
import * as files from "./files.js";
import * as list from "./list.js";

let tags = [];
let shown = location.hash;  // the route on the screen
let routing = 0;            // counts routes, so that a slow answer does not replace a later one

const start = () => h("div", { class: "empty" }, h("img", { src: "icon.svg", alt: "", width: 56, height: 56 }),
  h("h1", {}, "Choose a contact"), h("p", {}, "Type a part of a name, from its beginning, or the end of a number. Arrow keys move through the list."));

// put shows a pane. Focus goes to its heading, unless it just replaces the same view.
function put(pane, { focus = true } = {}) {
  $("pane").replaceChildren(pane);
  const heading = pane.querySelector("h1");
  document.title = heading && location.hash.length > 2 ? `${heading.textContent} – Phonebook` : "Phonebook";
  if (focus) {
    $("pane").scrollTop = 0;
    (pane.querySelector("form input") ?? pane.querySelector("h1[tabindex]"))?.focus();
  }
}

function mark(view, tag = null) {
  for (const a of document.querySelectorAll("nav a")) {
    const on = tag === null ? a.dataset.view === view : a.dataset.tag?.toLowerCase() === tag.toLowerCase();
    if (on) {
      a.setAttribute("aria-current", "page");
      a.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else a.removeAttribute("aria-current");
  }
}

async function route({ focus = true } = {}) {
  const open = editor.current();
  if (open && location.hash !== shown && open.dirty()) {
    const wanted = location.hash;
    history.replaceState(null, "", shown);
    const choice = await ask("Leave without saving?", h("p", {}, "What you have typed would be lost."), [["stay", "Keep editing", "primary"], ["leave", "Leave", "danger"]]);
    if (choice !== "leave") return;
    history.replaceState(null, "", wanted);
  }
  shown = location.hash;
  const mine = ++routing;
  const [path, parameters = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").map((p) => { try { return decodeURIComponent(p); } catch { return p; } });
  const [view] = parts;
  const inPane = ["c", "new", "changes", "deleted", "files"].includes(view);
  document.body.dataset.pane = inPane ? "pane" : "list";
  list.select(view === "c" ? parts[1] : null);
  if (view === "tag") {
    $("search").value = "";
    mark("", parts[1]);
    list.show({ tag: parts[1] });
    return put(start(), { focus: false });
  }
  mark(inPane && view !== "c" && view !== "new" ? view : "list");
  if (!inPane) {
    list.show(list.queryOf($("search").value));
    return put(start(), { focus: false });
  }
  try {
    const pane = await paneOf(view, parts, new URLSearchParams(parameters));
    if (mine === routing) put(pane, { focus });
  } catch (error) {
    if (mine !== routing) return;
    put(error.status === 404 ? contact.message("Not found", "There is no such contact. It may have been deleted for good.")
      : contact.message("That did not work", error.message, h("button", { type: "button", class: "button", click: () => route() }, "Try again")));
  }
}

async function paneOf(view, parts, parameters) {
  switch (view) {
    case "changes": return changes.view();
    case "deleted": return changes.deletedView();
    case "files": return files.view();
    case "new": return editor.view({
      id: newID(), version: 0, name: parameters.get("name") ?? "",
      numbers: parameters.has("number") ? [{ number: parameters.get("number") }] : [],
    }, tags, saved);
  }
  const c = await api.get(parts[1]);
  return parts[2] === "edit" && !c.deleted ? editor.view(c, tags, saved) : contact.view(c);
}

function saved(c) {
  changes.expect(c);
  list.refresh();
  loadTags();
  if (location.hash === "#/c/" + c.id) route();
  else location.hash = "#/c/" + c.id;
}

async function loadTags() {
  try {
    ({ tags } = await api.tags());
  } catch {
    return; // the list of tags is not worth a message
  }
  const current = location.hash;
  $("tags").replaceChildren(...tags.map((t) => h("li", {}, h("a", {
    href: "#/tag/" + encodeURIComponent(t), "data-tag": t,
    "aria-current": current === "#/tag/" + encodeURIComponent(t) ? "page" : null,
  }, t))));
  $("tags-heading").hidden = tags.length === 0;
}

// Somebody has changed something: show it where it matters.
changes.listen((news) => {
  const open = editor.current();
  for (const c of news) if (open && c.id === open.id) open.changed(c.version);
  if (news.length) {
    list.refresh();
    loadTags();
  }
  const here = $("pane").querySelector("[data-contact]")?.dataset.contact;
  const reading = $("pane").contains(document.activeElement) && document.activeElement !== $("pane") && document.activeElement.tagName !== "H1";
  if ((location.hash === "#/changes" && !reading) || news.some((c) => c.id === here)) route({ focus: false });
});

let typing;
$("search").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    if (location.hash.startsWith("#/tag/") || (document.body.dataset.pane === "pane" && innerWidth <= 720)) {
      location.hash = "#/"; // its route reads the field
    } else list.show(list.queryOf($("search").value));
  }, 90);
});
$("search").addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "Enter") {
    event.preventDefault();
    list.focusFirst();
  }
});
document.querySelector(".brand").addEventListener("click", () => { $("search").value = ""; if (location.hash === "#/") route(); });

const shortcuts = [["/", "Search"], ["↓ ↑", "Move through the list"], ["Enter", "Open"], ["n", "New contact"], ["e", "Edit the open contact"], ["Ctrl Enter", "Save"], ["Esc", "Back to the search"], ["?", "This list"]];
const showKeys = () => ask("Keyboard shortcuts", h("dl", { class: "shortcuts" }, shortcuts.map(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)])), [["close", "Close", "primary"]]);
$("show-keys").addEventListener("click", showKeys);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const field = event.target.closest("input, textarea");
  if (event.key === "Escape" && !editor.current()) {
    if (event.target === $("search") && $("search").value) return; // clears it
    $("search").focus();
    $("search").select();
    return;
  }
  if (field) return;
  const edit = document.querySelector("#pane a[aria-keyshortcuts=e]");
  if (event.key === "/") $("search").focus();
  else if (event.key === "n") location.hash = "#/new";
  else if (event.key === "e" && edit) location.hash = edit.getAttribute("href");
  else if (event.key === "?") showKeys();
  else return;
  event.preventDefault();
});

document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); $("results").focus(); });
addEventListener("hashchange", () => route());
addEventListener("beforeunload", (event) => { if (editor.current()?.dirty()) event.preventDefault(); });

list.start();
changes.start();
loadTags();
route({ focus: false });
if (/^#\/(c|new|changes|deleted|files)/.test(location.hash)) list.show({});
