/** The conversation: what is said, what it changes, and how that is taken back. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  add,
  allSaved,
  answer,
  api,
  check,
  create,
  isAlive,
  isDone,
  journey,
  PHONE,
  row,
  say,
  stack,
  titles,
  visit,
} from './page.mjs';

journey(
  'what is said to the assistant changes the list at once, and the conversation survives a reload',
  async () => {
    const page = await visit();
    await page.getByText('Built-in assistant').waitFor();
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

journey('an example goes into the box and acts on nothing', async () => {
  const page = await visit();
  await page.getByRole('button', { name: /^Add call Ana/ }).click();
  assert.match(await page.getByLabel('Message to the assistant').inputValue(), /^Add call Ana/);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'TEXTAREA');
  assert.equal((await api('/api/todos')).total, 0);
  await page.keyboard.press('Enter');
  await row(page, 'call Ana').waitFor();
});

journey('the example that moves a todo works as it stands, whatever the title says', async () => {
  const page = await visit();
  assert.equal(await page.getByRole('button', { name: /^Move/ }).count(), 0);
  for (const title of ['Move the sofa to the attic', 'Don’t forget mum’s party on monday, high']) {
    const { id } = await create({ title });
    await page.reload();
    await isAlive(page);
    await page.getByRole('button', { name: `Move "${title}" to friday` }).click();
    await page.keyboard.press('Enter');
    assert.match(await answer(page, 0), /is now due/);
    const { due_date } = await api(`/api/todos/${id}`);
    assert.equal(new Date(due_date).getUTCDay(), 5);
    await page.getByRole('button', { name: 'New chat' }).click();
  }
});

journey('every change by chat can be undone at its answer', async () => {
  const page = await visit();
  await say(page, 'add buy milk tomorrow');
  const [milk] = (await api('/api/todos')).items;
  await say(page, 'delete milk');
  await row(page, 'buy milk').waitFor({ state: 'detached' });
  const answers = page.locator('.entry-assistant');
  await answers.nth(1).getByRole('button', { name: 'Undo' }).click();
  await row(page, 'buy milk').waitFor();
  await answers.nth(1).getByRole('button', { name: 'Undone' }).waitFor();
  assert.equal((await api('/api/todos')).items[0].id, milk.id);
  await check(page, 'buy milk');
  await isDone(page, 'buy milk');
  await allSaved(page);
  await answers.nth(0).getByRole('button', { name: 'Undo' }).click();
  await answers
    .nth(0)
    .getByText(/was changed since/)
    .waitFor();
  assert.equal((await api('/api/todos')).total, 1);
});

journey('“the second one” is the second that the page shows', async () => {
  for (const title of ['Oldest', 'Middle', 'Newest']) await create({ title });
  const page = await visit();
  await page.getByLabel('Sort by').selectOption('title');
  await page.waitForFunction(() => document.querySelector('.todo-title')?.textContent === 'Middle');
  await say(page, 'mark the second one as done');
  assert.deepEqual(
    (await api('/api/todos?state=done')).items.map((/** @type {any} */ { title }) => title),
    ['Newest'],
  );
});

journey('a set is changed only after a yes, which is a button', async () => {
  for (const title of ['One', 'Two', 'Three']) await create({ title });
  const page = await visit();
  await say(page, 'delete all');
  assert.equal((await api('/api/todos')).total, 3);
  await page.getByRole('button', { name: /^Yes, delete/ }).click();
  await answer(page, 1);
  await page.getByText('Nothing to do').waitFor();
  assert.equal(await page.locator('.choices').count(), 0);
  await page.locator('.entry-assistant').last().getByRole('button', { name: 'Undo' }).click();
  await row(page, 'Two').waitFor();
  assert.deepEqual(await titles(page), ['Three', 'Two', 'One']);
});

journey('a reload in mid-answer waits for the answer', async () => {
  const page = await visit();
  await say(page, 'hello');
  const { value: conversation = '' } =
    (await page.context().cookies()).find(({ name }) => name === 'todo_conversation') ?? {};
  const store = (/** @type {string} */ role, /** @type {string} */ text) =>
    stack.sql(
      `INSERT INTO messages (id, conversation_id, role, text)
       VALUES (gen_random_uuid(), '${conversation}', '${role}', '${text}')`,
    );
  store('user', 'what is left?');
  await page.reload();
  await page.locator('.thinking').waitFor();
  await page.getByRole('button', { name: 'Stop the answer' }).waitFor();
  store('assistant', 'Nothing is left.');
  await page.locator('.entry-text', { hasText: 'Nothing is left.' }).waitFor();
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
});

journey('a new chat while a message is on its way stays new', async () => {
  const page = await visit();
  await say(page, 'add buy milk');
  await page.route('**/api/chat', () => {});
  await page.getByLabel('Message to the assistant').fill('a message on its way');
  await page.keyboard.press('Enter');
  await page.locator('.thinking').waitFor();
  await page.getByRole('button', { name: 'New chat' }).click();
  await page.getByText('Say what is to be done').waitFor();
  await sleep(500);
  assert.equal(await page.locator('.entry').count(), 0);
});

journey('an answer can be copied, and one that failed asked for again', async () => {
  const page = await visit({ permissions: ['clipboard-read', 'clipboard-write'] });
  const text = await say(page, "what's left?");
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
  const events =
    'event: error\ndata: {"message":"Too many requests."}\n\nevent: done\ndata: {"todos_changed":false}\n\n';
  await page.route('**/api/chat', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: events }),
  );
  await page.getByLabel('Message to the assistant').fill('add buy milk');
  await page.keyboard.press('Enter');
  await page.getByText('Too many requests.').waitFor();
  await page.unroute('**/api/chat');
  await page.getByRole('button', { name: 'Try again' }).click();
  await row(page, 'buy milk').waitFor();
  await page.getByText('Too many requests.').waitFor({ state: 'detached' });
  assert.equal(await page.locator('.entry-user').count(), 2);
});

journey('on a phone the conversation opens at what was said last, also above the keyboard', async () => {
  const page = await visit({ viewport: PHONE, hasTouch: true }, '/?pane=chat');
  for (let times = 0; times < 4; times += 1) await say(page, 'help');
  await page.goto(`${stack.url}/`);
  await isAlive(page);
  await page.getByRole('button', { name: 'Assistant' }).click();
  const isAtTheEnd = () =>
    page.waitForFunction(() => {
      const log = document.querySelector('[role=log]');
      return log && log.scrollTop > 0 && log.scrollHeight - log.scrollTop - log.clientHeight < 2;
    });
  await isAtTheEnd();
  await page.setViewportSize({ width: PHONE.width, height: 400 });
  await isAtTheEnd();
});

journey('an older answer shows its Copy when it is pointed at', async () => {
  const page = await visit();
  await say(page, 'add milk');
  await say(page, 'add bread');
  const older = page.locator('.entry-assistant').first();
  const opacity = () => older.locator('.copy').evaluate((button) => getComputedStyle(button).opacity);
  assert.equal(await opacity(), '0');
  await older.hover();
  assert.equal(await opacity(), '1');
});

journey('the built-in assistant says what it is and the way to Gemini', async () => {
  const page = await visit();
  await page.getByText('Built-in assistant').click();
  const help = page.locator('.assistant-help');
  assert.match(await help.innerText(), /GEMINI_API_KEY=…[\s\S]*invoke up/);
  assert.equal(await help.getByRole('link').getAttribute('href'), 'https://aistudio.google.com/apikey');
  await page.keyboard.press('Escape');
  await help.waitFor({ state: 'hidden' });
});

journey('earlier conversations are listed, continued and deleted; Back leaves the list', async () => {
  const page = await visit();
  await say(page, 'add buy milk');
  await page.getByRole('button', { name: 'New chat' }).click();
  await say(page, 'hello');
  await page.getByRole('button', { name: 'Earlier chats' }).click();
  await page.getByRole('button', { name: 'add buy milk', exact: true }).click();
  await page.locator('.entry-user', { hasText: 'add buy milk' }).waitFor();
  await page.reload();
  await page.locator('.entry-user', { hasText: 'add buy milk' }).waitFor();
  await page.getByRole('button', { name: 'Earlier chats' }).click();
  await page.getByRole('button', { name: /Delete the chat .*add buy milk/ }).click();
  await page.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByRole('button', { name: 'add buy milk', exact: true }).waitFor({ state: 'detached' });
  await page.goBack();
  await page.getByText('Say what is to be done').waitFor();
  assert.equal((await api('/api/todos')).total, 1);
});
