// The list of contacts: search as you type, tags, pages, arrow keys.
import { api } from "./api.js";
import { $, avatar, h, plural } from "./dom.js";

const pageSize = 50;
const digits = (text) => text.replace(/\D/g, "");

let query = {};      // of what is shown
let contacts = [];
let cursor = "";
let running = null;  // AbortController of the request under way
let selected = null; // id of the contact in the pane

// queryOf turns what was typed into a query: numbers are looked up, names searched.
export function queryOf(text) {
  if (/^[\d\s()+./-]+$/.test(text) && digits(text).length >= 4) return { number: text };
  return text.trim() ? { q: text } : {};
}

// show loads a list from its beginning. Rows that stay the same stay in place.
export async function show(next) {
  const fresh = JSON.stringify(next) !== JSON.stringify(query) || contacts.length === 0;
  query = next;
  $("results-heading").textContent = next.tag ? `#${next.tag}` : next.number ? "Whose number" : next.q ? `“${next.q}”` : "All contacts";
  await load(fresh ? pageSize : Math.min(500, Math.max(pageSize, contacts.length)), false, fresh);
}

// refresh loads what is shown again, after something has changed.
export const refresh = () => load(Math.min(500, Math.max(pageSize, contacts.length)), false, false);

async function load(limit, append, scroll) {
  running?.abort();
  const mine = running = new AbortController();
  if (!append && contacts.length === 0) skeleton(mine);
  try {
    const page = await api.list({ ...query, limit, ...(append ? { cursor } : {}) }, { signal: mine.signal });
    if (mine !== running) return;
    contacts = append ? contacts.concat(page.contacts) : page.contacts;
    cursor = page.cursor ?? "";
    render();
    if (scroll) $("results").scrollTop = 0;
  } catch (error) {
    if (error.name === "AbortError" || mine !== running) return;
    $("list-message").replaceChildren(h("div", { class: "banner error", role: "alert" }, error.message + " ",
      h("button", { type: "button", class: "link", click: () => load(limit, append, scroll) }, "Try again")));
  }
}

function skeleton(mine) {
  setTimeout(() => {
    if (mine === running && contacts.length === 0 && !$("list-message").hasChildNodes()) {
      $("list-message").replaceChildren(...Array.from({ length: 6 }, () => h("div", { class: "skeleton" })));
    }
  }, 200);
}

function render() {
  const old = new Map(Array.from($("list").children, (li) => [li.dataset.key, li]));
  const focused = document.activeElement?.closest?.("#list li")?.dataset.key;
  $("list").replaceChildren(...contacts.map((c) => {
    const key = c.id + " " + c.version + " " + subtitle(c);
    const li = old.get(key) ?? h("li", { "data-key": key, "data-id": c.id },
      h("a", { href: "#/c/" + c.id }, avatar(c.name), h("span", { class: "who" }, h("span", {}, c.name), h("small", {}, subtitle(c)))));
    return li;
  }));
  mark();
  if (focused) rowOf(focused.split(" ")[0])?.firstChild.focus({ preventScroll: true });
  $("more").hidden = !cursor;
  $("count").textContent = cursor ? `first ${plural(contacts.length, "contact")}` : plural(contacts.length, "contact");
  $("list-message").replaceChildren(...(contacts.length ? [] : [nothing()]));
}

function subtitle(c) {
  if (query.number) {
    const wanted = digits(query.number).replace(/^0+/, "");
    const match = c.numbers?.find((n) => {
      const have = digits(n.number.replace("(0)", "")).replace(/^0+/, "");
      return have.endsWith(wanted) || wanted.endsWith(have);
    });
    if (match) return match.number;
  }
  return [c.company === c.name ? "" : c.company, c.numbers?.[0]?.number].filter(Boolean).join(" · ");
}

function nothing() {
  if (query.q) return h("p", { class: "hint" }, "No name begins like that. ", h("a", { href: "#/new?name=" + encodeURIComponent(query.q) }, `Add “${query.q}”`));
  if (query.number) return h("p", { class: "hint" }, "Nobody has this number. ", h("a", { href: "#/new?number=" + encodeURIComponent(query.number) }, "Add it"));
  if (query.tag) return h("p", { class: "hint" }, "Nobody has this tag.");
  return h("p", { class: "hint" }, "There are no contacts yet. ", h("a", { href: "#/new" }, "Add the first one"), " or ", h("a", { href: "#/files" }, "import a file"), ".");
}

const rowOf = (id) => Array.from($("list").children).find((li) => li.dataset.id === id);

// select marks the contact that the pane shows.
export function select(id) {
  selected = id;
  mark();
}

function mark() {
  for (const li of $("list").children) {
    if (li.dataset.id === selected) li.firstChild.setAttribute("aria-current", "true");
    else li.firstChild.removeAttribute("aria-current");
  }
}

// focusFirst moves from the search field into the list.
export const focusFirst = () => $("list").querySelector("a")?.focus();

const loadMore = () => { if (cursor) load(pageSize, true, false); };

export function start() {
  $("more").addEventListener("click", loadMore);
  new IntersectionObserver((entries) => { if (entries.some((e) => e.isIntersecting)) loadMore(); }, { root: $("results"), rootMargin: "300px" }).observe($("more"));
  $("list").addEventListener("keydown", (event) => {
    const row = event.target.closest("li");
    const move = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling, Home: $("list").firstElementChild, End: $("list").lastElementChild }[event.key];
    if (event.key === "ArrowUp" && row && !row.previousElementSibling) $("search").focus();
    else if (move) move.firstChild.focus();
    else return;
    event.preventDefault();
  });
}
