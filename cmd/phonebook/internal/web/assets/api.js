// The REST API as functions. Every failure is an ApiError, of the server or of the way
// there.
import { $ } from "./dom.js";

export class ApiError extends Error {
  constructor(status, { code, message, field }, current = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
    this.current = current; // the contact as it is now, of a conflict
  }
}

const timeout = 20000;
let waiting = 0;

// A bar shows that something is awaited for longer than a moment.
function showBusy(change) {
  waiting += change;
  if (waiting === 0) $("busy").hidden = true;
  else setTimeout(() => { if (waiting > 0) $("busy").hidden = false; }, 250);
}

export async function request(method, path, { body, json, signal, quiet = false, limit = timeout } = {}) {
  const ends = [signal, limit ? AbortSignal.timeout(limit) : null].filter(Boolean);
  if (!quiet) showBusy(+1);
  try {
    const response = await fetch(path, {
      method,
      body: json === undefined ? body : JSON.stringify(json),
      headers: json === undefined ? {} : { "Content-Type": "application/json" },
      signal: ends.length ? AbortSignal.any(ends) : undefined,
    });
    const answer = await response.json();
    if (!response.ok) throw new ApiError(response.status, answer.error, answer.current ?? null);
    return answer;
  } catch (error) {
    if (error instanceof ApiError || error.name === "AbortError") throw error;
    const message = error.name === "TimeoutError"
      ? "The phonebook takes too long to answer." : "The phonebook cannot be reached.";
    throw new ApiError(0, { code: "network", message });
  } finally {
    if (!quiet) showBusy(-1);
  }
}

const contactPath = (id) => "/api/contacts/" + encodeURIComponent(id);

export const api = {
  list: (query, options) => request("GET", "/api/contacts?" + new URLSearchParams(query), options),
  get: (id, options) => request("GET", contactPath(id), options),
  save: (contact) => request("PUT", contactPath(contact.id), { json: contact }),
  remove: ({ id, version }) => request("DELETE", `${contactPath(id)}?version=${version}`),
  restore: ({ id, version }) => request("POST", contactPath(id) + "/restore", { json: { version } }),
  deleted: (query) => request("GET", "/api/deleted?" + new URLSearchParams(query)),
  tags: () => request("GET", "/api/tags", { quiet: true }),
  changes: () => request("GET", "/api/changes", { quiet: true }),
  import: (id, format, file, signal) =>
    request("POST", `/api/imports/${id}?format=${format}`, { body: file, signal, limit: 0, quiet: true }),
  progress: (id) => request("GET", `/api/imports/${id}`, { quiet: true }),
};

// newID is a random id for a contact or an import. randomUUID needs HTTPS or localhost.
export function newID() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return "c-" + Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
