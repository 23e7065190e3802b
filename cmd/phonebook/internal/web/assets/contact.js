// One contact: shown, deleted, brought back.
import { api } from "./api.js";
import { $, ago, ask, avatar, h, toast } from "./dom.js";
import * as list from "./list.js";

export const back = () => h("a", { class: "button back", href: "#/" }, "‹ Contacts");

// message is a pane that says why there is nothing else.
export const message = (title, text, ...more) =>
  h("div", { class: "panel" }, back(), h("h1", { tabindex: "-1" }, title), h("p", {}, text), more);

// view is the pane of a contact.
export function view(c) {
  const rows = [
    ...(c.numbers ?? []).map((n) => [n.label || "number", h("a", { href: "tel:" + n.number.replace(/[^\d+*#]/g, "") }, n.number)]),
    ...(c.email ? [["email", h("a", { href: "mailto:" + encodeURIComponent(c.email) }, c.email)]] : []),
    ...(c.note ? [["note", h("span", { class: "note" }, c.note)]] : []),
  ];
  return h("article", { class: "panel", "data-contact": c.id },
    back(),
    h("div", { class: "head" }, avatar(c.name, true),
      h("div", {}, h("h1", { tabindex: "-1" }, c.name), c.company && c.company !== c.name ? h("p", {}, c.company) : null)),
    c.deleted ? h("p", { class: "banner" }, "This contact was deleted ", ago(c.deleted), ". It can be brought back for 30 days.") : null,
    c.tags?.length ? h("ul", { class: "chips", "aria-label": "Tags" }, c.tags.map((t) => h("li", {}, h("a", { class: "chip", href: "#/tag/" + encodeURIComponent(t) }, "#" + t)))) : null,
    rows.length ? h("dl", { class: "box" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))) : null,
    h("div", { class: "actions" }, c.deleted
      ? h("button", { type: "button", class: "button primary", click: () => restore(c) }, "Bring back")
      : [h("a", { class: "button primary", href: `#/c/${c.id}/edit`, "aria-keyshortcuts": "e" }, "Edit"),
        h("button", { type: "button", class: "button danger", click: () => remove(c) }, "Delete")]),
    h("p", { class: "meta" }, "Version ", String(c.version), ", last change ", ago(c.updated), c.import ? ", imported" : ""));
}

async function remove(c) {
  try {
    const gone = await api.remove(c);
    location.hash = "#/";
    list.refresh();
    $("search").focus();
    toast(`${c.name} is deleted.`, { label: "Undo", run: () => restore(gone) });
  } catch (error) {
    if (error.code !== "conflict") return toast(error.message);
    const current = error.current;
    if (current.deleted) {
      location.hash = "#/";
      list.refresh();
      return toast(`${c.name} was deleted already.`);
    }
    const choice = await ask("Somebody has changed this contact",
      h("p", {}, `${current.name} was edited after you opened it. Look at it before you delete it?`),
      [["look", "Show the contact", "primary"], ["delete", "Delete anyway", "danger"], ["cancel", "Cancel"]]);
    if (choice === "delete") remove(current);
    if (choice === "look") dispatchEvent(new HashChangeEvent("hashchange"));
  }
}

export async function restore(c) {
  try {
    const restored = await api.restore(c);
    toast(`${restored.name} is back.`);
    list.refresh();
    if (location.hash === "#/c/" + c.id) dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = "#/c/" + c.id;
  } catch (error) {
    if (error.code === "conflict" && !error.current.deleted) location.hash = "#/c/" + c.id;
    toast(error.code === "conflict" ? "Somebody else has changed this contact." : error.message);
  }
}
