import { beforeEach, expect, test } from 'vitest';
import { differences } from '@/client/differences';
import { Problem } from '@/client/problem';
import { TodoStore } from '@/client/todo-store';
import { FIRST_QUERY, type Todo } from '@/shared/todo';
import { draft, FakeApi, TODAY, todo } from './fake-api';

const LOST = new Problem('unreachable', 'The todo service cannot be reached right now.');

let api: FakeApi;
let store: TodoStore;
let activity: string[];
let changes: number;

function start(todos: Todo[]): void {
  api = new FakeApi(todos);
  activity = [];
  changes = 0;
  const page = { items: todos.slice(0, 50), total: todos.length };
  store = new TodoStore(
    api,
    { query: FIRST_QUERY, page },
    {
      onActivity: (sentence) => activity.push(sentence),
      onChanged: () => (changes += 1),
      today: () => TODAY,
    },
  );
}

const titles = () => store.getState().todos.map(({ title }) => title);
const settled = () => new Promise((done) => setTimeout(done, 5));
const first = () => store.getState().todos[0] as Todo;

beforeEach(() => start([todo(1), todo(2)]));

test('an added todo shows before the backend answers, and once after it', async () => {
  api.hold();
  const adding = store.add(draft('New'), 'key');
  expect(titles()).toEqual(['New', 'Todo 1', 'Todo 2']);
  expect(store.getState().total).toBe(3);
  expect(store.getState().saving.has('key')).toBe(true);
  api.release();
  expect(await adding).toBeNull();
  expect(titles()).toEqual(['New', 'Todo 1', 'Todo 2']);
  expect(store.getState().saving.size).toBe(0);
  expect(activity).toHaveLength(1);
});

test('an add that fails is taken back and says why', async () => {
  api.failNext(LOST);
  const problem = await store.add(draft('New'), 'key');
  expect(problem?.message).toBe(LOST.message);
  expect(titles()).toEqual(['Todo 1', 'Todo 2']);
  expect(activity).toEqual([]);
});

test('an add whose answer was lost shows after the list is asked again, and a second try adds nothing', async () => {
  api.failNext(LOST, true);
  await store.add(draft('New'), 'key');
  await settled();
  expect(titles()).toEqual(['New', 'Todo 1', 'Todo 2']);
  await store.add(draft('New'), 'key');
  expect(titles()).toEqual(['New', 'Todo 1', 'Todo 2']);
});

test('completing shows at once, keeps the row and lowers the count', async () => {
  api.hold();
  const toggling = store.toggle(first());
  expect(first().done).toBe(true);
  expect(store.getState().total).toBe(1);
  api.release();
  await toggling;
  expect(first()).toMatchObject({ done: true, version: 2 });
  expect(titles()).toEqual(['Todo 1', 'Todo 2']);
});

test('completing that fails is taken back with a notice', async () => {
  api.failNext(LOST);
  await store.toggle(first());
  expect(first().done).toBe(false);
  expect(store.getState().notices[0]).toMatchObject({ kind: 'problem' });
  expect(store.getState().notices[0]?.text).toContain('could not be completed');
});

test('two quick changes of one todo go out one after the other, the second with the version of the first', async () => {
  api.hold();
  const changes = [store.toggle(first())];
  changes.push(store.toggle(first()));
  await settled();
  expect(api.calls).toEqual(['complete']);
  api.release();
  await Promise.all(changes);
  expect(api.calls).toEqual(['complete', 'change 2']);
  expect(first()).toMatchObject({ done: false, version: 3 });
});

test('changes of different todos do not wait for each other', async () => {
  api.hold();
  const [one, two] = store.getState().todos as [Todo, Todo];
  void store.toggle(one);
  void store.toggle(two);
  await settled();
  expect(api.calls).toEqual(['complete', 'complete']);
});

test('a stale save changes nothing and hands back the todo as it is now', async () => {
  const seen = first();
  api.changeElsewhere(seen.id, { title: 'Theirs', due_date: '2026-12-03' });
  const result = await store.save(seen, { title: 'Mine' });
  expect(result).toMatchObject({ saved: false, conflict: { title: 'Theirs', version: 2 } });
  expect(first().title).toBe('Theirs');
  if (!result.saved && result.conflict) {
    expect(await store.save(result.conflict, { title: 'Mine' })).toEqual({ saved: true });
  }
  expect(first()).toMatchObject({ title: 'Mine', due_date: '2026-12-03', version: 3 });
});

test('reopening a todo that was changed elsewhere says what changed', async () => {
  start([todo(1, { done: true })]);
  api.changeElsewhere(first().id, { priority: 'high' });
  await store.toggle(first());
  expect(first()).toMatchObject({ done: true, priority: 'high' });
  expect(store.getState().notices[0]?.text).toMatch(/priority is now .*high/);
});

test('a todo that was deleted elsewhere leaves the list with a notice', async () => {
  api.todos = api.todos.slice(1);
  await store.toggle(first());
  expect(titles()).toEqual(['Todo 2']);
  expect(store.getState().total).toBe(1);
  expect(store.getState().notices[0]?.text).toContain('was deleted elsewhere');
});

test('a deleted todo comes back by undo as the same row, to where it was', async () => {
  const [one, two] = store.getState().todos as [Todo, Todo];
  await store.remove(two);
  await store.remove(one);
  expect(titles()).toEqual([]);
  const undo = store.getState().notices.map(({ action }) => action?.run);
  undo[0]?.();
  undo[1]?.();
  await settled();
  expect(store.getState().todos).toEqual([one, two]);
  expect(store.getState().total).toBe(2);
  expect(activity.at(-1)).toMatch(/brought .*Todo 1.* back/);
});

test('what only lacked the connection is done when that is back, and nothing is said of it any more', async () => {
  api.failNext(LOST);
  const list = api.list;
  api.list = async () => Promise.reject(LOST);
  await store.toggle(first());
  await settled();
  expect(first().done).toBe(false);
  expect(store.getState().notices[0]?.text).toMatch(
    /could not be completed: the todo service cannot be reached right now\. Retrying/,
  );
  api.list = list;
  await store.refresh();
  await settled();
  expect(first().done).toBe(true);
  expect(store.getState().notices).toEqual([]);
});

test('what lacked the connection is not done to a todo that is another by now', async () => {
  api.failNext(LOST);
  const list = api.list;
  api.list = async () => Promise.reject(LOST);
  await store.remove(first());
  await settled();
  api.changeElsewhere(first().id, { title: 'Still wanted' });
  api.list = list;
  await store.refresh();
  await settled();
  expect(titles()).toEqual(['Still wanted', 'Todo 2']);
  expect(store.getState().notices).toEqual([]);
});

test('no change that waits for the connection is forgotten, however many there are', async () => {
  const many = Array.from({ length: 6 }, (_, n) => todo(n));
  start(many);
  const { complete, list } = api;
  api.complete = async () => Promise.reject(LOST);
  api.list = async () => Promise.reject(LOST);
  await Promise.all(many.map((each) => store.toggle(each)));
  await settled();
  expect(store.getState().notices).toHaveLength(6);
  Object.assign(api, { complete, list });
  await store.refresh();
  await settled();
  expect(api.todos.every(({ done }) => done)).toBe(true);
  expect(store.getState().notices).toEqual([]);
});

test('other tabs are told of what the backend confirmed, and of nothing else', async () => {
  api.failNext(new Problem('failed', 'No.'));
  await store.toggle(first());
  expect(changes).toBe(0);
  await store.toggle(first());
  expect(changes).toBe(1);
});

test('the ids that are shown leave out what the backend does not know yet', () => {
  api.hold();
  void store.add(draft('New'), 'key');
  expect(titles()).toHaveLength(3);
  expect(store.shownIds()).toEqual([todo(1).id, todo(2).id]);
});

test('a todo that is moved to another day is no longer counted for today', async () => {
  const api = new FakeApi([todo(1, { due_date: TODAY }), todo(2, { due_date: '2026-11-20' })]);
  const query = { ...FIRST_QUERY, view: 'today' } as const;
  const today = new TodoStore(api, { query, page: { items: api.todos, total: 2 } }, { today: () => TODAY });
  expect(today.getState().total).toBe(2);
  await today.save(api.todos[0] as Todo, { due_date: '2026-11-24' });
  expect(today.getState().total).toBe(1);
});

test('a deletion that fails puts the row back in its place', async () => {
  api.hold();
  api.failNext(LOST);
  const removing = store.remove(first());
  expect(titles()).toEqual(['Todo 2']);
  api.release();
  await removing;
  expect(titles()).toEqual(['Todo 1', 'Todo 2']);
});

test('a list that was asked for before a change does not undo that change', async () => {
  const stale = { items: [...api.todos], total: 2 };
  let answers = 0;
  const list = api.list;
  api.list = async (...wanted) => {
    answers += 1;
    if (answers > 1) return list(...wanted);
    await store.toggle(first());
    return stale;
  };
  await store.refresh();
  expect(answers).toBe(2);
  expect(titles()).toEqual(['Todo 2']);
});

test('only the answer to the last query is shown', async () => {
  api.hold();
  const slow = store.setQuery({ ...FIRST_QUERY, q: 'Todo 1' });
  const quick = store.setQuery({ ...FIRST_QUERY, q: 'Todo 2' });
  api.release();
  await Promise.all([slow, quick]);
  expect(titles()).toEqual(['Todo 2']);
  expect(store.getState().loading).toBe(false);
});

test('a list that cannot be loaded keeps what is shown and says why, until it can', async () => {
  api.failNext(LOST);
  await store.refresh();
  expect(titles()).toEqual(['Todo 1', 'Todo 2']);
  expect(store.getState().problem).toBe(LOST);
  await store.refresh();
  expect(store.getState().problem).toBeNull();
});

test('more todos come a page at a time, in requests of at most 200', async () => {
  start(Array.from({ length: 320 }, (_, n) => todo(n)));
  const limits: number[] = [];
  const list = api.list;
  api.list = (query, limit, offset) => {
    limits.push(limit);
    return list(query, limit, offset);
  };
  for (let page = 2; page <= 6; page += 1) await store.loadMore();
  expect(titles()).toHaveLength(300);
  expect(new Set(titles()).size).toBe(300);
  expect(Math.max(...limits)).toBe(200);
});

test('completing todos does not make the next page skip any', async () => {
  start(Array.from({ length: 60 }, (_, n) => todo(n)));
  for (const shown of store.getState().todos.slice(0, 5)) await store.toggle(shown);
  await store.loadMore();
  expect(titles()).toHaveLength(55);
});

test('differences name only the fields that differ', () => {
  const before = todo(1, { tags: ['a'], due_date: null });
  const now = { ...before, version: 2, tags: [], due_date: '2026-12-03', due_time: '17:00', done: true };
  expect(differences(before, now)).toEqual([
    { field: 'due_date', label: 'due date', before: 'none', now: '2026-12-03' },
    { field: 'due_time', label: 'time', before: 'none', now: '17:00' },
    { field: 'tags', label: 'tags', before: 'a', now: 'none' },
    { field: 'done', label: 'state', before: 'open', now: 'done' },
  ]);
});
