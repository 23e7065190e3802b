// Two people have changed the same contact: put both changes together, and ask where
// they contradict each other.
import { ask, h } from "./dom.js";

const labels = { name: "Name", company: "Company", email: "Email", note: "Note", numbers: "Numbers", tags: "Tags" };
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const normal = (c) => ({
  name: c.name ?? "", company: c.company ?? "", email: c.email ?? "", note: c.note ?? "", tags: c.tags ?? [],
  numbers: (c.numbers ?? []).map((n) => (n.label ? { label: n.label, number: n.number } : { number: n.number })),
});

// sameContent says whether two versions differ in their numbering only.
export const sameContent = (a, b) => same(normal(a), normal(b)) && !a.deleted === !b.deleted;

// both merges lists: what either side has added is there, what either has removed is not.
function both(base, mine, theirs) {
  const has = (list, x) => list.some((y) => same(x, y));
  return [
    ...theirs.filter((x) => has(mine, x) || !has(base, x)),
    ...mine.filter((x) => !has(theirs, x) && !has(base, x)),
  ];
}

// merge returns the fields on which there is no question, and those on which there is.
export function merge(base, mine, theirs) {
  [base, mine, theirs] = [base, mine, theirs].map(normal);
  const contact = {}, conflicts = [];
  for (const field of Object.keys(labels)) {
    const [b, m, t] = [base[field], mine[field], theirs[field]];
    if (same(m, t) || same(m, b)) contact[field] = t;
    else if (same(t, b)) contact[field] = m;
    else if (Array.isArray(m)) contact[field] = both(b, m, t);
    else {
      contact[field] = m;
      conflicts.push(field);
    }
  }
  return { contact, conflicts };
}

function show(value) {
  if (!Array.isArray(value)) return value || "(empty)";
  return value.map((v) => (typeof v === "string" ? "#" + v : [v.label, v.number].filter(Boolean).join(" "))).join(", ") || "(none)";
}

// resolve shows what the others did and what is to become of it. The answer is {action:
// "merge", contact}, {action: "reload"} or {action: "cancel"}.
export async function resolve(base, mine, theirs) {
  const { contact, conflicts } = merge(base, mine, theirs);
  const [b, m, t] = [base, mine, theirs].map(normal);
  const changed = Object.keys(labels).filter((f) => !same(b[f], t[f]));
  const form = h("div", {}, conflicts.map((field) =>
    h("fieldset", { class: "choices", "data-field": field }, h("legend", {}, labels[field]),
      [["mine", m[field]], ["theirs", t[field]]].map(([side, value]) => h("label", {},
        h("input", { type: "radio", name: "merge-" + field, value: side, checked: side === "mine" }),
        h("b", {}, side === "mine" ? "Yours" : "Theirs"), h("span", {}, show(value)))))));
  const combined = Object.keys(labels).filter((f) => !conflicts.includes(f) && !(same(contact[f], b[f])));
  const text = theirs.deleted
    ? "Somebody has deleted this contact while you edited it. Saving brings it back with your changes."
    : `Somebody has saved version ${theirs.version} while you edited version ${mine.version}.`;
  const action = await ask("This contact has changed", h("div", {},
    h("p", {}, text),
    !theirs.deleted && changed.length ? h("p", { class: "hint" }, "They changed: " + changed.map((f) => labels[f].toLowerCase()).join(", ") + ".") : null,
    combined.length ? h("dl", { class: "box" }, combined.map((f) => h("div", {}, h("dt", {}, labels[f]), h("dd", {}, show(contact[f]))))) : null,
    conflicts.length ? h("p", { class: "hint" }, "You both changed the same field. Which one is right?") : null,
    form),
  [["merge", theirs.deleted ? "Bring back and save" : "Save both changes", "primary"], ["reload", "Drop mine, show theirs"], ["cancel", "Keep editing"]]);
  for (const fieldset of form.children) {
    const side = fieldset.querySelector("input:checked").value;
    contact[fieldset.dataset.field] = (side === "mine" ? m : t)[fieldset.dataset.field];
  }
  return { action, contact };
}
