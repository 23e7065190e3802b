// Building the document. Text only ever becomes text nodes and attributes that cannot
// run anything: whatever a contact holds, it is shown and not interpreted.

// h makes an element. Attributes with the value null or false are left out, functions are
// event listeners, and children are nodes or texts, in arrays or not; null is none.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

export const $ = (id) => document.getElementById(id);

// plural is "1 contact" or "2 contacts".
export const plural = (n, one, many = one + "s") => `${n.toLocaleString()} ${n === 1 ? one : many}`;

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

// ago is a <time> such as "5 minutes ago", with the exact time as its tooltip.
export function ago(milliseconds) {
  const date = new Date(milliseconds);
  const seconds = Math.round((milliseconds - Date.now()) / 1000);
  let text = "just now";
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) {
      text = relative.format(Math.round(seconds / size), unit);
      break;
    }
  }
  return h("time", { datetime: date.toISOString(), title: date.toLocaleString() }, text);
}

// avatar is a coloured disc with up to two initials, which says nothing to a screen reader.
export function avatar(name, large = false) {
  const words = name.split(/\s+/).filter((w) => /[\p{L}\p{N}]/u.test(w));
  const initial = (word) => Array.from(word.replace(/^[^\p{L}\p{N}]+/u, ""))[0] ?? "";
  const text = words.length ? initial(words[0]) + (words.length > 1 ? initial(words.at(-1)) : "") : "?";
  let hash = 0;
  for (const c of name) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
  return h("span", { class: `avatar c${hash % 8}${large ? " large" : ""}`, "aria-hidden": "true" }, text.toUpperCase());
}

// toast shows a message for a while. An action is {label, run}; messages with one stay
// longer, and as long as the pointer or the focus is on them.
export function toast(message, action = null) {
  const box = h("div", { class: "toast" }, h("span", {}, message));
  const close = () => box.remove();
  if (action) box.append(h("button", { type: "button", click: () => { close(); action.run(); } }, action.label));
  box.append(h("button", { type: "button", "aria-label": "Close", click: close }, "✕"));
  let timer;
  const wait = () => { timer = setTimeout(close, action ? 12000 : 5000); };
  const hold = () => clearTimeout(timer);
  for (const [event, run] of [["mouseenter", hold], ["focusin", hold], ["mouseleave", wait], ["focusout", wait]]) {
    box.addEventListener(event, run);
  }
  while ($("toasts").children.length > 2) $("toasts").firstChild.remove();
  $("toasts").append(box);
  wait();
}

// ask shows a dialog and resolves with the value of the button that closed it, or
// "cancel". buttons are [value, label, class].
export function ask(title, content, buttons) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" },
      h("h2", { id: "dialog-title" }, title), content,
      h("div", { class: "actions" }, buttons.map(([value, label, kind = ""]) =>
        h("button", { type: "button", class: `button ${kind}`, value, click: () => dialog.close(value) }, label))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue || "cancel");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
