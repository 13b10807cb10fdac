/** The built server against a backend that a test can make slow, silent or rude. Needs neither browser nor database. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, get as httpGet, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, freePort, Service } from './stack.mjs';

const options = { timeout: 120_000 };
const TOKEN = 'a-token-that-only-servers-know';
const folder = mkdtempSync(join(tmpdir(), 'todo-server-test-'));

/** @type {import('node:http').IncomingMessage[]} what the backend was asked */
let asked = [];
/** @type {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => void} */
let reply = replyAsUsual;
let backendPort = 0;
let url = '';
/** @type {import('node:http').Server} */
let backend;
/** @type {Service} */
let frontend;

/** @type {typeof reply} */
function replyAsUsual(request, response) {
  response.setHeader('content-type', 'application/json');
  if (request.url === '/api/info') response.end('{"version":"1","assistant":"rules","model":null}');
  else response.end('{"items":[],"total":0}');
}

before(async () => {
  backend = createServer((request, response) => {
    asked.push(request);
    reply(request, response);
  });
  backendPort = await freePort();
  await new Promise((done) => backend.listen(backendPort, '127.0.0.1', () => done(null)));
  await startFrontend();
});

after(async () => {
  await frontend?.stop();
  backend.closeAllConnections();
  backend.close();
  rmSync(folder, { recursive: true, force: true });
});

async function startFrontend() {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  frontend = new Service('frontend', [process.execPath, '.next/standalone/start.mjs'], {
    env: {
      BACKEND_URL: `http://127.0.0.1:${backendPort}`,
      API_TOKEN: TOKEN,
      PORT: String(port),
      HOSTNAME: '127.0.0.1',
    },
    folder,
  });
  frontend.start();
  await answers(`${url}/ready`);
}

/** Sends SIGTERM; `exited` is the exit code to come. */
function endFrontend() {
  const child = /** @type {import('node:child_process').ChildProcess} */ (frontend.child);
  const exited = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  return { exited };
}

/**
 * @param {string} name
 * @param {() => Promise<void>} body
 */
function check(name, body) {
  test(name, options, async () => {
    asked = [];
    reply = replyAsUsual;
    await body();
  });
}

/** @param {RequestInit} [init] */
const chat = (init = {}) =>
  fetch(`${url}/api/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...init.headers },
    body: '{"message":"hello"}',
    ...init,
  });

/** Answers with one event at once and the last when `finish` is called. */
function slowStream() {
  let finish = () => {};
  const finished = new Promise((done) => {
    finish = () => done(null);
  });
  reply = (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: delta\ndata: {"text":"one"}\n\n');
    void finished.then(() => response.end('event: done\ndata: {}\n\n'));
  };
  return finish;
}

check('the backend gets the token and none of the browser’s credentials', async () => {
  await fetch(`${url}/api/todos?q=a%20b%2Bc`, {
    headers: { authorization: 'Bearer mine', cookie: 'a=b', 'x-custom': '1' },
  });
  const [request] = asked;
  assert.equal(new URL(request?.url ?? '', url).searchParams.get('q'), 'a b+c');
  assert.equal(request?.headers.authorization, `Bearer ${TOKEN}`);
  assert.equal(request?.headers.cookie, undefined);
  assert.equal(request?.headers['x-custom'], undefined);
  assert.match(request?.headers['x-request-id']?.toString() ?? '', /^[0-9a-f-]{36}$/);
});

check('an answer is passed on with its status, and without headers that are the backend’s own', async () => {
  reply = (_request, response) => {
    response.writeHead(409, {
      'content-type': 'application/json',
      'set-cookie': 'a=b',
      server: 'secret',
      'retry-after': '3',
    });
    response.end('{"detail":"stale","current":{}}');
  };
  const response = await fetch(`${url}/api/todos/1`, { method: 'PATCH', body: '{}' });
  assert.equal(response.status, 409);
  assert.deepEqual(await response.json(), { detail: 'stale', current: {} });
  assert.equal(response.headers.get('retry-after'), '3');
  for (const name of ['set-cookie', 'server']) assert.equal(response.headers.get(name), null);
  assert.equal(response.headers.get('cache-control'), 'no-store');
});

check('a stream reaches the browser piece by piece, uncompressed', async () => {
  const finish = slowStream();
  const response = await chat({ headers: { 'accept-encoding': 'gzip' } });
  assert.equal(response.headers.get('content-encoding'), null);
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const first = await reader.read();
  assert.match(new TextDecoder().decode(first.value), /one/);
  finish();
  let rest = '';
  for (let next = await reader.read(); !next.done; next = await reader.read())
    rest += new TextDecoder().decode(next.value);
  assert.match(rest, /event: done/);
});

check('a browser that goes away ends the backend’s call', async () => {
  slowStream();
  const controller = new AbortController();
  await chat({ signal: controller.signal });
  const closed = new Promise((done) => asked[0]?.socket.once('close', () => done(true)));
  controller.abort();
  assert.equal(await Promise.race([closed, sleep(20_000, false)]), true);
  assert.equal((await fetch(`${url}/ready`)).status, 200);
});

check('a stream that the backend breaks off breaks off in the browser too', async () => {
  reply = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: delta\ndata: {"text":"one"}\n\n', () => response.destroy());
  };
  const response = await chat();
  await assert.rejects(response.text());
});

check('posts from other sites are refused before the backend hears of them', async () => {
  for (const headers of /** @type {Record<string, string>[]} */ ([
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
  ])) {
    assert.equal((await chat({ headers })).status, 403);
  }
  assert.equal(asked.length, 0);
  assert.equal((await chat({ headers: { origin: url } })).status, 200);
  const proxied = { origin: 'https://todo.example:8443', 'sec-fetch-site': 'same-origin' };
  assert.equal((await chat({ headers: proxied })).status, 200);
});

/**
 * What stands in front of the page, and the headers that it makes of a browser’s.
 * @type {Record<string, (host: string) => Record<string, string>>}
 */
const IN_FRONT = {
  'a reverse proxy that drops the port': (host) => ({ host: host.replace(/:\d+$/, '') }),
  'a tunnel that tells the host': (host) => ({ host: 'localhost:3000', 'x-forwarded-host': host }),
};

for (const [name, rewrite] of Object.entries(IN_FRONT)) {
  check(`${name} lets the page's changes through, and no other site's`, async () => {
    const front = createServer((request, response) => {
      const headers = { ...request.headers, ...rewrite(request.headers.host ?? '') };
      const onward = httpRequest(url + request.url, { method: request.method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 0);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    const port = await freePort();
    await new Promise((done) => front.listen(port, '127.0.0.1', () => done(null)));
    /** @param {Record<string, string>} headers */
    const change = (headers) =>
      fetch(`http://127.0.0.1:${port}/api/todos`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{"title":"milk"}',
      });
    try {
      // Browsers leave Sec-Fetch-Site out on plain HTTP beyond localhost.
      assert.equal((await change({ origin: `http://127.0.0.1:${port}` })).status, 200);
      assert.equal(
        (await change({ origin: 'https://t.example', 'sec-fetch-site': 'same-origin' })).status,
        200,
      );
      assert.equal((await change({ origin: 'http://evil.example' })).status, 403);
      assert.equal(
        (await change({ origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'cross-site' })).status,
        403,
      );
    } finally {
      front.closeAllConnections();
      front.close();
    }
  });
}

check(
  'a body that is too long is refused, whether it says its length or not, and the process stays ready',
  async () => {
    const body = 'x'.repeat(1024 * 1024);
    assert.equal((await chat({ body })).status, 413);
    const pieces = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(16 * 1024));
      },
    });
    const streamed = await chat(/** @type {RequestInit} */ ({ body: pieces, duplex: 'half' })).catch(
      () => null,
    );
    // The server may end the connection before the sender has finished.
    if (streamed) assert.equal(streamed.status, 413);
    assert.equal((await fetch(`${url}/ready`)).status, 200);
  },
);

check('paths outside /api/ of the backend cannot be reached', async () => {
  for (const path of ['/api/%2e%2e/mcp', '/api/..%2fmcp', '/mcp', '/api/../metrics/x']) {
    await fetch(url + path);
  }
  assert.deepEqual(
    asked.map(({ url: path }) => path).filter((path) => !path?.startsWith('/api/')),
    [],
  );
});

check('a backend that answers rubbish breaks neither the page nor the proxy', async () => {
  reply = (_request, response) => response.end('<html>not json');
  const page = await fetch(url);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /Your todos are not here yet/);
  assert.equal((await fetch(`${url}/api/todos`)).status, 200);
});

check('a wrong token is said on the page', async () => {
  reply = (_request, response) => {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end('{"detail":"no"}');
  };
  assert.match(await (await fetch(url)).text(), /refuses the token/);
});

check('a backend that is slow does not hold the page back', async () => {
  reply = () => {};
  const started = Date.now();
  const page = await fetch(url);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /Loading todos/);
  assert.ok(Date.now() - started < 15_000);
  backend.closeAllConnections();
});

check('probes are not counted, and no label holds what a person typed', async () => {
  await fetch(`${url}/api/todos?q=private`);
  for (const path of ['/health', '/ready', '/metrics', '/private']) await fetch(url + path);
  const text = await (await fetch(`${url}/metrics`)).text();
  assert.match(text, /http_requests_total\{method="GET",handler="\/api\/\{path\}",status="2xx"\} \d+/);
  assert.match(text, /todo_upstream_requests_total\{outcome="ok"\} \d+/);
  assert.match(text, /todo_ready 1/);
  assert.match(text, /todo_build_info\{version="[\d.]+"\} 1/);
  assert.doesNotMatch(text, /private|handler="\/(health|ready|metrics)"/);
});

check('the log is JSON lines without token, path or text', async () => {
  await fetch(`${url}/api/todos?q=private`);
  const lines = frontend.log().trim().split('\n');
  for (const line of lines) assert.ok(JSON.parse(line).message, line);
  assert.doesNotMatch(frontend.log(), new RegExp(`private|${TOKEN}`));
});

check('without a backend: 502, not ready, alive; ready again when a probe finds it back', async () => {
  backend.closeAllConnections();
  await new Promise((done) => backend.close(done));
  const response = await fetch(`${url}/api/todos`);
  assert.equal(response.status, 502);
  assert.match((await response.json()).detail, /cannot be reached/);
  const ready = await fetch(`${url}/ready`);
  assert.equal(ready.status, 503);
  assert.match((await ready.json()).reason, /did not reach the backend/);
  assert.equal((await fetch(`${url}/health`)).status, 200);
  assert.match(await (await fetch(`${url}/metrics`)).text(), /todo_ready 0/);

  await new Promise((done) => backend.listen(backendPort, '127.0.0.1', () => done(null)));
  assert.equal((await fetch(`${url}/ready`)).status, 200);
  assert.deepEqual(
    asked.map(({ url: path }) => path),
    ['/health'],
  );
});

check('while all is well a probe asks the backend nothing; a deep one asks whether it is ready', async () => {
  for (let probe = 0; probe < 3; probe += 1) await fetch(`${url}/ready`);
  assert.equal(asked.length, 0);
  reply = (_request, response) => {
    response.statusCode = 503;
    response.end('{}');
  };
  assert.equal((await fetch(`${url}/ready?deep=1`)).status, 503);
  assert.deepEqual(
    asked.map(({ url: path }) => path),
    ['/ready?deep=1'],
  );
});

check('a read whose connection was closed is sent once more; what changes something is not', async () => {
  reply = (request, response) => {
    if (asked.length === 1) request.socket.destroy();
    else replyAsUsual(request, response);
  };
  assert.equal((await fetch(`${url}/api/todos`)).status, 200);
  assert.equal(asked.length, 2);
  asked = [];
  assert.equal((await chat()).status, 502);
  assert.equal(asked.length, 1);
});

check('a read is sent no more than twice', async () => {
  reply = (request) => request.socket.destroy();
  assert.equal((await fetch(`${url}/api/todos`)).status, 502);
  assert.equal(asked.length, 2);
});

check('after SIGTERM a request on a kept connection is answered and the connection given back', async () => {
  const agent = new Agent({ keepAlive: true });
  /** @returns {Promise<import('node:http').IncomingMessage>} */
  const list = () =>
    new Promise((done, fail) => {
      httpGet(`${url}/api/todos`, { agent }, (answer) =>
        answer.resume().once('end', () => done(answer)),
      ).once('error', fail);
    });
  assert.equal((await list()).headers.connection, 'keep-alive');
  const { exited } = endFrontend();
  await sleep(500);
  const answer = await list();
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers.connection, 'close');
  assert.equal(await exited, 0);
  await startFrontend();
});

check(
  'after SIGTERM a running answer is finished, /ready says 503, and the process ends with 0',
  async () => {
    const finish = slowStream();
    const response = await chat();
    const { exited } = endFrontend();
    await sleep(500);
    const ready = await new Promise((done) => httpGet(`${url}/ready`, (answer) => done(answer.statusCode)));
    assert.equal(ready, 503);
    finish();
    assert.match(await response.text(), /event: done/);
    assert.equal(await exited, 0);
  },
);

check('wrong settings end the process with 2 and one line', async () => {
  const broken = new Service('broken', [process.execPath, '.next/standalone/start.mjs'], {
    env: { PORT: String(await freePort()), HOSTNAME: '127.0.0.1' },
    folder,
  });
  broken.start();
  const child = /** @type {import('node:child_process').ChildProcess} */ (broken.child);
  assert.equal(await new Promise((done) => child.once('exit', done)), 2);
  assert.match(broken.log().trim(), /^Wrong settings: BACKEND_URL is missing[^\n]*$/);
});
