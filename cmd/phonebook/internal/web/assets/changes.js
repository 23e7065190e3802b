// What has happened lately, from the table's stream, and the contacts that are deleted.
import { api } from "./api.js";
import { ago, h, plural } from "./dom.js";
import { back, restore } from "./contact.js";

const period = 3000;
const words = { added: "was added", edited: "was edited", deleted: "was deleted", restored: "is back", expired: "is gone for good" };

let feed = null;          // the last answer
const listeners = new Set();
const versions = new Map(); // the newest version heard of, by contact

// listen calls f with the changes that are new, whenever there are some.
export const listen = (f) => listeners.add(f);

// expect notes a version that this page has made itself.
export const expect = (c) => versions.set(c.id, Math.max(c.version, versions.get(c.id) ?? 0));

async function poll() {
  let next = period;
  if (document.visibilityState === "visible") {
    try {
      const first = feed === null;
      feed = await api.changes();
      const news = feed.changes.filter((c) => {
        const key = c.id ?? c.import, version = c.version ?? c.count;
        if ((versions.get(key) ?? 0) >= version) return false;
        versions.set(key, version);
        return true;
      });
      if (first || news.length) for (const f of listeners) f(first ? [] : news);
      if (feed.behind) next = 100;
    } catch {
      next = 3 * period; // the stream is not what people wait for
    }
  }
  setTimeout(poll, next);
}

export function start() {
  poll();
}

export function view() {
  const content = feed === null ? h("p", { class: "hint" }, "Reading the stream…")
    : feed.changes.length === 0 ? h("p", { class: "hint" }, "Nothing has changed in the last 24 hours.")
      : h("ul", { class: "feed" }, feed.changes.map((c) => h("li", {}, h("span", { class: "dot " + c.kind, "aria-hidden": "true" }),
        c.kind === "imported"
          ? h("span", {}, plural(c.count, "contact"), " came from an import")
          : h("span", {}, h("a", { href: "#/c/" + c.id }, c.name || "A contact"), " " + (words[c.kind] ?? "changed"),
            c.fields?.length ? h("small", { class: "meta" }, " (" + c.fields.join(", ") + ")") : null),
        ago(c.time))));
  return h("div", { class: "panel" }, back(), h("h1", { tabindex: "-1" }, "Recent changes"),
    h("p", { class: "meta" }, "As the table's stream tells them, the newest first."), content);
}

export async function deletedView() {
  const content = h("ul", { class: "feed" });
  let cursor = "";
  const more = h("button", { type: "button", class: "button", hidden: true, click: () => load() }, "Show more");
  const load = async () => {
    const page = await api.deleted({ limit: 50, ...(cursor ? { cursor } : {}) });
    cursor = page.cursor ?? "";
    more.hidden = !cursor;
    content.append(...page.contacts.map((c) => h("li", {}, h("span", { class: "dot deleted", "aria-hidden": "true" }),
      h("span", {}, h("a", { href: "#/c/" + c.id }, c.name), " ", h("span", { class: "meta" }, ago(c.deleted))),
      h("button", { type: "button", class: "button", "aria-label": `Bring back ${c.name}`, click: () => restore(c) }, "Bring back"))));
  };
  await load();
  return h("div", { class: "panel" }, back(), h("h1", { tabindex: "-1" }, "Deleted"),
    h("p", { class: "meta" }, "Deleted contacts can be brought back for 30 days."),
    content.children.length ? [content, more] : h("p", { class: "hint" }, "Nothing is deleted."));
}
