import { beforeEach, expect, test, vi } from 'vitest';
import { Problem } from '@/client/problem';
import {
  CONVERSATION,
  DONE,
  endless,
  FakeChat,
  last,
  lines,
  neverTaken,
  OFFERS,
  START,
  settled,
  stored,
  streamed,
} from './fake-chat';

let chat: FakeChat;

beforeEach(() => {
  chat = new FakeChat();
});

test('a new chat while a message is on its way stays new', async () => {
  chat.reply = neverTaken;
  const store = chat.start({ conversationId: CONVERSATION, messages: chat.history });
  const sending = store.send('hello');
  store.startNew();
  expect(await sending).toBeNull();
  expect(lines(store)).toEqual([]);
  expect(store.getState().answering).toBe(false);
});

test('a message sent into a new chat is not disturbed by the end of the one before', async () => {
  chat.reply = neverTaken;
  const store = chat.start();
  const sending = store.send('old');
  store.startNew();
  let finish = () => {};
  chat.reply = async () => {
    await new Promise<void>((done) => {
      finish = done;
    });
    return streamed([START, DONE]);
  };
  const next = store.send('new');
  await sending;
  expect(store.getState().answering).toBe(true);
  finish();
  await next;
  expect(lines(store)).toEqual(['user: new', 'assistant: ']);
});

test('an answer that changed todos can be undone, once', async () => {
  chat.reply = async () => streamed([START, OFFERS]);
  const store = chat.start();
  await store.send('add it');
  expect(last(store)).toMatchObject({ undo: { id: 'u1', state: 'offered' }, choices: [{ label: 'Yes' }] });
  const undone: string[] = [];
  chat.undoing = async (id) => {
    undone.push(id);
  };
  const { id = '' } = last(store) ?? {};
  await Promise.all([store.undo(id), store.undo(id)]);
  expect(undone).toEqual(['u1']);
  expect(last(store)?.undo?.state).toBe('done');
  expect(chat.reloads).toBe(2);
});

test.each([
  [new Problem('conflict', '“milk” was changed since.'), 'refused', '“milk” was changed since.'],
  [new Problem('gone', 'It no longer exists.'), 'refused', 'This can no longer be undone.'],
  [new Problem('unreachable', 'Not now.'), 'offered', 'Not now.'],
])('an undo that ends with %s is %s', async (problem, state, sentence) => {
  chat.reply = async () => streamed([START, OFFERS]);
  chat.undoing = () => Promise.reject(problem);
  const store = chat.start();
  await store.send('add it');
  await store.undo(last(store)?.id ?? '');
  expect(last(store)?.undo).toEqual({ id: 'u1', state, problem: sentence });
});

test('an answer that was under way when the page was loaded is waited for', async () => {
  vi.useFakeTimers();
  chat.history = [stored('user', 'add milk')];
  const store = chat.start({ conversationId: CONVERSATION, messages: chat.history });
  expect(last(store)).toMatchObject({ role: 'assistant', streaming: true });
  expect(store.getState().answering).toBe(true);
  const resuming = store.resume();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(last(store)?.streaming).toBe(true);
  chat.history = [...chat.history, stored('assistant', 'Added.', { undo: 'u1' })];
  await vi.advanceTimersByTimeAsync(5_000);
  await resuming;
  expect(last(store)).toMatchObject({ text: 'Added.', streaming: false, undo: { id: 'u1' } });
  expect(store.getState().answering).toBe(false);
  vi.useRealTimers();
});

test('a message that nobody answered is said to be so, and can be asked again', async () => {
  chat.history = [stored('user', 'add milk', { created_at: '2020-01-01T00:00:00Z' })];
  const store = chat.start({ conversationId: CONVERSATION, messages: chat.history });
  await store.resume();
  expect(last(store)).toMatchObject({ problem: 'This message was not answered.', streaming: false });
  chat.reply = async () => streamed([START, DONE]);
  await store.retry(last(store)?.id ?? '');
  expect(lines(store)).toEqual(['user: add milk', 'assistant: ']);
});

test('an answer that was cut off is fetched and not asked for twice', async () => {
  chat.reply = async () => streamed([START], 'break');
  const store = chat.start();
  await store.send('add milk');
  await settled();
  expect(last(store)?.problem).toBe('The answer was cut off.');
  chat.history = [stored('user', 'add milk'), stored('assistant', 'Added.', { undo: 'u1' })];
  expect(await store.retry(last(store)?.id ?? '')).toBeNull();
  expect(chat.sent).toHaveLength(1);
  expect(last(store)).toMatchObject({ text: 'Added.', problem: null, undo: { id: 'u1' }, streaming: false });
});

test('what a stopped answer did all the same is shown, and can be undone', async () => {
  chat.reply = endless;
  for (const undo of ['u1', null]) {
    const store = chat.start();
    chat.history = [stored('user', 'add milk'), stored('assistant', 'Added.', { undo })];
    const sending = store.send('add milk');
    while (chat.conversations.length === 0) await settled();
    chat.conversations.length = 0;
    store.stop();
    await sending;
    await settled();
    expect(last(store)).toMatchObject(
      undo ? { text: 'Added.', undo: { id: 'u1' } } : { text: '', problem: 'Stopped.' },
    );
  }
});

test('an answer that failed is asked for again in its place', async () => {
  chat.reply = async () =>
    streamed([START, 'event: error\ndata: {"message":"Too many requests."}\n\n', DONE]);
  const store = chat.start();
  await store.send('hello');
  chat.reply = async () => streamed([START, 'event: delta\ndata: {"text":"Hi."}\n\n', DONE]);
  await store.retry(last(store)?.id ?? '');
  expect(lines(store)).toEqual(['user: hello', 'assistant: Hi.']);
});

test('an answer that still streams when the conversation is left ends nothing in the next one', async () => {
  chat.reply = endless;
  const store = chat.start();
  const streaming = store.send('old');
  while (chat.conversations.length === 0) await new Promise((done) => setTimeout(done, 1));
  store.startNew();
  chat.reply = neverTaken;
  void store.send('new');
  await streaming;
  expect(store.getState().answering).toBe(true);
  expect(lines(store)).toEqual(['user: new', 'assistant: ']);
});

test('an earlier conversation goes on where it ended, and the one before is left', async () => {
  const chat = new FakeChat();
  chat.reply = endless;
  const store = chat.start();
  void store.send('hello');
  await settled();
  const earlier = '22222222-2222-4222-8222-222222222222';
  store.continueWith(earlier, [stored('user', 'add milk'), stored('assistant', 'Added.', { undo: 'u1' })]);
  await settled();
  expect(lines(store)).toEqual(['user: add milk', 'assistant: Added.']);
  expect(last(store)?.undo?.state).toBe('offered');
  expect(store.getState().answering).toBe(false);
  expect(chat.conversations.at(-1)).toBe(earlier);
  void store.send('and bread');
  expect(chat.sent.at(-1)?.conversationId).toBe(earlier);
});
