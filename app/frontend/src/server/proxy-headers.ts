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
 * Whether a request comes from this page or from no page at all. Only the host is compared: who ends TLS before us
 * changes the scheme.
 */
export function isSameOrigin(headers: Headers): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') return false;
  const origin = headers.get('origin');
  if (origin === null) return true;
  return URL.canParse(origin) && new URL(origin).host === headers.get('host');
}
