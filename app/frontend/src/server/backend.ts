import { Readable } from 'node:stream';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';
import { BodyTooLarge } from './body-limit';
import { withSecondTry } from './connect';
import { metrics, type UpstreamOutcome } from './metrics';
import { perProcess } from './per-process';
import { updateReadiness } from './readiness';
import { settings } from './settings';

const CONNECT_MS = 2_000;
const BETWEEN_PIECES_MS = 60_000;

const pool = perProcess(
  'pool',
  () => new Agent({ connect: withSecondTry(buildConnector({ timeout: CONNECT_MS })) }),
);

export type FailureKind = 'unreachable' | 'timeout' | 'cancelled';

/** The backend gave no answer. `cancelled`: whoever asked went away first. */
export class BackendFailure extends Error {
  override name = 'BackendFailure';
  constructor(
    readonly kind: FailureKind,
    cause: unknown,
  ) {
    super(`The call to the backend ended as: ${kind}`, { cause });
  }
}

export interface BackendCall {
  method: Dispatcher.HttpMethod;
  /** Path and query string, from the first slash on. */
  path: string;
  headers?: Record<string, string>;
  body?: AsyncIterable<Uint8Array> | null;
  /** Ends the call when whoever asked goes away. */
  signal?: AbortSignal;
  /** How long the answer's headers may take, in milliseconds. */
  headersMs: number;
}

export interface BackendAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Readable;
}

const TIMEOUT_CODES = ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'];
const CLOSED_CODES = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'];

function codeOf(error: unknown): string {
  return (error as { code?: string } | null)?.code ?? '';
}

/** Sort what went wrong. A connection that is not made in time counts as unreachable. */
export function failureKind(error: unknown, signal?: AbortSignal): FailureKind {
  const name = error instanceof Error ? error.name : '';
  if (name === 'TimeoutError') return 'timeout';
  if (signal?.aborted) return 'cancelled';
  return TIMEOUT_CODES.includes(codeOf(error)) ? 'timeout' : 'unreachable';
}

/**
 * Send a request to the backend with the token, and note in the metrics and in the readiness how it went.
 * @returns the answer, whatever its status; its body must be read or destroyed
 * @throws BackendFailure when no answer came; BodyTooLarge when the request's own body is too long
 */
export async function callBackend(call: BackendCall): Promise<BackendAnswer> {
  const { backendUrl, apiToken } = settings();
  const stopClock = metrics().upstreamSeconds.startTimer();
  try {
    const answer = await send(new URL(call.path, backendUrl), {
      dispatcher: pool,
      method: call.method,
      headers: { ...call.headers, ...(apiToken && { authorization: `Bearer ${apiToken}` }) },
      body: call.body ? Readable.from(call.body) : null,
      signal: call.signal ?? null,
      headersTimeout: call.headersMs,
      bodyTimeout: BETWEEN_PIECES_MS,
    });
    stopClock();
    metrics().upstreamRequests.inc({ outcome: outcomeOf(answer.statusCode) });
    updateReadiness({ backendReached: true });
    answer.body.once('error', (error) => noteBrokenBody(error, call.signal));
    return { status: answer.statusCode, headers: answer.headers, body: answer.body };
  } catch (error) {
    if (error instanceof BodyTooLarge) throw error;
    const kind = failureKind(error, call.signal);
    if (kind !== 'cancelled') {
      stopClock();
      metrics().upstreamRequests.inc({ outcome: kind });
      updateReadiness({ backendReached: false });
    }
    throw new BackendFailure(kind, error);
  }
}

type RequestOptions = NonNullable<Parameters<typeof request>[1]>;

/**
 * Send a request. When the connection was closed without an answer, as one kept from an earlier request is whose
 * server has gone, a read is sent once more, as RFC 9110 section 9.2.2 allows; what changes something is not.
 */
async function send(target: URL, options: RequestOptions): Promise<Dispatcher.ResponseData<unknown>> {
  try {
    return await request(target, options);
  } catch (error) {
    const isRead = options.method === 'GET' || options.method === 'HEAD';
    if (!isRead || !CLOSED_CODES.includes(codeOf(error))) throw error;
    return await request(target, options);
  }
}

function outcomeOf(status: number): UpstreamOutcome {
  if (status >= 500) return 'server_error';
  return status >= 400 ? 'client_error' : 'ok';
}

function noteBrokenBody(error: unknown, signal?: AbortSignal): void {
  if (failureKind(error, signal) === 'unreachable') updateReadiness({ backendReached: false });
}

/**
 * Ask the backend for JSON on behalf of the page's first rendering.
 * @throws BackendFailure when no answer came; BackendRefusal when it is no success
 */
export async function readFromBackend<T>(path: string, withinMs: number): Promise<T> {
  const answer = await callBackend({
    method: 'GET',
    path,
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(withinMs),
    headersMs: withinMs,
  });
  const text = await bodyText(answer);
  if (answer.status !== 200) throw new BackendRefusal(answer.status);
  return JSON.parse(text) as T;
}

/** The backend answered with a status that is no success. */
export class BackendRefusal extends Error {
  override name = 'BackendRefusal';
  constructor(readonly status: number) {
    super(`The backend answered ${status}`);
  }
}

async function bodyText(answer: BackendAnswer): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of answer.body) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

/**
 * Whether the backend answers a probe of its own. Not counted as a call: it says nothing of real use.
 * @param path `/health` (touches no database) or `/ready?deep=1`
 */
export async function backendAnswersProbe(path: string, withinMs: number): Promise<boolean> {
  try {
    const answer = await request(new URL(path, settings().backendUrl), {
      dispatcher: pool,
      signal: AbortSignal.timeout(withinMs),
    });
    await answer.body.dump();
    return answer.statusCode === 200;
  } catch {
    return false;
  }
}
