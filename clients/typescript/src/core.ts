// How a call is made: keys, time limits, and what is tried again.

import { PASSING, type Problem, type ProblemCode } from "./types.js";

/** What a client is told once. */
export interface Settings {
  /** Where Comptoir is, such as `https://books.example.com`. */
  baseUrl: string;
  /** An API key, a customer token, or what fetches one; guests of the checkout have none. */
  key?: string | (() => string | Promise<string>);
  /** In which language refusals are told. */
  language?: "en" | "fr";
  /** For one try, its answer included. 60 000 unless said. */
  timeoutMs?: number;
  /** How often a call that may be repeated is tried again. 4 unless said. */
  retries?: number;
  /** Before the second try; doubled with each, with chance. 250 unless said. */
  backoffMs?: number;
  /** The longest `Retry-After` that is waited for; more than that is told at once. 30 000. */
  longestWaitMs?: number;
  /** In place of the platform's own. */
  fetch?: typeof globalThis.fetch;
}

/** What a call is told. */
export interface Options {
  /** Ends the call, and the wait between two tries. */
  signal?: AbortSignal;
  timeoutMs?: number;
  retries?: number;
  language?: "en" | "fr";
  /** Is told of the answer beside its body: also of refusals. */
  onAnswer?: (answer: Answer) => void;
}

/** A call that must have a key: the same one for each repeat of the same thing. */
export interface Keyed extends Options {
  idempotencyKey: string;
}

/** A call that may have one. Without, a fresh key covers the tries of this one call. */
export interface MayBeKeyed extends Options {
  idempotencyKey?: string;
}

/** What came beside the body. */
export interface Answer {
  readonly status: number;
  /** Whether it is a stored answer to an earlier call with this key. */
  readonly replayed: boolean;
  readonly requestId: string | null;
  readonly tries: number;
  readonly headers: Headers;
}

/** What is wrong with one field of a request. */
export interface FieldError {
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

/** Comptoir has refused. Decide by `code`, never by the text. */
export class ComptoirError extends Error {
  override readonly name = "ComptoirError";
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** The whole document, with the fields of this code: `needed` and `available`, for example. */
  readonly fields: Problem;
  /** Of `validation-failed`. */
  readonly errors: readonly FieldError[];
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  /** With which the very same request may be repeated. */
  readonly idempotencyKey: string | null;

  constructor(problem: Problem, answer: Response, idempotencyKey: string | null) {
    super(`${problem.code}: ${problem.detail}`);
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.fields = problem;
    this.errors = Array.isArray(problem["errors"]) ? (problem["errors"] as FieldError[]) : [];
    this.requestId = answer.headers.get("x-request-id");
    this.retryAfterMs = retryAfter(answer);
    this.idempotencyKey = idempotencyKey;
  }

  /** Whether it is this refusal. */
  is(code: ProblemCode): boolean {
    return this.code === code;
  }
}

/**
 * Nobody knows what has become of the call: no answer came, or one that is not Comptoir's.
 * Repeat it with `idempotencyKey`, now or tomorrow: it happens once.
 */
export class ComptoirUnreachable extends Error {
  override readonly name = "ComptoirUnreachable";
  readonly status: number | null;
  readonly idempotencyKey: string | null;

  constructor(message: string, status: number | null, key: string | null, cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.idempotencyKey = key;
  }
}

/** One route, as the generated methods say it. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: object;
  readonly query?: object;
  /** A key is made when none is said. */
  readonly makesKey?: true;
  /** May be repeated though it has no key. */
  readonly repeats?: true;
}

export type Call = <Body>(route: Route, options: MayBeKeyed) => Promise<Body>;

/** Text in a path. What an address cannot say is refused: it would lead to another route. */
export function part(text: string): string {
  if (text === "" || text === "." || text === "..") {
    throw new TypeError(`no address can have ${JSON.stringify(text)} as a part`);
  }
  return encodeURIComponent(text);
}

/** Every item of a list, page after page. */
export async function* every<Item>(
  page: (cursor: string | undefined) => Promise<{ items: Item[]; next_cursor: string | null }>,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  do {
    const { items, next_cursor } = await page(cursor);
    yield* items;
    cursor = next_cursor ?? undefined;
  } while (cursor !== undefined);
}

/** What makes the calls of one client. */
export function caller(said: Settings): Call {
  const base = said.baseUrl.replace(/\/+$/, "");
  return async <Body>(route: Route, options: MayBeKeyed): Promise<Body> => {
    const own = options.idempotencyKey ?? (route.makesKey ? crypto.randomUUID() : undefined);
    const once = new Once(said, options, route, own ?? null);
    const isSafe = route.method === "GET" || route.method === "PUT";
    const mayRepeat = isSafe || own !== undefined || route.repeats === true;
    const most = mayRepeat ? (options.retries ?? said.retries ?? 4) : 0;
    for (let tries = 1; ; tries += 1) {
      const found = await once.call(base + route.path, tries);
      if ("body" in found) return found.body as Body;
      const backoff = (said.backoffMs ?? 250) * 2 ** (tries - 1) * (0.5 + Math.random());
      const wait = found.waitMs ?? backoff;
      const isLong = wait > (said.longestWaitMs ?? 30_000);
      if (tries > most || isLong || !found.isPassing) throw found.error;
      await pause(wait, options.signal);
    }
  };
}

type Found =
  | { readonly body: unknown }
  | { readonly error: Error; readonly isPassing: boolean; readonly waitMs: number | null };

/** One call: its tries are the same request. */
class Once {
  readonly #said: Settings;
  readonly #options: Options;
  readonly #route: Route;
  readonly #key: string | null;

  constructor(said: Settings, options: Options, route: Route, key: string | null) {
    this.#said = said;
    this.#options = options;
    this.#route = route;
    this.#key = key;
  }

  async call(address: string, tries: number): Promise<Found> {
    const { signal } = this.#options;
    const limit = this.#options.timeoutMs ?? this.#said.timeoutMs ?? 60_000;
    const ending = new AbortController();
    const end = () => ending.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener("abort", end);
    const timer = setTimeout(
      () => ending.abort(new DOMException(`no answer in ${limit} ms`, "TimeoutError")),
      limit,
    );
    try {
      const headers = await this.#headers();
      return await this.#send(address, { headers, signal: ending.signal }, tries);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }

  async #send(address: string, more: RequestInit, tries: number): Promise<Found> {
    const { method, body } = this.#route;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const send = this.#said.fetch ?? globalThis.fetch;
    let found: [Response, string];
    try {
      // Neither a browser's cookies nor the cache of a framework have a part in it.
      const plain = { method, body: text, credentials: "omit", cache: "no-store" } as const;
      const answer = await send(address + this.#query(), { ...more, ...plain });
      found = [answer, await answer.text()];
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const message = `no answer: ${String(error)}`;
      const unreachable = new ComptoirUnreachable(message, null, this.#key, error);
      return { error: unreachable, isPassing: true, waitMs: null };
    }
    return this.#judge(...found, tries);
  }

  #judge(answer: Response, text: string, tries: number): Found {
    const body = parsed(text);
    const told = {
      status: answer.status,
      replayed: answer.headers.get("idempotent-replayed") === "true",
      requestId: answer.headers.get("x-request-id"),
      tries,
      headers: answer.headers,
    };
    this.#options.onAnswer?.(told);
    if (answer.ok && body !== undefined) return { body };
    const waitMs = retryAfter(answer);
    if (!answer.ok && isProblem(body)) {
      const error = new ComptoirError(body, answer, this.#key);
      return { error, isPassing: PASSING.has(body.code), waitMs };
    }
    // Somebody between us answers: a proxy whose server restarts, for example.
    const message = `${answer.status} from something that is not Comptoir`;
    const error = new ComptoirUnreachable(message, answer.status, this.#key);
    return { error, isPassing: [429, 502, 503, 504].includes(answer.status), waitMs };
  }

  async #headers(): Promise<Headers> {
    const headers = new Headers({ accept: "application/json" });
    const { key, language } = this.#said;
    const text = typeof key === "function" ? await key() : key;
    if (text !== undefined) headers.set("authorization", `Bearer ${text}`);
    const spoken = this.#options.language ?? language;
    if (spoken !== undefined) headers.set("accept-language", spoken);
    if (this.#key !== null) headers.set("idempotency-key", this.#key);
    if (this.#route.body !== undefined) headers.set("content-type", "application/json");
    return headers;
  }

  #query(): string {
    const pairs = Object.entries(this.#route.query ?? {})
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, String(value)]);
    return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs)}`;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body;
}

/** In milliseconds; null when the answer does not say it in seconds. */
function retryAfter(answer: Response): number | null {
  const said = answer.headers.get("retry-after");
  return said !== null && /^[0-9]{1,9}$/.test(said) ? Number(said) * 1_000 : null;
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", end, { once: true });
  });
}
