/** What the tests of the page share: one running stack for each file of tests, its visitors, and what they do. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { missingPart, startBrowser, startStack } from './stack.mjs';

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };
export const WAIT = { timeout: 30_000 };

const missing = missingPart();
if (missing) process.stderr.write(`\nSKIPPED: the end-to-end tests did not run. ${missing}.\n\n`);
export const options = { skip: missing ?? false, timeout: 180_000 };

/** @type {Awaited<ReturnType<typeof startStack>>} */
export let stack;
/** @type {import('playwright-core').Browser} */
export let browser;
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

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').BrowserContext} BrowserContext */

/**
 * A new visitor.
 * @param {import('playwright-core').BrowserContextOptions} [as]
 */
export function newVisitor(as = {}) {
  return browser.newContext({ viewport: DESKTOP, locale: 'en-GB', ...as });
}

/**
 * Open the page in a tab of a visitor's.
 * @param {BrowserContext} context
 * @param {string} [path]
 * @param {string} [origin] where the page is when it is not asked for directly
 */
export async function openTab(context, path = '/', origin = stack.url) {
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT.timeout);
  page.on('pageerror', (error) => offences.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (/Content Security Policy|hydrat/i.test(message.text())) offences.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) offences.push(`asked: ${request.url()}`);
  });
  await page.goto(origin + path);
  await isAlive(page);
  return page;
}

/**
 * The page has been taken over by its scripts once its box works. Looked at by the clock: a busy browser may paint no frame.
 * @param {Page} page
 */
export const isAlive = (page) =>
  page.waitForFunction(
    () => Object.keys(document.querySelector('.add') ?? {}).some((k) => k.startsWith('__react')),
    undefined,
    { polling: 100 },
  );

/**
 * Open the page as a new visitor.
 * @param {import('playwright-core').BrowserContextOptions} [as]
 * @param {string} [path]
 */
export async function visit(as = {}, path = '/') {
  return openTab(await newVisitor(as), path);
}

/**
 * Run a test with a clean list and check afterwards that no page did what it must not do.
 * @param {string} name
 * @param {() => Promise<void>} body
 */
export function journey(name, body) {
  test(name, options, async () => {
    offences = [];
    stack.sql('TRUNCATE todos, deleted_todos, conversations CASCADE');
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
export async function api(path, init = {}) {
  const headers = { authorization: `Bearer ${stack.token}`, 'content-type': 'application/json' };
  const response = await fetch(stack.backendUrl + path, { ...init, headers });
  return response.status === 204 ? null : response.json();
}

/** @param {object} fields */
export const create = (fields) => api('/api/todos', { method: 'POST', body: JSON.stringify(fields) });

/** @param {Page} page @param {string} title */
export const row = (page, title) => page.locator('.todo', { hasText: title });

/** Several may be on their way at once. @param {Page} page */
export const allSaved = (page) =>
  page.waitForFunction(() => document.querySelector('.todo[data-saving="true"]') === null, null, WAIT);

/** @param {Page} page @param {string} title */
export async function add(page, title) {
  await page.getByLabel('New todo').fill(title);
  await page.keyboard.press('Enter');
  await row(page, title).waitFor(WAIT);
  await allSaved(page);
}

/** @param {Page} page @param {string} message */
export async function say(page, message) {
  const answersBefore = await page.locator('.entry-assistant').count();
  await page.getByLabel('Message to the assistant').fill(message);
  await page.keyboard.press('Enter');
  return answer(page, answersBefore);
}

/** The text of an answer when it is complete. @param {Page} page @param {number} place */
export async function answer(page, place) {
  const entry = page.locator('.entry-assistant').nth(place);
  await entry.waitFor(WAIT);
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor(WAIT);
  return entry.locator('.entry-text').innerText();
}

/** @param {Page} page @param {string} title */
export const check = (page, title) => row(page, title).getByRole('checkbox').click();

/** @param {Page} page @param {string} title */
export const isDone = (page, title) =>
  page.locator('.todo[data-done="true"]', { hasText: title }).waitFor(WAIT);

/** @param {Page} page */
export const titles = (page) => page.locator('.todo-title').allInnerTexts();
