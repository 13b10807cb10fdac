import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { type BackendAnswer, BackendFailure, callBackend } from './backend';
import { BodyTooLarge, declaresTooLarge, limitedBody } from './body-limit';
import { log } from './log';
import { headersForBackend, headersForBrowser, isSameOrigin, requestIdOf } from './proxy-headers';
import { settings } from './settings';

const HEADERS_MS = 30_000;
/** A chat may be asked for without streaming, and then answers when the assistant has finished. */
const CHAT_HEADERS_MS = 120_000;

const REASONS = {
  unreachable: { status: 502, detail: 'The todo service cannot be reached right now.' },
  timeout: { status: 504, detail: 'The todo service did not answer in time.' },
  cancelled: { status: 499, detail: 'The request was cancelled.' },
};

/** Pass a request of the browser to the backend and its answer back, both as streams. */
export async function forwardToBackend(incoming: Request): Promise<Response> {
  const requestId = requestIdOf(incoming.headers);
  const path = backendPath(incoming.url);
  if (path === null) return refuse(404, 'Not Found', requestId);
  const changes = incoming.method !== 'GET' && incoming.method !== 'HEAD';
  if (changes && !isSameOrigin(incoming.headers)) {
    return refuse(403, 'Requests from other sites are not accepted.', requestId);
  }
  if (declaresTooLarge(incoming.headers)) return refuse(413, 'The request is too large.', requestId);

  try {
    const answer = await callBackend({
      method: incoming.method as Dispatcher.HttpMethod,
      path,
      headers: headersForBackend(incoming.headers, requestId),
      body: changes && incoming.body ? limitedBody(incoming.body) : null,
      signal: incoming.signal,
      headersMs: path.startsWith('/api/chat') ? CHAT_HEADERS_MS : HEADERS_MS,
    });
    return passOn(answer, requestId);
  } catch (error) {
    return explain(error, requestId);
  }
}

/**
 * The path for the backend, or null when it would leave `/api/`. A URL's parser resolves dot segments,
 * encoded ones too, so the result is what gets checked.
 */
export function backendPath(url: string): string | null {
  const { pathname, search } = new URL(url);
  const target = new URL(pathname + search, settings().backendUrl);
  const inside = target.origin === settings().backendUrl && target.pathname.startsWith('/api/');
  return inside ? target.pathname + target.search : null;
}

function passOn(answer: BackendAnswer, requestId: string): Response {
  const headers = headersForBrowser(answer.headers, requestId);
  if (answer.status === 204 || answer.status === 304) {
    answer.body.resume();
    return new Response(null, { status: answer.status, headers });
  }
  const body = Readable.toWeb(answer.body) as ReadableStream<Uint8Array>;
  return new Response(body, { status: answer.status, headers });
}

function explain(error: unknown, requestId: string): Response {
  if (error instanceof BodyTooLarge) return refuse(413, 'The request is too large.', requestId);
  if (!(error instanceof BackendFailure)) throw error;
  const { status, detail } = REASONS[error.kind];
  if (error.kind !== 'cancelled') {
    log('warn', 'backend call failed', {
      kind: error.kind,
      cause: causeOf(error.cause),
      request_id: requestId,
    });
  }
  return refuse(status, detail, requestId);
}

function causeOf(error: unknown): string {
  return (error as { code?: string } | null)?.code ?? (error instanceof Error ? error.name : 'unknown');
}

function refuse(status: number, detail: string, requestId: string): Response {
  return Response.json(
    { detail },
    { status, headers: { 'cache-control': 'no-store', 'x-request-id': requestId } },
  );
}
