// Modal dialogs: the browser's own, which keep focus inside and close with Escape.
import { html, useEffect, useRef, useState } from '../html.js';
import { Problem, useWork } from './basics.js';

/** Dialog is open as long as it is rendered. kind "drawer" slides in from the side. */
export function Dialog({ title, onClose, children, kind = '', closable = () => true }) {
  const ref = useRef(null);
  const opener = useRef(document.activeElement);
  useEffect(() => {
    const dialog = ref.current;
    dialog.showModal();
    dialog.querySelector('[autofocus]')?.focus();
    return () => {
      dialog.close();
      if (opener.current?.isConnected) opener.current.focus();
    };
  }, []);
  const cancel = (e) => {
    e.preventDefault();
    if (closable()) onClose();
  };
  return html`<dialog ref=${ref} class=${kind} aria-label=${title} onCancel=${cancel}>
    <header class="dialog-head"><h2>${title}</h2><button type="button" class="icon" aria-label="Close" onClick=${cancel}>✕</button></header>
    ${children}</dialog>`;
}

/**
 * Confirm asks before something that cannot be undone. With word, that word has to be
 * typed first. onConfirm may be async; its error is shown and the dialog stays.
 */
export function Confirm({ title, children, action, word, onConfirm, onClose }) {
  const [typed, set] = useState('');
  const work = useWork();
  const submit = (e) => {
    e.preventDefault();
    work.run(async (signal) => { await onConfirm(signal); onClose(); });
  };
  return html`<${Dialog} title=${title} onClose=${onClose} kind="narrow"><form onSubmit=${submit}>
    <div class="dialog-body">${children}
      ${word && html`<label class="field"><span class="label">Type <code>${word}</code> to confirm</span>
        <input autofocus autocomplete="off" spellcheck=${false} value=${typed} onInput=${(e) => set(e.target.value)}/></label>`}
      <${Problem} error=${work.error}/></div>
    <footer class="dialog-foot"><button type="button" onClick=${onClose}>Cancel</button>
      <button class="danger" disabled=${work.busy || (word && typed !== word)}>${work.busy ? 'Working …' : action}</button></footer>
  </form><//>`;
}
