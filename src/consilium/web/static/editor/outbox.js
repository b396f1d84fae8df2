/**
 * Commands on their way to the server.
 *
 * A command leaves the outbox when the server says that it is stored, or why it cannot be done. Until then it is kept in
 * this browser as well (localStorage), one entry a command, so that neither a cut line nor a closed browser loses it. It is
 * sent again under the key it was made with, so the server takes it once however often it arrives.
 */

/** @typedef {import("./contract.js").Command} Command */
/** @typedef {import("./contract.js").Refusal} Refusal */

/**
 * @typedef {object} Waiting
 * @property {string} key
 * @property {Command} command
 * @property {number} order  milliseconds since 1970, made distinct: commands are sent in this order
 * @property {number | null} seen  version it was first sent on; kept, as the server may have it already
 */

/** Milliseconds until a command is sent again after the server was not reached. */
const AGAIN = [400, 800, 1500, 3000, 5000, 10000];

/** @typedef {"idle" | "sending" | "unreachable" | "signed_out" | "changed"} State */

export class Outbox extends EventTarget {
  /** @type {Waiting[]} */
  waiting = [];
  /** @type {State} */
  state = "idle";
  /** @type {Refusal | null} */
  trouble = null;
  #tries = 0;
  #timer = 0;
  #last = 0;
  #version = 0;
  #busy = false;

  /**
   * @param {object} of
   * @param {import("./api.js").Server} of.server
   * @param {number} of.cell
   * @param {string} of.person  commands of another person are neither shown nor sent under this one's name
   * @param {Storage} [of.storage]
   */
  constructor({ server, cell, person, storage = window.localStorage }) {
    super();
    this.server = server;
    this.cell = cell;
    this.storage = storage;
    this.prefix = `consilium.unsent/${encodeURIComponent(person)}/${cell}/`;
    this.waiting = this.#kept();
    window.addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hurry());
  }

  /** Begin sending; `version` is that of the cell as it was read. */
  start(/** @type {number} */ version) {
    this.#version = version;
    this.#send();
  }

  /** @param {Command} command @returns {string} its key */
  add(command) {
    this.#last = Math.max(Date.now(), this.#last + 1);
    const one = { key: newKey(), command, order: this.#last, seen: null };
    this.waiting.push(one);
    this.#keep(one);
    this.#tell();
    this.#send();
    return one.key;
  }

  /** Try at once what waits for its next try. */
  hurry() {
    if (this.state !== "unreachable" && this.state !== "signed_out") return;
    window.clearTimeout(this.#timer);
    this.state = "idle";
    this.#send();
  }

  /** After somebody else's change: send what waits on top of the cell as it is now. */
  resend(/** @type {number} */ version) {
    this.#version = version;
    for (const one of this.waiting) one.seen = null;
    this.state = "idle";
    this.#send();
  }

  /** Give up what waits, because a person said so. */
  discard(/** @type {number} */ version) {
    for (const one of this.waiting) this.#forget(one);
    this.waiting = [];
    this.#version = version;
    this.state = "idle";
    this.#tell();
  }

  async #send() {
    if (this.#busy || this.state !== "idle") return;
    this.#busy = true;
    try {
      while (this.waiting.length && this.state === "idle") await this.#sendFirst();
    } finally {
      this.#busy = false;
    }
    this.#tell();
  }

  async #sendFirst() {
    const one = this.waiting[0];
    if (one.seen === null) {
      one.seen = this.#version;
      this.#keep(one);
    }
    const outcome = await this.server.send(this.cell, { key: one.key, seen: one.seen, command: one.command });
    this.trouble = null;
    if (outcome.kind === "taken") {
      this.#tries = 0;
      this.#version = outcome.answer.version;
      this.#drop(one);
      this.dispatchEvent(new CustomEvent("taken", { detail: { waiting: one, answer: outcome.answer } }));
    } else if (outcome.kind === "refused") {
      this.#tries = 0;
      this.#drop(one);
      this.dispatchEvent(new CustomEvent("refused", { detail: { waiting: one, error: outcome.error } }));
    } else if (outcome.kind === "changed") {
      this.state = "changed";
      this.dispatchEvent(new CustomEvent("changed", { detail: { error: outcome.error } }));
    } else {
      this.state = outcome.kind;
      this.trouble = outcome.kind === "unreachable" ? { kind: "Unreachable", what: outcome.why } : null;
      this.#timer = window.setTimeout(() => this.hurry(), AGAIN[Math.min(this.#tries++, AGAIN.length - 1)]);
    }
    this.#tell();
  }

  /** @param {Waiting} one */
  #drop(one) {
    this.waiting = this.waiting.filter((other) => other !== one);
    this.#forget(one);
  }

  /** @param {Waiting} one */
  #keep(one) {
    try {
      this.storage.setItem(this.prefix + one.key, JSON.stringify(one));
    } catch (problem) {
      this.dispatchEvent(new CustomEvent("unkept", { detail: { problem } }));
    }
  }

  /** @param {Waiting} one */
  #forget(one) {
    this.storage.removeItem(this.prefix + one.key);
  }

  /** @returns {Waiting[]} */
  #kept() {
    const found = [];
    for (let index = 0; index < this.storage.length; index += 1) {
      const name = this.storage.key(index) ?? "";
      const one = name.startsWith(this.prefix) && parsed(this.storage.getItem(name));
      if (one) found.push(one);
    }
    found.sort((one, other) => one.order - other.order);
    this.#last = found.at(-1)?.order ?? 0;
    return found;
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {string | null} text @returns {Waiting | null} */
function parsed(text) {
  try {
    const one = JSON.parse(text ?? "");
    return typeof one?.key === "string" && typeof one?.command?.kind === "string" ? one : null;
  } catch {
    return null;
  }
}

/** A UUID; `randomUUID` is only there over TLS and on the machine itself. */
function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
