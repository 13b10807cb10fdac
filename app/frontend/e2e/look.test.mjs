/** How the page looks and is used: keyboard, widths, colours, movement, and its pictures. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  allSaved,
  browser,
  check,
  create,
  DESKTOP,
  isDone,
  journey,
  options,
  PHONE,
  row,
  say,
  stack,
  visit,
} from './page.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** When set, the run writes pictures of the page into `docs/images`. */
const TAKE_PICTURES = process.env.E2E_SCREENSHOTS === '1';

journey('the help about the built-in assistant closes at a press elsewhere and at Escape', async () => {
  const page = await visit();
  const help = page.locator('.assistant-help');
  const open = async () => {
    await page.getByText('Built-in assistant').click();
    await help.waitFor();
  };
  await open();
  await page.getByText('Google Gemini').click();
  assert.equal(await help.isVisible(), true);
  await page.getByRole('heading', { name: 'Todos' }).click();
  await help.waitFor({ state: 'hidden' });
  await open();
  await page.getByLabel('New todo').click();
  await help.waitFor({ state: 'hidden' });
  await open();
  await page.keyboard.press('Escape');
  await help.waitFor({ state: 'hidden' });
});

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
  await page.locator('.notice').waitFor();
  await press('Control+z');
  await row(page, 'Second').waitFor();
});

journey('in the list the arrows lead from row to row, Enter opens the form and Delete deletes', async () => {
  for (const title of ['Third', 'Second', 'First']) await create({ title });
  const page = await visit();
  await page.locator('.check').first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('form', { name: 'Edit Second' }).waitFor();
  await page.keyboard.press('Delete');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.activeElement?.getAttribute('data-control') === 'edit');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Delete');
  await row(page, 'Third').waitFor({ state: 'detached' });
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Delete');
  await row(page, 'First').waitFor({ state: 'detached' });
  assert.equal(await page.locator('.todo').count(), 1);
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

journey('forced colours show what is done, and which view is chosen', async () => {
  await create({ title: 'Open one' });
  await create({ title: 'Done one' });
  const page = await visit({ forcedColors: 'active' });
  await check(page, 'Done one');
  await isDone(page, 'Done one');
  assert.equal(await row(page, 'Open one').locator('.check-mark .icon').isVisible(), false);
  assert.equal(await row(page, 'Done one').locator('.check-mark .icon').isVisible(), true);
  const background = (/** @type {string} */ view) =>
    page.getByText(view, { exact: true }).evaluate((element) => getComputedStyle(element).backgroundColor);
  assert.notEqual(await background('Open'), await background('All'));
});

journey('nothing is cut off at any width, and the banner covers nothing', async () => {
  await create({
    title: 'Water the plants',
    due_date: '2030-12-03',
    due_time: '17:00',
    tags: ['home', 'garden'],
  });
  const page = await visit();
  await page.getByLabel('Date, priority, tags and notes').click();
  await say(page, 'delete all');
  for (const width of [320, 360, 767, 768, 780, 798, 900, 1024, 1280, 1920]) {
    await page.setViewportSize({ width, height: 800 });
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll('.pane, .toolbar, .add, .pane-head, .entries, .composer')]
        .filter((box) => box.scrollWidth > box.clientWidth + 1)
        .map(({ className }) => className),
    );
    assert.deepEqual(cut, [], `${width} px`);
  }
  await page.context().setOffline(true);
  const banner = page.locator('.connection p');
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const [above, heading] = [await banner.boundingBox(), await page.locator('h1').boundingBox()];
    assert.ok(above && heading && above.y + above.height <= heading.y, `${width} px`);
  }
});

journey('dates are written as the visitor writes them', async () => {
  await create({ title: 'Pay the rent', due_date: '2030-12-03', due_time: '17:00' });
  for (const [locale, words] of /** @type {const} */ ([
    ['en-US', /Dec 3, 2030, 5:00\sPM/],
    ['de-DE', /3\. Dez\. 2030, 17:00/],
  ])) {
    const page = await visit({ locale });
    assert.match(await page.locator('time').innerText(), words);
  }
});

journey('a long title shows its beginning, its address is a link, and hidden marks are seen', async () => {
  await create({ title: `${'Very long. '.repeat(40)}` });
  await create({ title: 'Read https://example.org/a?b=1, then \u202etxt.exe' });
  const page = await visit();
  const long = await page.locator('.todo-title', { hasText: 'Very long' }).boundingBox();
  assert.ok(long && long.height < 90);
  const link = page.getByRole('link', { name: 'https://example.org/a?b=1' });
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer nofollow');
  assert.match(await page.locator('.todo-title').first().innerText(), /then RLOtxt\.exe$/);
});

journey('on a phone Back leads from the assistant to the todos, and a reload stays', async () => {
  const page = await visit({ viewport: PHONE, hasTouch: true });
  await page.getByRole('button', { name: 'Assistant' }).click();
  await page.locator('.chat').waitFor();
  await page.reload();
  await page.locator('.chat').waitFor();
  await page.goBack();
  await page.locator('.todos').waitFor();
  assert.equal(await page.locator('.chat').isVisible(), false);
});

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
      await page.getByRole('button', { name: 'Earlier chats' }).click();
      await page.locator('.earlier-chat').first().waitFor();
      await inspect('earlier chats');
      await page.keyboard.press('Escape');
      await open('Todos');
      await check(page, 'Sort photos');
      await isDone(page, 'Sort photos');
      await page.getByLabel('Date, priority, tags and notes').click();
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
    const page = await visit({ viewport });
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
