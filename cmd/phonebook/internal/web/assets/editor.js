// The form of a contact. What was typed is never lost: not by a failure, not by somebody
// else's change, and not by leaving without a question.
import { api } from "./api.js";
import { h, toast } from "./dom.js";
import { back } from "./contact.js";
import { resolve, sameContent } from "./merge.js";

let open = null; // the editor on the screen: {id, dirty(), changed(version)}

// current is the editor on the screen, or null.
export const current = () => (open?.form.isConnected ? open : null);

const plain = (c) => JSON.stringify([c.name, c.company ?? "", c.email ?? "", c.note ?? "", c.numbers ?? [], c.tags ?? []]);

// view is the pane with the form. base is the contact as it was read; a new one has
// version 0. tags are those in use.
export function view(base, tags, saved) {
  let saving = false;
  const input = (name, value, attributes = {}) => h("input", { id: "f-" + name, name, value: value ?? "", autocomplete: "off", "aria-describedby": "e-" + name, ...attributes });
  const field = (name, label, control, hint) => h("div", { class: "field" }, h("label", { for: "f-" + name }, label), control,
    hint ? h("small", {}, hint) : null, h("p", { class: "field-error", id: "e-" + name }));
  const numbers = h("div", {});
  const addNumber = (n = { label: "", number: "" }) => {
    const row = h("div", { class: "number", role: "group", "aria-label": "Number" },
      h("input", { "aria-label": "Label", value: n.label ?? "", list: "labels", placeholder: "mobile", maxlength: 30, autocomplete: "off", "data-part": "label" }),
      h("input", { "aria-label": "Number", value: n.number, type: "tel", maxlength: 40, autocomplete: "off", "aria-describedby": "e-numbers", "data-part": "number" }),
      h("button", { type: "button", class: "icon", "aria-label": "Remove this number", click: () => {
        const next = row.nextElementSibling ?? row.previousElementSibling;
        row.remove();
        (next?.querySelector("[data-part=number]") ?? more).focus();
      } }, "×"));
    numbers.append(row);
    return row;
  };
  const more = h("button", { type: "button", class: "button", click: () => addNumber().querySelector("[data-part=number]").focus() }, "+ Add a number");
  const tagInput = input("tags", (base.tags ?? []).join(", "));
  const others = tags.filter((t) => !base.tags?.includes(t)).slice(0, 12);
  const note = h("textarea", { id: "f-note", name: "note", rows: 4, maxlength: 4000, "aria-describedby": "e-note" });
  note.value = base.note ?? "";
  const banner = h("div", { role: "alert" });
  const submit = h("button", { class: "button primary", "aria-keyshortcuts": "Control+Enter" }, "Save");
  const form = h("form", { novalidate: true, submit: (event) => { event.preventDefault(); save(); } },
    banner,
    field("name", "Name", input("name", base.name, { required: true, maxlength: 120 })),
    h("fieldset", {}, h("legend", {}, "Numbers"), numbers, more, h("p", { class: "field-error", id: "e-numbers" })),
    h("div", { class: "pair" }, field("company", "Company", input("company", base.company, { maxlength: 120 })),
      field("email", "Email", input("email", base.email, { type: "email", maxlength: 254 }))),
    field("tags", "Tags", tagInput, "Separated by commas"),
    others.length ? h("div", { class: "chips", role: "group", "aria-label": "Tags in use" }, others.map((t) =>
      h("button", { type: "button", class: "chip", click: () => { tagInput.value = [...split(tagInput.value).filter((x) => x !== t), t].join(", "); } }, "+ " + t))) : null,
    field("note", "Note", note),
    h("datalist", { id: "labels" }, ["mobile", "home", "work", "main", "fax"].map((value) => h("option", { value }))),
    h("div", { class: "footer actions" }, submit, h("a", { class: "button", href: base.version ? "#/c/" + base.id : "#/" }, "Cancel")));
  for (const n of base.numbers?.length ? base.numbers : [undefined]) addNumber(n);

  const split = (text) => text.split(",").map((t) => t.trim()).filter(Boolean);
  const read = () => ({
    id: base.id, version: base.version,
    name: form.elements.name.value, company: form.elements.company.value, email: form.elements.email.value,
    note: note.value, tags: split(tagInput.value),
    numbers: Array.from(numbers.children, (row) => ({
      label: row.querySelector("[data-part=label]").value.trim() || undefined,
      number: row.querySelector("[data-part=number]").value.trim(),
    })).filter((n) => n.number),
  });
  let untouched = plain(read());

  async function save(contact = read()) {
    if (saving) return;
    clearErrors();
    if (!contact.name.trim() && !contact.company.trim()) return showError("name", "A contact needs a name.");
    saving = true;
    submit.setAttribute("aria-disabled", "true");
    submit.textContent = "Saving…";
    try {
      const result = await api.save(contact);
      untouched = plain(read());
      open = null;
      saved(result);
    } catch (error) {
      if (error.code === "conflict") await merge(contact, error.current);
      else if (error.field) showError(error.field, error.message);
      else banner.replaceChildren(h("p", { class: "banner error" }, error.message + " Nothing was lost: save again."));
    } finally {
      saving = false;
      submit.removeAttribute("aria-disabled");
      submit.textContent = "Save";
    }
  }

  // merge asks what becomes of two changes of one contact.
  async function merge(mine, theirs) {
    if (sameContent(mine, theirs)) { // a save whose answer got lost, or two of one mind
      open = null;
      return saved(theirs);
    }
    const decision = await resolve(base, mine, theirs);
    if (decision.action === "merge") {
      saving = false;
      await save({ ...decision.contact, id: base.id, version: theirs.version });
    } else if (decision.action === "reload") {
      untouched = plain(read());
      open = null;
      toast("Your changes were dropped; this is the current contact.");
      saved(theirs);
    } else submit.focus();
  }

  function clearErrors() {
    banner.replaceChildren();
    for (const e of form.querySelectorAll(".field-error")) e.textContent = "";
    for (const e of form.querySelectorAll("[aria-invalid]")) e.removeAttribute("aria-invalid");
  }

  function showError(name, text) {
    const target = name === "numbers" ? numbers.querySelector("[data-part=number]") ?? more : form.elements[name];
    if (!target) return banner.replaceChildren(h("p", { class: "banner error" }, text));
    form.querySelector("#e-" + name).textContent = text;
    target.setAttribute("aria-invalid", "true");
    target.focus();
  }

  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); save(); }
  });
  open = {
    id: base.id, form,
    dirty: () => plain(read()) !== untouched,
    // changed says that somebody has saved another version meanwhile.
    changed: (version) => {
      if (base.version && version > base.version && !banner.hasChildNodes()) {
        banner.replaceChildren(h("p", { class: "banner" }, "Somebody has just changed this contact. Saving will show both changes."));
      }
    },
  };
  return h("div", { class: "panel" }, back(), h("h1", { tabindex: "-1" }, base.version ? `Edit ${base.name}` : "New contact"), form);
}
