import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { missingPart, startBrowser, startStack } from './stack.mjs';

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
const WAIT = { timeout: 30_000 };
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** When set, the run writes pictures of the page into `docs/images`. */
const TAKE_PICTURES = process.env.E2E_SCREENSHOTS === '1';

const missing = missingPart();
if (missing) process.stderr.write(`\nSKIPPED: the end-to-end tests did not run. ${missing}.\n\n`);
const options = { skip: missing ?? false, timeout: 180_000 };

/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {string[]} what no page may do: break, violate its policy, or ask another host */
let offences = [];

before(async () => {
  if (missing) return;
  stack = await startStack();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

/**
 * Open the page as a new visitor.
 * @param {import('playwright-core').BrowserContextOptions} [as]
 */
async function visit(as = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, ...as });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT.timeout);
  page.on('pageerror', (error) => offences.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (/Content Security Policy|hydrat/i.test(message.text())) offences.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(stack.url)) offences.push(`asked: ${request.url()}`);
  });
  await page.goto(stack.url);
  // The page has been taken over by its scripts once its box works.
  await page.waitForFunction(() =>
    Object.keys(document.querySelector('.add') ?? {}).some((k) => k.startsWith('__react')),
  );
  return page;
}

/**
 * Run a test with a clean list and check afterwards that no page did what it must not do.
 * @param {string} name
 * @param {() => Promise<void>} body
 */
function journey(name, body) {
  test(name, options, async () => {
    offences = [];
    stack.sql('TRUNCATE todos');
    try {
      await body();
    } finally {
      for (const context of browser.contexts()) await context.close();
      await stack.restoreBackend();
    }
    assert.deepEqual(offences, []);
  });
}

/**
 * Call the backend as its own client.
 * @param {string} path
 * @param {RequestInit} [init]
 */
async function api(path, init = {}) {
  const headers = { authorization: `Bearer ${stack.token}`, 'content-type': 'application/json' };
  const response = await fetch(stack.backendUrl + path, { ...init, headers });
  return response.status === 204 ? null : response.json();
}

/** @param {object} fields */
const create = (fields) => api('/api/todos', { method: 'POST', body: JSON.stringify(fields) });

/** @typedef {import('playwright-core').Page} Page */

/** @param {Page} page @param {string} title */
const row = (page, title) => page.locator('.todo', { hasText: title });

/** Several may be on their way at once. @param {Page} page */
const allSaved = (page) =>
  page.waitForFunction(() => document.querySelector('.todo[data-saving="true"]') === null, null, WAIT);

/** @param {Page} page @param {string} title */
async function add(page, title) {
  await page.getByLabel('New todo').fill(title);
  await page.keyboard.press('Enter');
  await row(page, title).waitFor(WAIT);
  await allSaved(page);
}

/** @param {Page} page @param {string} message */
async function say(page, message) {
  const answersBefore = await page.locator('.entry-assistant').count();
  await page.getByLabel('Message to the assistant').fill(message);
  await page.keyboard.press('Enter');
  await page.locator('.entry-assistant').nth(answersBefore).waitFor(WAIT);
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor(WAIT);
  return page.locator('.entry-assistant').nth(answersBefore).innerText();
}

/** @param {Page} page @param {string} title */
const check = (page, title) => row(page, title).getByRole('checkbox').click();

/** @param {Page} page @param {string} title */
const isDone = (page, title) => page.locator('.todo[data-done="true"]', { hasText: title }).waitFor(WAIT);

journey('the server sends the todos with the page, and never the token', async () => {
  await create({ title: 'Sent with the page' });
  const response = await fetch(stack.url);
  const html = await response.text();
  assert.match(html, /Sent with the page/);
  assert.ok(!html.includes(stack.token));
  const policy = response.headers.get('content-security-policy') ?? '';
  assert.match(policy, /script-src 'nonce-[^']+' 'strict-dynamic'/);
  assert.ok(!policy.includes('unsafe'));
  const second = await fetch(stack.url);
  assert.notEqual(second.headers.get('content-security-policy'), policy);
});

journey('a todo that is added is there after a reload', async () => {
  const page = await visit();
  await page.getByText('Nothing to do').waitFor();
  await add(page, 'Book the dentist');
  await page.reload();
  await row(page, 'Book the dentist').waitFor();
  assert.equal((await api('/api/todos')).total, 1);
});

journey(
  'what is said to the assistant changes the list at once, and the conversation survives a reload',
  async () => {
    const page = await visit();
    await page.getByText('Built-in rules').waitFor();
    const answer = await say(page, 'add buy milk tomorrow, high');
    assert.match(answer, /buy milk/);
    const milk = row(page, 'buy milk');
    await milk.waitFor();
    assert.match(await milk.innerText(), /High\s+Tomorrow/);
    assert.match(await say(page, "what's left?"), /buy milk/);
    await say(page, 'done with milk');
    await milk.waitFor({ state: 'detached' });
    assert.equal((await api('/api/todos?state=done')).total, 1);
    await page.reload();
    await page.getByText('add buy milk tomorrow, high').waitFor();
    assert.equal(await page.locator('.entry-user').count(), 3);
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.reload();
    await page.getByText('Say what is to be done').waitFor();
  },
);

journey('what is changed by hand is told in the conversation, and the assistant knows it', async () => {
  const page = await visit();
  await add(page, 'Water the plants');
  await page.locator('.entry-activity', { hasText: 'Water the plants' }).waitFor();
  await check(page, 'Water the plants');
  await isDone(page, 'Water the plants');
  await page.locator('.entry-activity', { hasText: 'You completed' }).waitFor();
  assert.doesNotMatch(await say(page, "what's left?"), /Water the plants/);
});

journey('completing is kept over a reload and can be taken back', async () => {
  await create({ title: 'Water the plants' });
  const page = await visit();
  await page.getByText('1 open').waitFor();
  await check(page, 'Water the plants');
  await page.getByText('0 open').waitFor();
  await page.locator('.todo[data-saving="false"]').waitFor();
  await page.reload();
  await page.getByText('Nothing to do').waitFor();
  await page.getByText('Done', { exact: true }).click();
  await check(page, 'Water the plants');
  await page.locator('.todo[data-done="false"][data-saving="false"]').waitFor();
  assert.equal((await api('/api/todos?state=open')).total, 1);
});

journey('a todo is edited, found, deleted and brought back', async () => {
  const page = await visit();
  await add(page, 'Call Ana');
  await add(page, 'Call Bert');
  await page.getByRole('button', { name: /Edit .*Bert/ }).click();
  await page.getByLabel('Title').fill('Call Bertha');
  await page.locator('.edit').getByLabel('Due').fill('2030-12-03');
  await page.locator('.edit').getByLabel('Tags').fill('Family, phone');
  await page.keyboard.press('Enter');
  await row(page, 'Call Bertha').getByText('phone').waitFor();
  await allSaved(page);
  await page.getByLabel('Search todos').fill('family');
  await page.getByText('1 found').waitFor();
  assert.equal(await page.locator('.todo').count(), 1);
  await page.getByLabel('Search todos').fill('nowhere');
  await page.getByText('Nothing found').waitFor();
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await row(page, 'Call Ana').waitFor();
  await row(page, 'Call Bertha').hover();
  await page.getByRole('button', { name: /Delete .*Bertha/ }).click();
  await row(page, 'Call Bertha').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await row(page, 'Call Bertha').getByText('phone').waitFor();
  await allSaved(page);
  assert.equal((await api('/api/todos')).total, 2);
});

journey('two browsers at once: nothing is overwritten, and the second sees what changed', async () => {
  await create({ title: 'Shared' });
  const [one, two] = [await visit(), await visit()];
  for (const page of [one, two]) {
    await row(page, 'Shared').hover();
    await page.getByRole('button', { name: /Edit .*Shared/ }).click();
  }
  await one.locator('.edit').getByLabel('Due').fill('2030-12-03');
  await one.keyboard.press('Enter');
  await row(one, 'Shared').getByText('3 Dec 2030').waitFor();

  await two.getByLabel('Title').fill('Shared by two');
  await two.keyboard.press('Enter');
  const conflict = two.locator('.conflict');
  await conflict.getByText('2030-12-03').waitFor();
  assert.equal(await two.getByLabel('Title').inputValue(), 'Shared by two');
  assert.equal((await api('/api/todos')).items[0].title, 'Shared');
  await two.getByRole('button', { name: 'Save mine' }).click();
  await row(two, 'Shared by two').getByText('3 Dec 2030').waitFor();
  await allSaved(two);
  await one.evaluate(() => window.dispatchEvent(new Event('focus')));
  await row(one, 'Shared by two').waitFor();
  const { items } = await api('/api/todos');
  assert.deepEqual([items[0].title, items[0].due_date], ['Shared by two', '2030-12-03']);
});

journey(
  'with the backend killed changes are taken back and said, and all is well again by itself when it is back',
  async () => {
    await create({ title: 'Survives' });
    const page = await visit();
    await stack.backend.stop('SIGKILL');
    await check(page, 'Survives');
    await page.getByText(/could not be completed/).waitFor();
    await page.locator('.todo[data-done="false"]').waitFor();
    await page.getByText('The todo service cannot be reached. Trying again').waitFor();
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
    await late.locator('.todo', { hasText: 'Survives' }).waitFor({ timeout: 60_000 });
    await late.getByText('Built-in rules').waitFor();
    await page.getByText('Trying again').waitFor({ state: 'detached', timeout: 60_000 });
    await page.getByLabel('New todo').press('Enter');
    await row(page, 'Kept in the box').waitFor();
    await allSaved(page);
    assert.equal((await fetch(`${stack.url}/ready?deep=1`)).status, 200);
    assert.equal((await api('/api/todos')).total, 2);
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
    await page.getByText('What you see may be old').waitFor({ state: 'detached' });
  },
);

journey('the keyboard alone adds, completes, edits and deletes, and the focus is never lost', async () => {
  const page = await visit();
  const focused = () =>
    page.evaluate(
      () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.tagName,
    );
  const press = async (/** @type {string[]} */ ...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Go to the todos');
  await press('Enter', 'Tab');
  assert.equal(await focused(), 'New todo');
  for (const title of ['First', 'Second']) {
    await page.keyboard.type(title);
    await press('Enter');
    await row(page, title).waitFor();
  }
  await allSaved(page);
  await page.locator('.check').first().focus();
  await press('Space');
  await isDone(page, 'Second');
  await press('Tab');
  assert.match((await focused()) ?? '', /Edit .*Second/);
  await press('Enter');
  await page.getByLabel('Title').waitFor();
  await press('Escape');
  await page.waitForFunction(() =>
    /Edit .*Second/.test(document.activeElement?.getAttribute('aria-label') ?? ''),
  );
  await press('Tab', 'Enter');
  await row(page, 'Second').waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement?.closest('.todo')?.textContent?.includes('First'));
});

journey('10,000 todos: the first show at once, more come on demand, and none is lost', async () => {
  stack.sql(
    `INSERT INTO todos (id, title, priority, tags)
     SELECT gen_random_uuid(), 'Todo number ' || n, 2, '{}' FROM generate_series(0, 9999) AS n`,
  );
  const page = await visit();
  await page.getByText('10,000 open').waitFor();
  assert.equal(await page.locator('.todo').count(), 50);
  await page.getByRole('button', { name: 'Show 50 more' }).click();
  await page.locator('.todo').nth(99).waitFor();
  await page.getByLabel('Search todos').fill('number 4321');
  await page.getByText('1 found').waitFor();
});

journey('emoji, right-to-left text and HTML are shown as they were written', async () => {
  const page = await visit();
  const titles = [
    '🌿 plants 👩‍👩‍👧',
    'اشترِ الحليب',
    '<b onclick="alert(1)">bold</b>',
    "'; DROP TABLE todos; --",
  ];
  for (const title of titles) await add(page, title);
  await page.reload();
  assert.deepEqual(await page.locator('.todo-title').allInnerTexts(), titles.toReversed());
  assert.equal(await page.locator('.todo b').count(), 0);
});

journey('nothing jumps while the page loads and while it is used', async () => {
  for (const title of ['One', 'Two', 'Three'])
    await create({ title, due_date: '2030-12-03', tags: ['home'] });
  const context = await browser.newContext({ viewport: DESKTOP });
  const page = await context.newPage();
  await page.addInitScript(() => {
    Object.assign(window, { shifts: 0 });
    new PerformanceObserver((list) => {
      for (const entry of /** @type {any} */ (list.getEntries())) {
        if (!entry.hadRecentInput) /** @type {any} */ (window).shifts += entry.value;
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(stack.url);
  await row(page, 'One').waitFor();
  await sleep(1000);
  await page.evaluate(() => window.dispatchEvent(new Event('focus')));
  await check(page, 'Two');
  await isDone(page, 'Two');
  await sleep(1000);
  const shifts = await page.evaluate(() => /** @type {any} */ (window).shifts);
  assert.ok(shifts < 0.01, `cumulative layout shift is ${shifts}`);
});

journey(
  'a narrow phone shows one pane at a time, never wider than itself, and tells of a new answer',
  async () => {
    await create({
      title: 'A very long title that has to be broken into lines: '.repeat(3),
      tags: ['x'.repeat(40)],
    });
    const page = await visit({ viewport: PHONE, hasTouch: true });
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
    assert.equal(await page.locator('.chat').isVisible(), false);
    assert.ok(await fits());
    await page.getByRole('button', { name: 'Assistant' }).click();
    assert.equal(await page.locator('.todos').isVisible(), false);
    assert.ok(await fits());
    // The answer has to come after the person has turned away.
    await page.route('**/api/chat', async (route) => {
      await sleep(1000);
      await route.continue();
    });
    await page.getByLabel('Message to the assistant').fill('add buy milk');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Todos' }).click();
    await row(page, 'buy milk').waitFor();
    await page.getByRole('button', { name: 'Assistant (new answer)' }).waitFor();
  },
);

for (const [device, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    journey(`axe finds nothing serious on a ${device} in the ${colorScheme}`, async () => {
      await create({ title: 'Pay the rent', due_date: '2020-01-01', priority: 'high', tags: ['home'] });
      await create({ title: 'Sort photos', priority: 'low' });
      const page = await visit({ viewport, colorScheme, reducedMotion: 'reduce' });
      const open = async (/** @type {string} */ pane) => {
        if (device === 'phone') await page.getByRole('button', { name: pane }).click();
      };
      const inspect = async (/** @type {string} */ view) => {
        // Evaluated by the debugger, so that the page's policy stays as it is.
        await page.evaluate(AXE);
        const { violations } = await page.evaluate(() => /** @type {any} */ (window).axe.run());
        const serious = violations.filter((/** @type {any} */ v) =>
          ['serious', 'critical'].includes(v.impact),
        );
        const found = serious.map(
          (/** @type {any} */ v) => `${v.id}: ${v.nodes.map((/** @type {any} */ n) => n.html).join(' ')}`,
        );
        assert.deepEqual(found, [], view);
      };
      await open('Assistant');
      await inspect('empty conversation');
      await say(page, 'add buy milk tomorrow');
      await inspect('conversation');
      await open('Todos');
      await check(page, 'Sort photos');
      await isDone(page, 'Sort photos');
      await page.getByLabel('Date, priority and tags').click();
      await row(page, 'Pay the rent').hover();
      await page.getByRole('button', { name: /Edit .*rent/ }).click();
      await inspect('list with forms');
      await page.keyboard.press('Escape');
      await row(page, 'buy milk').hover();
      await page.getByRole('button', { name: /Delete .*milk/ }).click();
      await page.locator('.notice').waitFor();
      await inspect('notice');
      await page.getByLabel('Search todos').fill('nowhere');
      await page.getByText('Nothing found').waitFor();
      await inspect('nothing found');
    });
  }
}

test('pictures of the page', {
  ...options,
  skip: options.skip || (TAKE_PICTURES ? false : 'E2E_SCREENSHOTS is not 1'),
}, async () => {
  const folder = resolve(import.meta.dirname, '../../../docs/images');
  mkdirSync(folder, { recursive: true });
  for (const [name, viewport] of /** @type {const} */ ([
    ['app-desktop', DESKTOP],
    ['app-phone', { width: 390, height: 844 }],
  ])) {
    stack.sql('TRUNCATE todos');
    const day = (/** @type {number} */ distance) =>
      new Date(Date.now() + distance * 86_400_000).toISOString().slice(0, 10);
    await create({ title: 'Send the invoice to Ana', due_date: day(-1), priority: 'high', tags: ['work'] });
    await create({ title: 'Book the dentist', due_date: day(9) });
    await create({ title: 'Water the plants', tags: ['home'] });
    await create({ title: 'Read the chapter on probes', priority: 'low', tags: ['work', 'reading'] });
    await create({ title: 'Renew the passport', due_date: day(40), priority: 'high' });
    await create({ title: 'Plan the weekend in Porto with Bert', due_date: day(4), tags: ['family'] });
    const page = await visit({ viewport, deviceScaleFactor: 2 });
    const isPhone = name.startsWith('app-phone');
    if (isPhone) await page.getByRole('button', { name: 'Assistant' }).click();
    await say(page, 'Add Buy milk tomorrow, high');
    await say(page, 'What’s left?');
    await say(page, 'Move dentist to friday');
    if (isPhone) await page.getByRole('button', { name: 'Todos' }).click();
    await row(page, 'Buy milk').waitFor();
    await check(page, 'Water the plants');
    await isDone(page, 'Water the plants');
    await page.mouse.move(0, 0);
    await page.evaluate(() => /** @type {HTMLElement | null} */ (document.activeElement)?.blur());
    await sleep(500);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await page.context().close();
  }
});
