// Comptoir's two components, <credits-badge> and <upsell-dialog>, and the store beneath them.
// No dependency, no innerHTML, no inline style: they run under the strictest policies there are.
// What is served is embed.min.js, made of this file by scripts/minify_embed.py.

const HOME = new URL(import.meta.url).origin;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const PATIENCE = 20 * SECOND; // until a payment takes longer than usual
const KEPT = 30 * MINUTE; // for which the choice of a pack is one and the same purchase

const LEVELS = ['ok', 'low', 'empty'];
const ICONS = { ok: '●', low: '▲', empty: '■', error: '■' };
const TYPED = 'input, textarea, select, [contenteditable]';
const MODAL = ':modal, [aria-modal=true], upsell-dialog[open=modal]';

// In English and in French.
const TEXTS = {
  credits: [['credit', 'credits'], ['crédit', 'crédits']],
  tokens: [['token', 'tokens'], ['jeton', 'jetons']],
  low: ['Low: {n} left', 'Solde bas : il reste {n}'],
  empty: ['No {units} left', 'Il ne reste plus de {units}'],
  asof: ['As of {at}', 'À {at}'],
  retry: ['Try again', 'Réessayer'],
  signin: ['Sign in', 'Se connecter'],
  buy: ['Buy {units}', 'Acheter des {units}'],
  pay: ['Continue to payment', 'Continuer vers le paiement'],
  close: ['Close', 'Fermer'],
  each: ['{price} per {unit}', '{price} par {unit}'],
  best: ['Recommended', 'Conseillé'],
  included: ['incl. {tax}% tax', 'TVA {tax} % comprise'],
  added: ['plus {tax}% tax', 'TVA {tax} % en sus'],
  loading: ['Loading…', 'Chargement…'],
  ready: ['You have {n} left.', 'Il vous reste {n}.'],
  nopack: ['Nothing is for sale.', 'Rien n’est en vente.'],
  waiting: ['Waiting for your payment.', 'En attente de votre paiement.'],
  confirming: ['Confirming your payment.', 'Confirmation de votre paiement.'],
  slow: [
    'This takes longer than usual. Your payment is not lost.',
    'C’est plus long que d’habitude. Votre paiement n’est pas perdu.',
  ],
  reference: ['Reference: {id}', 'Référence : {id}'],
  success: ['Done. You have {n}.', 'C’est fait. Vous avez {n}.'],
  cancelled: ['Nothing was paid.', 'Rien n’a été payé.'],
  error: ['That did not work.', 'Cela n’a pas fonctionné.'],
  offline: ['You are offline.', 'Vous êtes hors ligne.'],
};

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host {
  --fg: var(--credits-fg, CanvasText);
  --bg: var(--credits-bg, Canvas);
  --soft: color-mix(in srgb, var(--fg) 72%, var(--bg));
  --line: color-mix(in srgb, var(--fg) 54%, var(--bg));
  --accent: var(--credits-accent, light-dark(#1f5fd0, #8ab4ff));
  font: var(--credits-font, 1rem/1.45 system-ui, sans-serif);
}
:host([theme=light]) { color-scheme: light }
:host([theme=dark]) { color-scheme: dark }
* { box-sizing: border-box; margin: 0; font: inherit; color: inherit }
[hidden] { display: none }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
h2:focus { outline: none }
[part=badge], dialog, section, label, button {
  color: var(--fg); background: var(--bg); border: 1px solid var(--line); border-radius: var(--credits-radius, 10px);
}
button, label { cursor: pointer }
.unseen, :host([variant=dot]) :is([part=value], [part=label]) { position: absolute; inline-size: 1px; overflow: hidden; clip-path: inset(50%) }
[part=badge] {
  display: inline-flex; align-items: center; gap: .4em; position: relative; min-block-size: 30px; padding: 2px 12px;
  border-radius: var(--credits-radius, 99px); white-space: nowrap; text-decoration: none; font-variant-numeric: tabular-nums;
}
b, h2 { font-weight: 600 }
[part=value] { min-inline-size: 3ch; text-align: end }
[part=label], p, small, [part=icon] { color: var(--soft) }
.ok { color: light-dark(#1b7a43, #5bd28f) }
.low { color: light-dark(#8a5a00, #f2b84b) }
.empty, .error { color: light-dark(#b3261e, #ff8f87) }
[part=bar] { inline-size: 64px; block-size: 8px; border: 1px solid; border-radius: 9px; overflow: hidden }
i { display: block; block-size: 100%; background: currentColor; forced-color-adjust: none }
:host([variant=inline]) [part=badge] { padding: 2px; border-color: #0000; background: none }
dialog, section {
  padding: 20px; inline-size: 100%; max-inline-size: min(416px, 100vw - 32px); overflow-wrap: anywhere; box-shadow: 0 8px 30px #0008;
}
dialog { margin: auto }
::backdrop { background: #0008 }
section { position: fixed; inset: auto 16px 16px auto; z-index: 9 }
h2 { font-size: 1.25em }
fieldset { padding: 0; border: 0; min-inline-size: 0 }
fieldset, [part=actions] { margin-block-start: 16px }
fieldset, [part=actions], label { display: flex; flex-wrap: wrap; justify-content: end; gap: 8px }
label { inline-size: 100%; min-block-size: 68px; align-items: center; padding: 8px 12px }
label > span { flex: 1 5em }
label:has(:checked) { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent) }
input { inline-size: 24px; block-size: 24px; accent-color: var(--accent) }
small { display: block; font-size: .875em }
[part=actions] button { flex: auto; min-block-size: 44px; padding: 6px 16px }
[part=actions] [part=primary] { background: var(--accent); border-color: var(--accent); color: light-dark(#fff, #111) }
[aria-busy=true] [part=primary] { background: none; color: var(--soft) }
`);

/** A new element with its properties and children. */
const el = (tag, props, ...children) => {
  const made = Object.assign(document.createElement(tag), props);
  made.append(...children);
  return made;
};

const pause = (ms, signal) => new Promise((done) => {
  setTimeout(signal.onabort = done, ms);
});

/** Why something did not work; `code` is the API's, or says what became of the call. */
class Trouble extends Error {
  constructor(code, message, reply) {
    super(message);
    this.code = code;
    this.isOut = /40[13]/.test(reply?.status);
    this.requestId = reply?.headers.get('X-Request-Id');
    this.retryInMs = reply?.headers.get('Retry-After') * SECOND || 0;
  }
}

const reach = (url, how) => fetch(url, how).catch(({ message }) => {
  throw new Trouble('unreachable', message);
});

const checked = async (reply) => {
  if (reply.ok) return reply;
  const { code = `http-${reply.status}`, detail } = await reply.json().catch(() => ({}));
  throw new Trouble(code, detail, reply);
};

/** What all tabs remember; nothing where the browser does not let it. */
const kept = (name, value) => {
  try {
    if (value === undefined) return JSON.parse(localStorage.getItem(name));
    localStorage.setItem(name, JSON.stringify(value));
  } catch {}
  return value;
};

/** An index of LEVELS, as if there were so much less. `low` is a share, an amount, or the server's own threshold. */
const level = ({ available, low_threshold: limit }, low, less = 0) => {
  const rest = available - less;
  if (rest <= 0) return 2;
  return +(rest < (/%/.test(low) ? limit * parseFloat(low) / 20 : +(low || limit)));
};

// ---------------------------------------------------------------- the store

const stores = new Map();
const followers = new Set();
let first = null;

/** One balance, shared by all that shows it: in this page, and with the other tabs. */
class Store {
  balance = null;
  failures = 0;
  trouble = null;
  tokenProvider = null;
  seconds = 30;
  live = 'auto';
  voice = null; // the one badge that speaks
  #watchers = new Set();
  #token = null;
  #renewing = null;
  #asking = null;
  #timer = 0;
  #awake = null;
  #joined = null;
  #channel = null;

  constructor(src, tokenUrl, unit) {
    Object.assign(this, { src, tokenUrl, unit });
    this.asset = unit === 'credits' ? '' : `?asset=${encodeURIComponent(unit)}`;
  }

  get isLow() {
    return Boolean(this.balance && level(this.balance));
  }

  subscribe = (heard) => {
    this.#watchers.add(heard);
    this.wake();
    return () => {
      this.#watchers.delete(heard);
      if (!this.#watchers.size) this.sleep();
    };
  };

  /** Ask now. */
  refresh = () => {
    this.#asking ??= this.#poll().finally(() => {
      this.#asking = null;
      this.#schedule();
    });
    return this.#asking;
  };

  /** Somebody looks, or looks again. */
  wake() {
    if (document.hidden || !this.#watchers.size) return;
    this.#awake ??= new AbortController();
    this.refresh();
  }

  sleep() {
    this.#awake?.abort();
    this.#awake = this.#joined = null;
    this.#channel?.close();
    clearTimeout(this.#timer);
  }

  tell() {
    for (const heard of [...this.#watchers, ...(this === first ? followers : [])]) heard(this.balance);
  }

  /** Call the API; a token that is refused is renewed once. */
  async ask(path, { headers, body, signal } = {}, isAgain = false) {
    const reply = await reach(this.src + path, {
      method: body ? 'POST' : 'GET',
      headers: { ...headers, Authorization: `Bearer ${await this.#bearer(isAgain)}` },
      body,
      signal,
    });
    if (reply.status === 401 && !isAgain) return this.ask(path, { headers, body, signal }, true);
    return checked(reply);
  }

  async #bearer(isRefused) {
    if (isRefused || !this.#token || Date.now() > this.#token.until) {
      this.#renewing ??= this.#renew().finally(() => { this.#renewing = null; });
      await this.#renewing;
    }
    return this.#token.text;
  }

  async #renew() {
    const fromHost = async () => (await checked(await reach(this.tokenUrl, { method: 'POST' }))).json();
    const said = await (this.tokenProvider ?? fromHost)();
    const { token = said, expires_at: end } = said;
    this.#token = { text: token, until: Math.max(Date.parse(end) - MINUTE, Date.now() + 5 * SECOND) };
  }

  async #poll() {
    if (!this.tokenProvider && !this.tokenUrl) return;
    try {
      // Answers are `no-cache`: the browser keeps the last one, asks with its ETag, and hands it out again after a 304.
      this.take(await (await this.ask(`/api/credits/balance${this.asset}`)).json());
    } catch (error) {
      this.failures += 1;
      this.trouble = error;
      this.tell();
    }
  }

  /** A snapshot; an older one than is known changes nothing, so that no number goes backwards. */
  take(found, isHeard = false) {
    const { balance } = this;
    this.failures = 0;
    this.trouble = null;
    if (balance?.customer !== found.customer || found.version > balance.version) this.balance = found;
    this.#join();
    if (!isHeard && this.#joined) this.#channel.postMessage(this.balance);
    this.#schedule();
    this.tell();
  }

  /** The next poll, put off by every sign of life: of the stream, or of another tab. */
  #schedule() {
    const { trouble, seconds, live } = this;
    clearTimeout(this.#timer);
    if (!this.#awake || trouble?.isOut || !+seconds || live === 'off') return;
    let wait = Math.max(5, seconds) * SECOND * (0.9 + Math.random() * 0.2);
    if (trouble) wait = trouble.retryInMs = Math.max(trouble.retryInMs, wait);
    this.#timer = setTimeout(this.refresh, wait);
  }

  /** Meet the other tabs of the same customer; one of them holds the lock, and with it the stream. */
  #join() {
    const name = `comptoir ${this.src} ${this.unit} ${this.balance.customer}`;
    if (!this.#awake || this.#joined === name) return;
    this.sleep();
    const { signal } = this.#awake = new AbortController();
    this.#joined = name;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (event) => this.take(event.data, true);
    if (this.live === 'auto') navigator.locks?.request(name, { signal }, () => this.#follow(signal)).catch(() => {});
  }

  async #follow(signal) {
    for (let wait = SECOND; !signal.aborted; wait = Math.min(wait * 2, MINUTE)) {
      if (await this.#listen(signal).catch(() => false)) wait = SECOND;
      await pause(wait * (0.5 + Math.random()), signal);
    }
  }

  /** Read the stream until it ends; whether there was one. */
  async #listen(signal) {
    const reply = await this.ask(`/api/stream${this.asset}`, { signal });
    if (reply.status !== 200) return false;
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ''; ;) {
      const { value, done } = await reader.read().catch(() => ({ done: true }));
      if (done || signal.aborted) return true;
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) {
        const said = /^event: ?balance$/m.test(block) && /^data: ?(.*)$/m.exec(block);
        this.take(said ? JSON.parse(said[1]) : this.balance);
      }
    }
  }
}

const open = ({ src = HOME, tokenUrl = '', unit = 'credits', tokenProvider }) => {
  const key = JSON.stringify([src, tokenUrl, unit]);
  const store = stores.get(key) ?? new Store(src, tokenUrl, unit);
  stores.set(key, store);
  store.tokenProvider ??= tokenProvider;
  first ??= store;
  return store;
};

const all = (act) => () => stores.forEach(act);
const wake = all((store) => store.wake());
document.addEventListener('visibilitychange', all((store) => (document.hidden ? store.sleep() : store.wake())));
for (const name of ['focus', 'online', 'pageshow']) {
  addEventListener(name, ({ persisted = true }) => persisted && wake());
}
addEventListener('offline', all((store) => store.tell()));

/** The store of a page without a badge; it is kept up to date from now on. */
export const connect = (options) => {
  const store = open(options);
  store.subscribe(() => {});
  return store;
};
export const balance = () => first?.balance ?? null;
export const isLow = () => Boolean(first?.isLow);
export const refresh = () => first?.refresh();
export const subscribe = (heard) => {
  followers.add(heard);
  return () => followers.delete(heard);
};

// ---------------------------------------------------------------- the components

class Piece extends HTMLElement {
  state = null;
  root = Object.assign(this.attachShadow({ mode: 'open' }), { adoptedStyleSheets: [sheet] });
  status = el('span', { className: 'unseen', role: 'status' });
  #tokens = null;
  #internals = this.attachInternals();
  #whose = null;
  #told = 0;

  attr(name) {
    return this.getAttribute(name);
  }

  get tongue() {
    return this.attr('locale') || this.closest('[lang]')?.lang || navigator.language;
  }

  get kind() {
    return this.store.unit;
  }

  get bound() {
    return this.attr('low');
  }

  get balance() {
    return this.store?.balance ?? null;
  }

  get tokenProvider() {
    return this.#tokens;
  }

  set tokenProvider(given) {
    this.#tokens = given;
    if (!this.store) return;
    this.store.tokenProvider = given;
    this.refresh();
  }

  get refresh() {
    return () => this.store.refresh();
  }

  // Frameworks set a property where there is one of an attribute's name; every element has a `when` in new browsers.
  set refresh(seconds) {
    this.setAttribute('refresh', seconds);
  }

  set when(reasons) {
    this.setAttribute('when', reasons);
  }

  watch() {
    const [src, tokenUrl, unit] = ['src', 'token-url', 'unit'].map((name) => this.attr(name) ?? undefined);
    this.store = open({ src, tokenUrl, unit, tokenProvider: this.#tokens });
  }

  number(amount, how) {
    return new Intl.NumberFormat(this.tongue, { maximumFractionDigits: 6, ...how }).format(amount);
  }

  /** A text in the reader's language. */
  say(name, values) {
    const { tongue, kind } = this;
    const language = +/^fr/i.test(tongue);
    const [one, units] = TEXTS[kind]?.[language] ?? [kind, kind];
    const available = this.balance?.available ?? 0;
    const many = new Intl.PluralRules(tongue).select(available) === 'one' ? one : units;
    const said = { unit: one, units, many, n: `${this.number(available)} ${many}`, ...values };
    return (TEXTS[name]?.[language] ?? name).replace(/{(\w+)}/g, (_, word) => said[word]);
  }

  emit(name, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(name, { detail, cancelable, bubbles: true, composed: true }));
  }

  become(state) {
    this.state = state;
    this.setAttribute('state', state);
    this.#internals.states?.clear();
    this.#internals.states?.add(state);
  }

  /** The level that was reached from above: once, and again only from 5 points above it. */
  crossing() {
    const { balance, bound: low } = this;
    const now = level(balance, low);
    const before = this.#whose === balance.customer ? Math.min(this.#told, level(balance, low, balance.low_threshold / 4)) : 0;
    this.#whose = balance.customer;
    this.#told = Math.max(now, before);
    return now > before ? LEVELS[now] : null;
  }
}

class CreditsBadge extends Piece {
  static observedAttributes = [
    'src', 'token-url', 'unit', 'low', 'refresh', 'live', 'upsell', 'href', 'variant', 'hide-amount', 'locale',
  ];

  #badge = null;
  #shown = null;
  #trouble = null;
  #leave = null;

  connectedCallback() {
    this.watch();
    const { store } = this;
    store.seconds = this.attr('refresh') ?? 30;
    store.live = this.attr('live') ?? 'auto';
    store.voice ??= this;
    const leave = this.#leave;
    this.#leave = store.subscribe(this.#draw);
    leave?.();
    this.#draw();
  }

  disconnectedCallback() {
    if (this.store.voice === this) this.store.voice = null;
    this.#leave();
    this.#leave = null;
  }

  attributeChangedCallback() {
    if (this.#leave) this.connectedCallback();
  }

  #current() {
    const { balance, trouble, failures } = this.store;
    if (trouble?.isOut) return 'signed-out';
    if (!balance) return failures ? 'error' : 'loading';
    if (!navigator.onLine || failures > 2) return 'offline';
    return failures ? 'stale' : LEVELS[level(balance, this.bound)];
  }

  #draw = () => {
    const { balance, trouble } = this.store;
    const { state: from, kind: unit } = this;
    const old = this.#shown;
    this.become(this.#current());
    this.#build(this.state);
    this.#shown = balance;
    if (balance && old !== balance) {
      const { available, held, version, updated_at: at } = balance;
      const delta = old?.customer === balance.customer ? available - old.available : 0;
      const reference = String(balance.low_threshold * 5);
      this.emit('credits:change', { unit, available, held, reference, version, as_of: at, delta });
    }
    if (from !== this.state) {
      this.emit('credits:state', { from, to: this.state });
      const isSaid = this.store.voice === this && ['offline', 'error', 'low', 'empty'].includes(this.state);
      this.status.textContent = isSaid ? this.say(this.state) : '';
    }
    if (trouble && trouble !== this.#trouble) {
      const { code, message, requestId, retryInMs } = trouble;
      this.emit('credits:error', { code: trouble.isOut ? 'unauthorized' : code, message, requestId, retryInMs });
    }
    this.#trouble = trouble;
    const crossing = balance && this.crossing();
    if (crossing) this.emit(`credits:${crossing}`, { unit, available: balance.available });
  };

  #build(state) {
    const isBroken = ['error', 'signed-out'].includes(state);
    const href = this.attr('href');
    const tag = isBroken || this.attr('upsell') ? 'button' : href ? 'a' : 'span';
    if (this.#badge?.localName !== tag) {
      this.#badge = el(tag, { part: 'badge', onclick: this.#press });
      this.root.replaceChildren(this.#badge, this.status);
    }
    const time = new Intl.DateTimeFormat(this.tongue, { timeStyle: 'short' });
    const isOld = ['stale', 'offline'].includes(state);
    const title = isOld ? this.say('asof', { at: time.format(new Date(this.balance.updated_at ?? Date.now())) }) : '';
    Object.assign(this.#badge, { type: 'button', href, title, ariaBusy: state === 'loading' });
    const icon = el('slot', { name: 'icon' }, ICONS[state] ?? '○');
    this.#badge.replaceChildren(el('span', { part: 'icon', className: state, ariaHidden: true }, icon), ...this.#words(isBroken));
    if (!isBroken && tag !== 'span') this.#badge.append(el('span', { className: 'unseen' }, this.say('buy')));
  }

  #words(isBroken) {
    const { balance } = this;
    const isShown = !this.hasAttribute('hide-amount');
    const label = (text) => el('span', { part: 'label' }, this.say(text));
    if (isBroken) return [label(this.state === 'error' ? 'retry' : 'signin')];
    const amount = balance ? this.number(balance.available) : '…';
    const words = [label(balance && isShown ? '{many}' : '{units}')];
    if (isShown) words.unshift(el('b', { part: 'value' }, amount), ' ');
    if (this.attr('variant') === 'bar') {
      const fill = el('i');
      fill.style.inlineSize = `${Math.min(balance?.available / balance?.low_threshold * 20, 100) || 0}%`;
      words.push(el('span', { part: 'bar', ariaHidden: true }, fill));
    }
    return words;
  }

  #press = (event) => {
    if (['error', 'signed-out'].includes(this.state)) this.refresh();
    else if (!this.emit('credits:buy', { unit: this.kind }, true)) event.preventDefault();
    else if (this.attr('upsell')) document.querySelector(this.attr('upsell'))?.show('badge');
  };
}

class UpsellDialog extends Piece {
  static observedAttributes = ['locale', 'heading', 'highlight'];

  #packs = [];
  #chosen = null;
  #message = '';
  #reason = '';
  #how = '';
  #due = null; // what it would have opened for, had nobody been typing
  #waiting = null;
  #leave = null;
  #heading = el('h2', { id: 'heading', tabIndex: -1 });
  #text = el('p', { part: 'message', role: 'status' });
  #form = el('form');
  #dialog = el('dialog', { part: 'dialog', closedBy: 'any' }, this.#heading, this.#text, this.#form);
  #nudge = el('section', { part: 'nudge', hidden: true });

  async connectedCallback() {
    await null; // its badge may come after it
    if (!this.isConnected) return;
    this.watch();
    this.#dialog.setAttribute('aria-labelledby', 'heading');
    this.#dialog.onclose = () => this.#closed();
    this.#dialog.oncancel = () => { this.#how = 'escape'; };
    this.#form.onsubmit = (event) => { event.preventDefault(); this.#submit(); };
    this.#nudge.onkeydown = (event) => event.key === 'Escape' && this.close('escape');
    this.root.replaceChildren(this.#dialog, this.#nudge, this.status);
    this.become('closed');
    this.#leave = this.store.subscribe(() => this.#heard());
    document.addEventListener('focusout', this.#later);
    addEventListener('pageshow', this.#returned);
    this.#arrive();
    this.#heard();
  }

  disconnectedCallback() {
    this.close('removed');
    this.#leave?.();
    document.removeEventListener('focusout', this.#later);
    removeEventListener('pageshow', this.#returned);
    this.#waiting?.abort();
  }

  attributeChangedCallback() {
    if (this.state) this.#draw();
  }

  /** The badge that it goes with. */
  get badge() {
    return document.querySelector(this.attr('for') || 'credits-badge');
  }

  get bound() {
    return this.attr('low') ?? this.badge?.bound;
  }

  watch() {
    const { badge } = this;
    if (this.attr('token-url') || this.tokenProvider || !badge?.store) super.watch();
    else this.store = badge.store;
  }

  // ------------------------------------------------ opening and closing

  show(reason = 'call') {
    this.#open(reason);
  }

  close(how = 'call') {
    this.#how = how;
    if (this.#nudge.hidden) this.#dialog.close();
    else this.#closed();
  }

  #open(reason, { auto = false, isNudge = false, state = this.#packs.length ? 'ready' : 'loading' } = {}) {
    if (!this.emit('upsell:open', { reason, auto }, true)) return;
    this.#reason = reason;
    this.#due = null;
    this.#nudge.hidden = !isNudge;
    this.setAttribute('open', isNudge ? 'nudge' : 'modal');
    if (isNudge) {
      this.#invite();
      return;
    }
    this.#go(state);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#heading.focus();
    if (state === 'loading') this.#load();
  }

  #closed() {
    if (!this.attr('open')) return;
    this.#nudge.hidden = true;
    this.removeAttribute('open');
    this.become('closed');
    this.emit('upsell:dismiss', { reason: this.#reason, how: this.#how });
  }

  #heard() {
    const { balance, bound: low } = this;
    if (!balance) return;
    if (this.state === 'offline' && navigator.onLine) this.#load();
    const crossing = this.crossing();
    if (crossing && (this.attr('when') || 'empty').includes(crossing)) this.#due = crossing;
    if (!level(balance, low)) this.#due = null;
    this.#later();
  }

  /** Open for what is due, unless that disturbs somebody; then when it no longer does. */
  #later = () => setTimeout(() => {
    const reason = this.#due;
    if (!reason || !this.isConnected || this.attr('open')) return;
    let active = document.activeElement;
    while (active?.shadowRoot) active = active.shadowRoot.activeElement;
    const modals = [...document.querySelectorAll(MODAL)];
    if (active?.matches(TYPED) || modals.some((modal) => modal.checkVisibility())) return;
    const name = `comptoir ${this.kind} ${reason} ${this.balance.customer}`;
    this.#due = null;
    if (Date.now() < kept(name)) return;
    kept(name, Date.now() + (this.attr('cooldown') ?? 24) * 60 * MINUTE);
    this.#open(reason, { auto: true, isNudge: reason === 'low' && this.attr('nudge') !== 'off' });
  });

  #invite() {
    const text = this.say('low');
    this.#nudge.ariaLabel = this.say('buy');
    this.#nudge.replaceChildren(el('p', {}, text), this.#actions('buy', () => this.#open(this.#reason)));
    if (!this.store.voice) this.status.textContent = text;
  }

  // ------------------------------------------------ what it shows

  #go(state, message) {
    this.#message = message;
    this.become(state);
    this.#draw();
  }

  #draw() {
    const { state } = this;
    this.#heading.textContent = this.attr('heading') ?? this.say('buy');
    this.#text.textContent = this.#message || this.say(state);
    this.#form.ariaBusy = ['loading', 'submitting', 'confirming'].includes(state);
    if (state === 'submitting') return;
    const cards = state === 'loading' ? [1, 2, 3].map(() => el('label')) : this.#packs.map((pack) => this.#card(pack));
    if (['loading', 'ready'].includes(state)) {
      this.#form.replaceChildren(el('fieldset', { ariaLabel: this.say('buy') }, ...cards), this.#actions('pay'));
    } else if (['cancelled', 'offline', 'error'].includes(state)) {
      this.#form.replaceChildren(this.#actions('retry', () => this.#load()));
    } else this.#form.replaceChildren(this.#actions());
    if (this.#dialog.open && !this.root.activeElement) this.#heading.focus();
  }

  /** A button for what is next, if anything is, and one to close. */
  #actions(next, act) {
    const button = (name, part, onclick) => el('button', { part, onclick, type: onclick ? 'button' : 'submit' }, this.say(name));
    const actions = el('div', { part: 'actions' }, button('close', 'secondary', () => this.close('button')));
    if (next) actions.prepend(button(next, 'primary', act));
    return actions;
  }

  #card({ id, name, price, unit_price: each, tax }) {
    const texts = [this.say('each', { price: this.#money(each, price.currency, 6) })];
    if (tax) texts.push(this.say(tax.included ? 'included' : 'added', { tax: this.number(tax.percent) }));
    const onchange = () => {
      this.#chosen = id;
      this.emit('upsell:select', { pack: id });
    };
    if (id === this.attr('highlight')) texts.unshift(this.say('best'));
    return el(
      'label',
      { part: 'pack' },
      el('input', { type: 'radio', name: 'pack', value: id, checked: id === this.#chosen, onchange }),
      el('span', {}, name, el('small', {}, texts.join(' · '))),
      el('b', {}, this.#money(price.amount, price.currency)),
    );
  }

  /** A price: minor units, or with `most` digits a decimal string of the major unit. */
  #money(amount, currency, most) {
    const how = { style: 'currency', currency };
    const digits = new Intl.NumberFormat('en', how).resolvedOptions().maximumFractionDigits;
    return this.number(most ? amount : amount / 10 ** digits, { ...how, maximumFractionDigits: most ?? digits });
  }

  // ------------------------------------------------ buying

  async #load() {
    this.#go('loading');
    try {
      if (!this.#packs.length) {
        const reply = await this.store.ask('/api/credits/packs', { headers: { 'Accept-Language': this.tongue } });
        const { items } = await reply.json();
        const wanted = this.attr('packs')?.split(/[\s,]+/) ?? items.map(({ id }) => id);
        const found = wanted.map((id) => items.find((pack) => pack.id === id && pack.asset === this.kind));
        this.#packs = found.filter(Boolean);
      }
      const isThere = (id) => this.#packs.some((pack) => pack.id === id);
      this.#chosen = [this.#chosen, this.attr('highlight')].find(isThere) ?? this.#packs[0]?.id;
      if (this.state === 'loading') this.#go(this.#packs.length ? 'ready' : 'nopack');
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail({ code, message, requestId, isOut }) {
    this.emit('upsell:error', { code, message, requestId });
    if (!this.attr('open')) return;
    if (code === 'unreachable') this.#go('offline');
    else this.#go('error', isOut ? this.say('signin') : message);
  }

  /** The same choice is the same purchase, however often it is sent, also after coming back. */
  #intent(pack) {
    const name = `comptoir buy ${pack} ${this.balance?.customer}`;
    const old = kept(name);
    if (Date.now() < old?.until) return old;
    const back = new URL(this.attr('return-url') ?? '', location);
    const to = (said) => {
      back.searchParams.set('checkout', said);
      return back.href;
    };
    const body = JSON.stringify({ pack, success_url: to('success'), cancel_url: to('cancelled') });
    return kept(name, { name, body, key: crypto.randomUUID(), until: Date.now() + KEPT });
  }

  async #submit() {
    if (this.state !== 'ready') return;
    const pack = this.#chosen;
    const { name, key, body } = this.#intent(pack);
    this.#go('submitting', this.say('loading'));
    try {
      const headers = { 'Idempotency-Key': key, 'Content-Type': 'application/json', 'Accept-Language': this.tongue };
      const { purchase, checkout_url: url } = await (await this.store.ask('/api/credits/buy', { headers, body })).json();
      kept('comptoir', { purchase, name, version: this.balance?.version });
      if (!this.emit('upsell:checkout', { pack, url, sessionId: purchase, idempotencyKey: key }, true)) this.#go('ready');
      else if (this.attr('mode') === 'tab' && window.open(url)) this.confirm(purchase, 'waiting');
      else location.assign(url);
    } catch (error) {
      this.#fail(error);
    }
  }

  #returned = () => {
    if (this.state === 'submitting') this.#go('ready');
  };

  /** The address says that the buyer comes back. */
  #arrive() {
    const here = new URL(location);
    const [said, purchase] = ['checkout', 'purchase'].map((name) => {
      const value = here.searchParams.get(name);
      here.searchParams.delete(name);
      return value;
    });
    if (!said && !purchase) return;
    history.replaceState(history.state, '', here);
    if (/^cancel/.test(said)) this.#open('return', { auto: true, state: 'cancelled' });
    else this.confirm(purchase);
  }

  /** Wait until the ledger has it: the purchase granted, or where none is known a newer version. */
  async confirm(sessionId, text = 'confirming') {
    const { name, version, purchase = sessionId } = kept('comptoir') ?? {};
    const id = sessionId ?? purchase;
    if (!this.attr('open')) this.#open('return', { auto: true, state: 'confirming' });
    this.#go('confirming', this.say(text));
    this.#waiting?.abort();
    const waiting = this.#waiting = new AbortController();
    const { signal } = waiting;
    pause(text === 'waiting' ? KEPT : PATIENCE, signal).then(() => {
      if (!signal.aborted) this.#go(this.state, `${this.say('slow')} ${id ? this.say('reference', { id }) : ''}`);
    });
    const isDone = await this.#granted(id, version, signal);
    if (signal.aborted) return;
    waiting.abort();
    if (!isDone) {
      this.#fail(new Trouble('payment-failed'));
      return;
    }
    for (const each of [name, 'comptoir']) kept(each, null);
    const { balance } = this;
    this.emit('upsell:success', { available: balance?.available, version: balance?.version });
    this.#go(this.attr('open') ? 'success' : 'closed');
  }

  async #granted(id, version, signal) {
    for (let wait = SECOND; !signal.aborted; wait = Math.min(wait * 2, MINUTE)) {
      try {
        if (id) {
          const reply = await this.store.ask(`/api/credits/purchases/${encodeURIComponent(id)}?wait_seconds=10`, { signal });
          const { status, balance } = await reply.json();
          if (balance) this.store.take(balance);
          if (status === 'granted') return true;
          if (['failed', 'refunded'].includes(status)) return false;
        } else await this.refresh();
      } catch ({ code }) {
        if (code === 'purchase-not-found') return false;
      }
      version ??= this.balance?.version;
      if (!id && this.balance?.version > version) return true;
      await pause(wait, signal);
    }
    return false;
  }
}

for (const [name, piece] of [['credits-badge', CreditsBadge], ['upsell-dialog', UpsellDialog]]) {
  customElements.get(name) ?? customElements.define(name, piece);
}
