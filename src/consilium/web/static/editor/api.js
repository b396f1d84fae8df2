/** What is asked of the server, and what became of it. */

/** @typedef {import("./contract.js").Answer} Answer */
/** @typedef {import("./contract.js").Cell} Cell */
/** @typedef {import("./contract.js").Command} Command */
/** @typedef {import("./contract.js").Refusal} Refusal */

/**
 * What became of a command. Only `taken` means that it is stored.
 * @typedef {{kind: "taken", answer: Answer} | {kind: "changed", error: Refusal} | {kind: "refused", error: Refusal}
 *   | {kind: "unreachable", why: string} | {kind: "signed_out"}} Outcome
 */

/** Milliseconds after which a request counts as lost; the command is sent again under the same key. */
const PATIENCE = 15000;

/** Answers that say nothing about the command: the server, or what stands before it, is in trouble. */
const TROUBLE = new Set([408, 425, 429, 500, 502, 503, 504, 507]);

/** A request that was answered with an error. */
export class ServerError extends Error {
  /** @param {number} status @param {Refusal} refusal */
  constructor(status, refusal) {
    super(refusal.what);
    this.status = status;
    this.refusal = refusal;
  }
}

export class Server {
  #csrf;
  /** Pictures of objects that came together, by their address: one request instead of forty-six. */
  #pictures = new Map();

  /** @param {{csrf: string, prefix?: string}} facts */
  constructor({ csrf, prefix = "/api/v1" }) {
    this.#csrf = csrf;
    this.prefix = prefix;
  }

  /** @param {number} cell @returns {Promise<Cell>} */
  async cell(cell) {
    const found = await this.#read(`/cells/${cell}`);
    if (found.objects.some((/** @type {*} */ one) => !this.#pictures.has(one.sprite))) await this.#fetchPictures(cell);
    return this.#illustrated(found);
  }

  /** @param {string} name @returns {Promise<*>} all cells of a case, the best first */
  cells(name) {
    return this.#read(`/cases/${encodeURIComponent(name)}/cells`);
  }

  /** @param {string} name @param {string} label @returns {Promise<*>} a class across all cells of a case */
  chromosomes(name, label) {
    return this.#read(`/cases/${encodeURIComponent(name)}/chromosomes/${encodeURIComponent(label)}`);
  }

  /** @param {number} cell @returns {Promise<*>} who changed what, the oldest first */
  log(cell) {
    return this.#read(`/cells/${cell}/commands`);
  }

  /** @returns {Promise<Object<string, Object<string, import("./contract.js").Band[]>>>} by level and chromosome */
  bands() {
    return this.#read("/bands");
  }

  /** @param {number} cell @param {string} act @param {number} seen @returns {Promise<Cell>} */
  async act(cell, act, seen) {
    return this.#illustrated(await this.#write("POST", `/cells/${cell}/acts`, { act, seen }));
  }

  /** @param {number} cell @param {string} act @param {string} reason @returns {Promise<Cell>} */
  async withdraw(cell, act, reason) {
    return this.#illustrated(await this.#write("DELETE", `/cells/${cell}/acts/${encodeURIComponent(act)}`, { reason }));
  }

  /**
   * Send one command once.
   * @param {number} cell
   * @param {{key: string, seen: number, command: Command}} sent
   * @returns {Promise<Outcome>}
   */
  async send(cell, sent) {
    let response;
    try {
      response = await this.#fetch("POST", `/cells/${cell}/commands`, sent);
      if (response.ok) return { kind: "taken", answer: await response.json() };
    } catch (problem) {
      return { kind: "unreachable", why: String(/** @type {*} */ (problem)?.message ?? problem) };
    }
    if (response.status === 401) return { kind: "signed_out" };
    const error = await refusal(response);
    if (TROUBLE.has(response.status)) return { kind: "unreachable", why: error.what };
    return { kind: response.status === 409 && error.kind === "RecordChanged" ? "changed" : "refused", error };
  }

  /** @param {number} cell */
  async #fetchPictures(cell) {
    try {
      for (const [address, content] of Object.entries(await this.#read(`/cells/${cell}/sprites`))) {
        const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
        if (!this.#pictures.has(address)) this.#pictures.set(address, URL.createObjectURL(new Blob([bytes], { type: "image/png" })));
      }
    } catch {
      // Each picture is at its own address too: the browser asks for them one by one.
    }
  }

  /**
   * @param {Cell} found
   * @returns {Cell} its objects with the pictures that are here already
   */
  #illustrated(found) {
    for (const one of found.objects) one.sprite = this.#pictures.get(one.sprite) ?? one.sprite;
    return found;
  }

  /** @param {string} path */
  async #read(path) {
    return this.#understood(await this.#fetch("GET", path));
  }

  /** @param {string} method @param {string} path @param {*} body */
  async #write(method, path, body) {
    return this.#understood(await this.#fetch(method, path, body));
  }

  /** @param {Response} response */
  async #understood(response) {
    if (!response.ok) throw new ServerError(response.status, await refusal(response));
    return response.status === 204 ? null : response.json();
  }

  /** @param {string} method @param {string} path @param {*} [body] */
  #fetch(method, path, body) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method !== "GET") headers["X-CSRF-Token"] = this.#csrf;
    return fetch(this.prefix + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
  }
}

/** @param {Response} response @returns {Promise<Refusal>} */
async function refusal(response) {
  try {
    const told = await response.json();
    if (typeof told?.error?.what === "string") return told.error;
    if (told?.detail) return { kind: "InputError", what: JSON.stringify(told.detail) };
  } catch {
    // An error page of something between browser and server is no JSON.
  }
  return { kind: "Unknown", what: `HTTP ${response.status}` };
}
