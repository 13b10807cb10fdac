/** Headers of a request that the backend gets. All others, cookies and credentials among them, stay here. */
const REQUEST_HEADERS = ['accept', 'content-type', 'content-length', 'idempotency-key'];

/** Headers of the backend's answer that the browser gets. */
const ANSWER_HEADERS = ['content-type', 'location', 'retry-after', 'x-request-id'];

const REQUEST_ID = /^[\w.-]{1,64}$/;

/** The id that a caller gave, when it is one, or a new one. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get('x-request-id');
  return given && REQUEST_ID.test(given) ? given : crypto.randomUUID();
}

/** What of a request's headers goes on to the backend. */
export function headersForBackend(headers: Headers, requestId: string): Record<string, string> {
  const passed: Record<string, string> = { 'x-request-id': requestId };
  for (const name of REQUEST_HEADERS) {
    const value = headers.get(name);
    if (value !== null) passed[name] = value;
  }
  return passed;
}

/**
 * What of the answer's headers goes back to the browser. Nothing is stored by caches, and `no-transform` keeps
 * the server from compressing an event stream, which would hold its events back.
 */
export function headersForBrowser(
  headers: Record<string, string | string[] | undefined>,
  requestId: string,
): Headers {
  const passed = new Headers({ 'x-request-id': requestId });
  for (const name of ANSWER_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') passed.set(name, value);
  }
  const isStream = passed.get('content-type')?.startsWith('text/event-stream');
  passed.set('cache-control', isStream ? 'no-store, no-transform' : 'no-store');
  return passed;
}

/**
 * Whether a request comes from this page or from no page at all. A browser says so itself in `Sec-Fetch-Site`, whatever
 * the proxies in front make of the host; no script can set that header. It is missing on plain HTTP beyond localhost and
 * in old browsers: then the origin's host has to be ours.
 */
export function isSameOrigin(headers: Headers): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin' || site === 'none';
  const origin = headers.get('origin');
  if (origin === null) return true;
  if (!URL.canParse(origin)) return false;
  return ourHosts(headers).some((host) => isHostOf(host, new URL(origin)));
}

/** The names under which we were asked. Another site's script cannot add `X-Forwarded-Host` without a preflight, which we refuse. */
function ourHosts(headers: Headers): string[] {
  const forwarded = headers.get('x-forwarded-host') ?? '';
  return [headers.get('host') ?? '', ...forwarded.split(',')].map((host) => host.trim()).filter(Boolean);
}

/**
 * Whether an origin is at a host. Schemes are not compared, since who ends TLS before us changes them. Proxies drop the
 * port but do not invent one: a host without a port fits any, one with a port only its own.
 */
function isHostOf(host: string, origin: URL): boolean {
  if (!URL.canParse(`${origin.protocol}//${host}`)) return false;
  const ours = new URL(`${origin.protocol}//${host}`);
  const namesPort = /:\d+$/.test(host);
  return (
    ours.hostname !== '' && ours.hostname === origin.hostname && (!namesPort || ours.port === origin.port)
  );
}
