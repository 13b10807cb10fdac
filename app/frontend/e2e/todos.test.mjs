/** The list: everything that can be done with a todo by hand. */
import assert from 'node:assert/strict';
import {
  add,
  allSaved,
  api,
  check,
  create,
  isAlive,
  isDone,
  journey,
  newVisitor,
  openTab,
  row,
  say,
  stack,
  titles,
  visit,
} from './page.mjs';

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

journey('the circle completes; a click on the title opens the form; text can be selected', async () => {
  await create({ title: 'Call Ana about the invoice' });
  const page = await visit();
  const title = page.locator('.todo-title');
  const box = await title.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + 60, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  assert.match(await page.evaluate(() => String(window.getSelection())), /^Call/);
  assert.equal(await page.locator('.edit').count(), 0);
  await page.evaluate(() => window.getSelection()?.removeAllRanges());
  await title.click();
  await page.locator('.edit').waitFor();
  await page.keyboard.press('Escape');
  await check(page, 'Call Ana');
  await isDone(page, 'Call Ana');
});

journey('a deletion that is undone leaves the same todo where it was', async () => {
  for (const title of ['One', 'Two', 'Three']) await create({ title, tags: ['kept'] });
  const before = (await api('/api/todos')).items;
  const page = await visit();
  await row(page, 'Two').hover();
  await page.getByRole('button', { name: /Delete .*Two/ }).click();
  await row(page, 'Two').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await row(page, 'Two').waitFor();
  await allSaved(page);
  assert.deepEqual(await titles(page), ['Three', 'Two', 'One']);
  const after = (await api('/api/todos')).items;
  assert.deepEqual(
    after.map((/** @type {any} */ { version, updated_at, ...same }) => same),
    before.map((/** @type {any} */ { version, updated_at, ...same }) => same),
  );
});

journey('the Add box shows what it understood before it adds it', async () => {
  const page = await visit();
  await page.getByLabel('New todo').fill('write report tomorrow 17:00 #work !high');
  const preview = page.locator('.add-preview');
  await preview.getByText('Tomorrow, 17:00').waitFor();
  assert.match(await preview.innerText(), /write report · Tomorrow, 17:00 · High priority #work/);
  await page.keyboard.press('Enter');
  await row(page, 'write report').waitFor();
  await allSaved(page);
  const [todo] = (await api('/api/todos')).items;
  assert.deepEqual(
    [todo.title, todo.due_time, todo.priority, todo.tags],
    ['write report', '17:00', 'high', ['work']],
  );
  await page.getByLabel('New todo').fill('read tomorrow never dies');
  await page.getByRole('button', { name: 'Keep as written' }).click();
  await page.keyboard.press('Enter');
  await row(page, 'read tomorrow never dies').waitFor();
});

journey('view, order and search are in the address: kept by a reload, and undone by Back', async () => {
  await create({ title: 'Water the plants', tags: ['home'] });
  await create({ title: 'Call Ana', tags: ['work'] });
  await create({ title: 'Done already' }).then(({ id }) =>
    api(`/api/todos/${id}/complete`, { method: 'POST' }),
  );
  const page = await visit();
  await row(page, 'Water the plants').getByRole('button', { name: '#home' }).click();
  await page.getByText('1 found').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('q'), '#home');
  await page.reload();
  await isAlive(page);
  assert.equal(await page.getByLabel('Search todos').inputValue(), '#home');
  assert.deepEqual(await titles(page), ['Water the plants']);
  await page.goBack();
  await page.getByText('2 open').waitFor();
  assert.equal(await page.getByLabel('Search todos').inputValue(), '');
  await page.getByText('Done', { exact: true }).click();
  await row(page, 'Done already').waitFor();
  await page.getByLabel('Sort by').selectOption('title');
  await page.waitForURL(/\?view=done&sort=title$/);
  await page.goBack();
  await page.waitForFunction(
    () => /** @type {HTMLSelectElement | null} */ (document.querySelector('.sort'))?.value === 'created',
  );
  await page.goBack();
  await page.getByText('2 open').waitFor();
  const html = await (await fetch(`${stack.url}/?view=done`)).text();
  assert.match(html, /Done already/);
  assert.doesNotMatch(html, /Call Ana/);
});

journey('today is the visitor’s day, from the first byte on', async () => {
  const dayIn = (/** @type {string} */ timeZone) =>
    new Intl.DateTimeFormat('sv-SE', { timeZone }).format(new Date());
  // There is always a day between these two.
  const zones = { east: 'Pacific/Kiritimati', west: 'Pacific/Pago_Pago' };
  await create({ title: 'In the east', due_date: dayIn(zones.east) });
  await create({ title: 'In the west', due_date: dayIn(zones.west) });
  const west = await visit({ timezoneId: zones.west }, '/?view=today');
  await row(west, 'In the west').waitFor();
  await west.getByText('1 for today').waitFor();
  await west.getByText('Upcoming').click();
  await row(west, 'In the east').waitFor();
  const east = await visit({ timezoneId: zones.east }, '/?view=today');
  await east.getByText('2 for today').waitFor();
  assert.match(await row(east, 'In the west').innerText(), /Overdue/);
  assert.match(await row(east, 'In the east').innerText(), /Today/);
  // The second look is rendered for the visitor's day by the server.
  const second = await east.context().request.get(`${stack.url}/?view=today`);
  assert.match(await second.text(), /In the east/);
  await east.reload();
  await isAlive(east);
});

journey('another tab of the same browser follows at once', async () => {
  const visitor = await newVisitor();
  const [one, two] = [await openTab(visitor), await openTab(visitor)];
  await add(one, 'Seen by both');
  await row(two, 'Seen by both').waitFor({ timeout: 2_000 });
  await say(one, 'done with seen');
  await row(two, 'Seen by both').waitFor({ state: 'detached', timeout: 2_000 });
});

journey('a todo has notes, which are shown, searched and changed', async () => {
  await create({ title: 'Call Ana', tags: ['work'], notes: 'about https://example.org/42\nbefore noon' });
  await create({ title: 'Homework' });
  const page = await visit();
  const notes = row(page, 'Call Ana').locator('.todo-notes');
  assert.equal(await notes.getByRole('link').getAttribute('href'), 'https://example.org/42');
  for (const search of ['noon ana', '#work']) {
    await page.getByLabel('Search todos').fill(search);
    await page.getByText('1 found').waitFor();
  }
  await notes.click({ position: { x: 5, y: 5 } });
  await page.locator('.edit').getByLabel('Notes').fill('in the evening');
  await page.getByRole('button', { name: 'Save' }).click();
  await notes.getByText('in the evening').waitFor();
  await allSaved(page);
  assert.equal((await api('/api/todos?q=evening')).items[0].title, 'Call Ana');
});

journey('what was being written is there after a reload', async () => {
  await create({ title: 'Call Ana' });
  const page = await visit();
  await page.getByLabel('New todo').fill('Half a todo');
  await page.getByLabel('Message to the assistant').fill('Half a message');
  await page.locator('.todo-title').click();
  await page.getByLabel('Title').fill('Call Ana and');
  await page.reload();
  await isAlive(page);
  await page.waitForFunction(() => document.querySelector('input')?.value === 'Half a todo');
  assert.equal(await page.getByLabel('Message to the assistant').inputValue(), 'Half a message');
  await page.locator('.todo-title').click();
  assert.equal(await page.getByLabel('Title').inputValue(), 'Call Ana and');
});
