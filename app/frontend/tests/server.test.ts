import { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { failureKind } from '@/server/backend';
import { BODY_MAX_BYTES, BodyTooLarge, declaresTooLarge, limitedBody } from '@/server/body-limit';
import { withSecondTry } from '@/server/connect';
import { backendPath } from '@/server/forward';
import { metrics } from '@/server/metrics';
import { handlerOf } from '@/server/observe-http';
import { headersForBackend, headersForBrowser, isSameOrigin, requestIdOf } from '@/server/proxy-headers';
import { notReadyReason, updateReadiness, waitsForBackend } from '@/server/readiness';
import { readSettings, SettingsError } from '@/server/settings';

const BACKEND_URL = 'http://backend:8000';

beforeEach(() => vi.stubEnv('BACKEND_URL', BACKEND_URL));
afterEach(() => vi.unstubAllEnvs());

test.each(['warn', 'WARNING'])('the level for warnings has the words of both services: %s', (word) => {
  expect(readSettings({ BACKEND_URL, LOG_LEVEL: word }).logLevel).toBe('warn');
});

test('settings have their defaults', () => {
  expect(readSettings({ BACKEND_URL })).toEqual({
    backendUrl: BACKEND_URL,
    apiToken: '',
    logLevel: 'info',
    port: 3000,
  });
  expect(readSettings({ BACKEND_URL: `${BACKEND_URL}/` }).backendUrl).toBe(BACKEND_URL);
});

test.each([
  [{}, 'BACKEND_URL is missing'],
  [{ BACKEND_URL: 'backend:8000' }, 'no http or https URL'],
  [{ BACKEND_URL: 'http://backend:8000/api' }, 'more than scheme, host and port'],
  [{ BACKEND_URL: 'http://me:pw@backend' }, 'user or password'],
  [{ BACKEND_URL, LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
  [{ BACKEND_URL, PORT: '70000' }, 'PORT'],
  [{ BACKEND_URL, API_TOKEN: 'two words' }, 'API_TOKEN'],
])('settings %j are refused: %s', (env, reason) => {
  expect(() => readSettings(env)).toThrow(reason);
});

test('every wrong setting is named at once, and no secret value is', () => {
  const read = () => readSettings({ API_TOKEN: 'hush hush', PORT: 'x' });
  expect(read).toThrow(SettingsError);
  expect(read).toThrow(/BACKEND_URL.*API_TOKEN.*PORT/);
  expect(read).not.toThrow(/hush/);
});

test('only listed headers of a request reach the backend', () => {
  const given = new Headers({
    accept: 'text/event-stream',
    'content-type': 'application/json',
    'idempotency-key': 'k',
    authorization: 'Bearer mine',
    cookie: 'a=b',
    connection: 'keep-alive',
    'x-forwarded-for': '10.0.0.1',
  });
  expect(headersForBackend(given, 'id')).toEqual({
    accept: 'text/event-stream',
    'content-type': 'application/json',
    'idempotency-key': 'k',
    'x-request-id': 'id',
  });
});

test('only listed headers of an answer reach the browser, and an event stream is not compressed', () => {
  const answer = {
    'content-type': 'text/event-stream; charset=utf-8',
    'set-cookie': ['a=b'],
    server: 'x',
    connection: 'close',
  };
  const passed = headersForBrowser(answer, 'id');
  expect([...passed.keys()].sort()).toEqual(['cache-control', 'content-type', 'x-request-id']);
  expect(passed.get('cache-control')).toContain('no-transform');
});

test('a request id is kept when it is one and made when it is not', () => {
  expect(requestIdOf(new Headers({ 'x-request-id': 'abc-1' }))).toBe('abc-1');
  expect(requestIdOf(new Headers({ 'x-request-id': 'a b\tc' }))).toMatch(/^[0-9a-f-]{36}$/);
});

test.each([
  [{ host: 'app:3000' }, true],
  [{ host: 'app:3000', origin: 'http://app:3000' }, true],
  [{ host: 'app', origin: 'https://app' }, true],
  [{ host: 'app:3000', origin: 'http://evil.example' }, false],
  [{ host: 'app:3000', origin: 'http://app:3001' }, false],
  [{ host: 'app:3000', origin: 'null' }, false],
  [{ host: 'app:3000', 'sec-fetch-site': 'cross-site' }, false],
  [{ host: 'app:3000', 'sec-fetch-site': 'same-site' }, false],
  [{ host: 'app:3000', 'sec-fetch-site': 'same-origin', origin: 'http://app:3000' }, true],
  // A proxy that drops the port, a tunnel that asks under its own name: the browser knows better.
  [{ host: 'app', 'sec-fetch-site': 'same-origin', origin: 'https://app:8443' }, true],
  [{ host: 'localhost:3000', 'sec-fetch-site': 'same-origin', origin: 'https://abc.tunnel.example' }, true],
  [{ host: 'app', 'sec-fetch-site': 'cross-site', origin: 'https://app' }, false],
  [{ host: 'app', 'sec-fetch-site': 'rubbish', origin: 'https://app' }, false],
  // A browser that does not say it, as on plain HTTP.
  [{ host: 'app', origin: 'http://app:8080' }, true],
  [{ host: 'app', origin: 'http://evil.example:8080' }, false],
  [{ host: 'app', origin: 'http://app.evil.example' }, false],
  [{ host: 'localhost:3000', 'x-forwarded-host': 'todo.example', origin: 'http://todo.example' }, true],
  [{ host: 'a', 'x-forwarded-host': 'todo.example, proxy.example', origin: 'http://todo.example:81' }, true],
  [{ host: 'a', 'x-forwarded-host': 'todo.example:8080', origin: 'http://todo.example:9090' }, false],
  [{ host: '[::1]:3000', origin: 'http://[::1]:3000' }, true],
  [{ host: '[::1]', origin: 'http://[::1]:3000' }, true],
  [{ host: '[::1]', origin: 'http://[::2]:3000' }, false],
  [{ host: 'app@evil.example', origin: 'http://app' }, false],
  [{ host: '', origin: 'http://app' }, false],
])('a request with %j is from this page: %s', (headers, expected) => {
  expect(isSameOrigin(new Headers(headers))).toBe(expected);
});

test('only paths below /api/ can be asked of the backend', () => {
  expect(backendPath('http://app/api/todos?q=a%20b')).toBe('/api/todos?q=a%20b');
  expect(backendPath('http://app/api/../mcp')).toBeNull();
  expect(backendPath('http://app/api/%2e%2e/mcp')).toBeNull();
  expect(backendPath('http://app//evil.example/api/todos')).toBeNull();
});

test('a body passes up to the limit and no further', async () => {
  const body = (bytes: number) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (let rest = bytes; rest > 0; rest -= 1024)
          controller.enqueue(new Uint8Array(Math.min(rest, 1024)));
        controller.close();
      },
    });
  const read = async (bytes: number) => {
    let total = 0;
    for await (const piece of limitedBody(body(bytes))) total += piece.byteLength;
    return total;
  };
  expect(await read(BODY_MAX_BYTES)).toBe(BODY_MAX_BYTES);
  await expect(read(BODY_MAX_BYTES + 1)).rejects.toThrow(BodyTooLarge);
  expect(declaresTooLarge(new Headers({ 'content-length': String(BODY_MAX_BYTES + 1) }))).toBe(true);
  expect(declaresTooLarge(new Headers())).toBe(false);
});

test('failures of a call are sorted by what they mean', () => {
  const coded = (code: string) => Object.assign(new Error(code), { code });
  expect(failureKind(coded('ECONNREFUSED'))).toBe('unreachable');
  expect(failureKind(coded('UND_ERR_CONNECT_TIMEOUT'))).toBe('unreachable');
  expect(failureKind(coded('UND_ERR_HEADERS_TIMEOUT'))).toBe('timeout');
  expect(failureKind(AbortSignal.timeout(0).reason ?? new DOMException('', 'TimeoutError'))).toBe('timeout');
  expect(failureKind(coded('UND_ERR_ABORTED'), AbortSignal.abort())).toBe('cancelled');
});

test('metrics labels are route templates and never what a person typed', () => {
  expect(handlerOf('/')).toBe('/');
  expect(handlerOf('/?q=secret')).toBe('/');
  expect(handlerOf('/api/chat')).toBe('/api/chat');
  expect(handlerOf('/api/todos?q=secret')).toBe('/api/todos');
  expect(handlerOf('/api/todos/123?q=secret')).toBe('/api/todos/{todo_id}');
  expect(handlerOf('/api/todos/123/complete')).toBe('/api/todos/{todo_id}/complete');
  expect(handlerOf('/api/todos/123/restore')).toBe('/api/todos/{todo_id}/restore');
  expect(handlerOf('/api/undo/123')).toBe('/api/undo/{change_id}');
  expect(handlerOf('/api/parse')).toBe('/api/parse');
  expect(handlerOf('/api/conversations/123/messages')).toBe('/api/conversations/{conversation_id}/messages');
  expect(handlerOf('/api/secret')).toBe('/api/{path}');
  expect(handlerOf('/api/chat/secret')).toBe('/api/{path}');
  expect(handlerOf('/_next/static/chunks/a.js')).toBe('/_next/static/{path}');
  expect(handlerOf('/secret')).toBe('other');
  for (const probe of ['/health', '/ready', '/ready?deep=1', '/metrics']) expect(handlerOf(probe)).toBeNull();
});

test('calls to the backend are counted from 0, however they may end', async () => {
  const { values } = await metrics().upstreamRequests.get();
  expect(values.map(({ labels, value }) => [labels.outcome, value])).toEqual([
    ['ok', 0],
    ['client_error', 0],
    ['server_error', 0],
    ['unreachable', 0],
    ['timeout', 0],
  ]);
});

test('readiness waits for the warm-up, follows the last call, and ends with the shutdown', () => {
  expect(notReadyReason()).toBe('starting');
  updateReadiness({ backendReached: false });
  expect(waitsForBackend()).toBe(false);
  updateReadiness({ warmed: true });
  expect(notReadyReason()).toMatch(/did not reach the backend/);
  expect(waitsForBackend()).toBe(true);
  updateReadiness({ backendReached: true });
  expect(notReadyReason()).toBeNull();
  updateReadiness({ stopping: true });
  expect(notReadyReason()).toBe('shutting down');
});

describe('a connection to the backend', () => {
  const options = { hostname: 'backend', protocol: 'http:', port: '8000' };
  const refused = new Error('connect ECONNREFUSED');

  /** Refuses as often as told, then connects. */
  function connecting(refusals: number) {
    const socket = new Socket();
    const connect = vi.fn<buildConnector.connector>((_options, done) => {
      if (connect.mock.calls.length <= refusals) done(refused, null);
      else done(null, socket);
    });
    const done = vi.fn();
    withSecondTry(connect)(options, done);
    return { tries: connect.mock.calls.length, outcome: done.mock.calls, socket };
  }

  test('is tried once when it is made', () => {
    const { tries, outcome, socket } = connecting(0);
    expect(tries).toBe(1);
    expect(outcome).toEqual([[null, socket]]);
  });

  test('is tried once more after a failure', () => {
    const { tries, outcome, socket } = connecting(1);
    expect(tries).toBe(2);
    expect(outcome).toEqual([[null, socket]]);
  });

  test('is given up after the second failure', () => {
    const { tries, outcome } = connecting(2);
    expect(tries).toBe(2);
    expect(outcome).toEqual([[refused, null]]);
  });
});
