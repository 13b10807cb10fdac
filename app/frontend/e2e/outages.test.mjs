/** What stands between the page and its data: outages, no network, proxies. */
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import {
  add,
  allSaved,
  api,
  check,
  create,
  isDone,
  journey,
  newVisitor,
  openTab,
  row,
  say,
  stack,
  visit,
} from './page.mjs';

journey(
  'with the backend killed changes are taken back and said, and all is well again by itself when it is back',
  async () => {
    await create({ title: 'Untouched' });
    await create({ title: 'Survives' });
    const page = await visit();
    await stack.backend.stop('SIGKILL');
    await check(page, 'Survives');
    await page.getByText(/could not be completed/).waitFor();
    await page.locator('.todo[data-done="false"]', { hasText: 'Survives' }).waitFor();
    await page.locator('.connection', { hasText: 'The todo service is not reachable. Retrying' }).waitFor();
    await page.getByLabel('New todo').fill('Kept in the box');
    await page.keyboard.press('Enter');
    await page.getByText(/was not added/).waitFor();
    assert.equal(await page.getByLabel('New todo').inputValue(), 'Kept in the box');
    await page.getByLabel('Message to the assistant').fill('a lost message');
    await page.keyboard.press('Enter');
    await page.locator('.composer .form-error').waitFor();
    assert.equal(await page.getByLabel('Message to the assistant').inputValue(), 'a lost message');

    assert.equal((await fetch(`${stack.url}/ready`)).status, 503);
    assert.equal((await fetch(`${stack.url}/health`)).status, 200);
    const refused = await fetch(`${stack.url}/api/todos`);
    assert.equal(refused.status, 502);
    assert.match((await refused.json()).detail, /cannot be reached/);
    const late = await visit();
    await late.getByText('Your todos are not here yet').waitFor();

    await stack.restoreBackend();
    await late.locator('.todo', { hasText: 'Untouched' }).waitFor({ timeout: 60_000 });
    await late.getByText('Built-in assistant').waitFor();
    await page.locator('.connection p').waitFor({ state: 'detached', timeout: 60_000 });
    // What waited for the connection is done, and nothing is said of the outage any more.
    await page.locator('.todo[data-done="false"]', { hasText: 'Survives' }).waitFor({ state: 'detached' });
    await allSaved(page);
    assert.equal((await api('/api/todos?state=done')).total, 1);
    assert.equal(await page.locator('.notice, .form-error').count(), 0);
    await page.getByLabel('New todo').press('Enter');
    await row(page, 'Kept in the box').waitFor();
    await allSaved(page);
    assert.equal((await fetch(`${stack.url}/ready?deep=1`)).status, 200);
    assert.equal((await api('/api/todos')).total, 3);
  },
);

journey(
  'without a network the page says so, takes changes back, and goes on when the network is back',
  async () => {
    await create({ title: 'At home' });
    const page = await visit();
    await page.context().setOffline(true);
    await page.getByText('You are offline').first().waitFor();
    await check(page, 'At home');
    await page.getByText(/could not be completed/).waitFor();
    await page.locator('.todo[data-done="false"]').waitFor();
    await create({ title: 'From elsewhere' });
    await page.context().setOffline(false);
    await row(page, 'From elsewhere').waitFor();
    await isDone(page, 'At home');
    await page.getByText('What you see may be old').waitFor({ state: 'detached' });
  },
);

/** A reverse proxy that tells the server its own name, without the port. @param {(url: string) => Promise<void>} body */
async function behindProxy(body) {
  const target = new URL(stack.url);
  const proxy = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, host: target.hostname };
    const options = {
      host: target.hostname,
      port: target.port,
      path: incoming.url,
      method: incoming.method,
      headers,
    };
    const passed = request(options, (answered) => {
      outgoing.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(outgoing);
    });
    passed.once('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', () => done(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (proxy.address());
  try {
    await body(`http://localhost:${port}`);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
}

journey('the page works behind a proxy that changes the host', async () => {
  await behindProxy(async (url) => {
    const page = await openTab(await newVisitor(), '/', url);
    await add(page, 'Through the proxy');
    assert.match(await say(page, "what's left?"), /Through the proxy/);
  });
});
