import { beforeEach, expect, test, vi } from 'vitest';
import type { ChatApi, MessageContext } from '@/client/api';
import { chatEvents } from '@/client/chat-events';
import { ChatStore, type FirstChat } from '@/client/chat-store';
import { Problem } from '@/client/problem';
import type { StoredMessage } from '@/shared/chat';

const CONVERSATION = '11111111-1111-4111-8111-111111111111';
const START = `event: start\ndata: {"conversation_id":"${CONVERSATION}","assistant":"rules"}\n\n`;
const DONE = 'event: done\ndata: {"message_id":"m","todos_changed":true,"undo":null,"choices":[]}\n\n';

function stored(
  role: StoredMessage['role'],
  text: string,
  fields: Partial<StoredMessage> = {},
): StoredMessage {
  return {
    id: `${role} ${text}`,
    role,
    text,
    created_at: new Date().toISOString(),
    undo: null,
    choices: [],
    ...fields,
  };
}

/** An answer whose bytes arrive in the given pieces. */
function streamed(pieces: (string | Uint8Array)[], ending: 'close' | 'break' = 'close'): Response {
  const encoder = new TextEncoder();
  const queue = pieces.map((piece) => (typeof piece === 'string' ? encoder.encode(piece) : piece));
  return new Response(
    new ReadableStream({
      pull(controller) {
        const piece = queue.shift();
        if (piece) controller.enqueue(piece);
        else if (ending === 'close') controller.close();
        else controller.error(new TypeError('network error'));
      },
    }),
  );
}

let reply: ChatApi['send'];
let sent: MessageContext[];
/** What the backend has stored of the conversation. */
let history: StoredMessage[];
let undoing: (id: string) => Promise<void>;
let reloads: number;
let conversations: (string | null)[];

beforeEach(() => {
  sent = [];
  history = [stored('user', 'Before'), stored('assistant', 'Done.')];
  undoing = async () => {};
  reloads = 0;
  conversations = [];
});

function start(first: Partial<FirstChat> = {}): ChatStore {
  const api: ChatApi = {
    info: async () => ({ version: '1', assistant: 'gemini', model: 'some-model' }),
    messages: async () => history,
    send: (message, context, signal) => {
      sent.push(context);
      return reply(message, context, signal);
    },
    undo: (id) => undoing(id),
  };
  return new ChatStore(
    api,
    { conversationId: null, messages: null, assistant: null, ...first },
    {
      onTodosChanged: () => (reloads += 1),
      onConversation: (id) => conversations.push(id),
      shown: () => ['first', 'second'],
    },
  );
}

const lines = (store: ChatStore) => store.getState().entries.map(({ role, text }) => `${role}: ${text}`);
const last = (store: ChatStore) => store.getState().entries.at(-1);

test('an answer grows with each piece and ends as one entry', async () => {
  const delta = (text: string) => `event: delta\ndata: ${JSON.stringify({ text })}\n\n`;
  reply = async () => streamed([START, delta('Added '), delta('it.'), DONE]);
  const store = start();
  const seen: string[] = [];
  store.subscribe(() => seen.push(last(store)?.text ?? ''));
  expect(await store.send('add it')).toBeNull();
  expect(lines(store)).toEqual(['user: add it', 'assistant: Added it.']);
  expect(seen).toContain('Added ');
  expect(store.getState()).toMatchObject({ answering: false, assistant: 'rules', announcement: 'Added it.' });
  expect(conversations).toEqual([CONVERSATION]);
});

test('events survive any cut of the bytes, through a character and through a line end', async () => {
  const bytes = new TextEncoder().encode(
    `: comment\r\n\r\n${START.replaceAll('\n', '\r\n')}event: delta\r\ndata: {"text":"é🌿"}\r\n\r\n`,
  );
  for (const size of [1, 2, 3, 7]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
      bytes.slice(n * size, n * size + size),
    );
    const events = [];
    for await (const event of chatEvents(streamed(pieces))) events.push(event);
    expect(events.map(({ event }) => event)).toEqual(['start', 'delta']);
    expect(events[1]?.data).toEqual({ text: 'é🌿' });
  }
});

test('a tool that changed something reloads the todos before the answer ends; a reading tool does not', async () => {
  const tool = (name: string, outcome: string) =>
    `event: tool\ndata: ${JSON.stringify({ name, outcome })}\n\n`;
  const quiet = DONE.replace('true', 'false');
  reply = async () => streamed([START, tool('list_todos', 'ok'), tool('delete_todo', 'refused'), quiet]);
  const store = start();
  await store.send('list');
  expect(reloads).toBe(0);
  expect(last(store)?.tools).toHaveLength(2);
  reply = async () => streamed([START, tool('add_todo', 'ok'), quiet]);
  await store.send('add');
  expect(reloads).toBe(1);
});

test('an error event is shown with what came before it', async () => {
  reply = async () => streamed([START, 'event: error\ndata: {"message":"Too many requests."}\n\n', DONE]);
  const store = start();
  await store.send('hello');
  expect(last(store)).toMatchObject({ problem: 'Too many requests.', streaming: false });
});

test('an answer that breaks off keeps its text, says so, and reloads the todos', async () => {
  reply = async () => streamed([START, 'event: delta\ndata: {"text":"Half"}\n\n'], 'break');
  const store = start();
  await store.send('hello');
  expect(last(store)).toMatchObject({ text: 'Half', problem: 'The answer was cut off.', streaming: false });
  expect(reloads).toBe(1);
});

test('a stream that ends without its last event counts as cut off', async () => {
  reply = async () => streamed([START]);
  const store = start();
  await store.send('hello');
  expect(last(store)?.problem).toBe('The answer was cut off.');
});

test('garbage in an event ends the answer as cut off and breaks nothing', async () => {
  reply = async () => streamed([START, 'event: delta\ndata: {not json\n\n', DONE]);
  const store = start();
  expect(await store.send('hello')).toBeNull();
  expect(store.getState().answering).toBe(false);
  expect(last(store)?.problem).toBe('The answer was cut off.');
});

test('a message that was not taken leaves the conversation as it was', async () => {
  const refusal = new Problem('unreachable', 'Not now.');
  reply = () => Promise.reject(refusal);
  const store = start();
  expect(await store.send('hello')).toBe(refusal);
  expect(lines(store)).toEqual([]);
  expect(store.getState().answering).toBe(false);
});

test('stopping keeps what has come', async () => {
  const delta = 'event: delta\ndata: {"text":"Half"}\n\n';
  reply = async (_message, _conversation, signal) => {
    let sentPieces = false;
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (!sentPieces) controller.enqueue(new TextEncoder().encode(START + delta));
          sentPieces = true;
          return new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason)));
        },
      }),
    );
  };
  const store = start();
  const sending = store.send('hello');
  while (last(store)?.text !== 'Half') await new Promise((done) => setTimeout(done, 1));
  store.stop();
  expect(await sending).toBeNull();
  expect(last(store)).toMatchObject({ text: 'Half', problem: 'Stopped.' });
});

test('a conversation that the backend no longer knows is begun again with the same message', async () => {
  reply = async (_message, { conversationId }) => {
    if (conversationId) throw new Problem('gone', 'There is no such conversation.');
    return streamed([START, DONE]);
  };
  const store = start({ conversationId: 'forgotten', messages: [] });
  expect(await store.send('hello')).toBeNull();
  expect(sent.map(({ conversationId }) => conversationId)).toEqual(['forgotten', null]);
  expect(conversations).toEqual([null, CONVERSATION]);
});

test('changes by hand become one quiet line', () => {
  const store = start({ messages: [] });
  store.note('You added A.');
  store.note('You completed B.');
  store.note('You deleted C.');
  expect(lines(store)).toEqual(['activity: You deleted C.']);
  expect(last(store)?.earlier).toBe(2);
});

test('a change by hand during an answer goes before it', async () => {
  const store = start();
  reply = async () => {
    store.note('You added A.');
    return streamed([START, DONE]);
  };
  await store.send('hello');
  expect(store.getState().entries.map(({ role }) => role)).toEqual(['user', 'activity', 'assistant']);
});

test('what the page came without is fetched later, once', async () => {
  const store = start({ conversationId: CONVERSATION });
  await store.loadMissing();
  await store.loadMissing();
  expect(lines(store)).toEqual(['user: Before', 'assistant: Done.']);
  expect(store.getState()).toMatchObject({ assistant: 'gemini', model: 'some-model' });
});

test('a new chat forgets the conversation', () => {
  const store = start({ conversationId: CONVERSATION, messages: [] });
  store.startNew();
  expect(conversations).toEqual([null]);
  expect(lines(store)).toEqual([]);
});

/** Sends a message whose answer never comes, until the request is given up. */
const neverTaken: ChatApi['send'] = (_message, _context, signal) =>
  new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason)));

test('a new chat while a message is on its way stays new', async () => {
  reply = neverTaken;
  const store = start({ conversationId: CONVERSATION, messages: history });
  const sending = store.send('hello');
  store.startNew();
  expect(await sending).toBeNull();
  expect(lines(store)).toEqual([]);
  expect(store.getState().answering).toBe(false);
});

test('a message sent into a new chat is not disturbed by the end of the one before', async () => {
  reply = neverTaken;
  const store = start();
  const sending = store.send('old');
  store.startNew();
  let finish = () => {};
  reply = async () => {
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

test('what is noted while a message is on its way stays when the message is not taken', async () => {
  const store = start({ messages: history, conversationId: CONVERSATION });
  reply = async () => {
    store.note('You added A.');
    throw new Problem('unreachable', 'Not now.');
  };
  await store.send('hello');
  expect(lines(store)).toEqual(['user: Before', 'assistant: Done.', 'activity: You added A.']);
});

test('a message says which todos the page shows', async () => {
  reply = async () => streamed([START, DONE]);
  await start().send('done with the second');
  expect(sent[0]?.shown).toEqual(['first', 'second']);
});

const OFFERS =
  'event: done\ndata: {"message_id":"m","todos_changed":true,"undo":"u1","choices":[{"label":"Yes","message":"yes"}]}\n\n';

test('an answer that changed todos can be undone, once', async () => {
  reply = async () => streamed([START, OFFERS]);
  const store = start();
  await store.send('add it');
  expect(last(store)).toMatchObject({ undo: { id: 'u1', state: 'offered' }, choices: [{ label: 'Yes' }] });
  const undone: string[] = [];
  undoing = async (id) => {
    undone.push(id);
  };
  const { id = '' } = last(store) ?? {};
  await Promise.all([store.undo(id), store.undo(id)]);
  expect(undone).toEqual(['u1']);
  expect(last(store)?.undo?.state).toBe('done');
  expect(reloads).toBe(2);
});

test.each([
  [new Problem('conflict', '“milk” was changed since.'), 'refused', '“milk” was changed since.'],
  [new Problem('gone', 'It no longer exists.'), 'refused', 'This can no longer be undone.'],
  [new Problem('unreachable', 'Not now.'), 'offered', 'Not now.'],
])('an undo that ends with %s is %s', async (problem, state, sentence) => {
  reply = async () => streamed([START, OFFERS]);
  undoing = () => Promise.reject(problem);
  const store = start();
  await store.send('add it');
  await store.undo(last(store)?.id ?? '');
  expect(last(store)?.undo).toEqual({ id: 'u1', state, problem: sentence });
});

test('an answer that was under way when the page was loaded is waited for', async () => {
  vi.useFakeTimers();
  history = [stored('user', 'add milk')];
  const store = start({ conversationId: CONVERSATION, messages: history });
  expect(last(store)).toMatchObject({ role: 'assistant', streaming: true });
  expect(store.getState().answering).toBe(true);
  const resuming = store.resume();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(last(store)?.streaming).toBe(true);
  history = [...history, stored('assistant', 'Added.', { undo: 'u1' })];
  await vi.advanceTimersByTimeAsync(5_000);
  await resuming;
  expect(last(store)).toMatchObject({ text: 'Added.', streaming: false, undo: { id: 'u1' } });
  expect(store.getState().answering).toBe(false);
  vi.useRealTimers();
});

test('a message that nobody answered is said to be so, and can be asked again', async () => {
  history = [stored('user', 'add milk', { created_at: '2020-01-01T00:00:00Z' })];
  const store = start({ conversationId: CONVERSATION, messages: history });
  await store.resume();
  expect(last(store)).toMatchObject({ problem: 'This message was not answered.', streaming: false });
  reply = async () => streamed([START, DONE]);
  await store.retry(last(store)?.id ?? '');
  expect(lines(store)).toEqual(['user: add milk', 'assistant: ']);
});

test('an answer that was cut off is fetched and not asked for twice', async () => {
  reply = async () => streamed([START], 'break');
  const store = start();
  await store.send('add milk');
  history = [stored('user', 'add milk'), stored('assistant', 'Added.', { undo: 'u1' })];
  expect(await store.retry(last(store)?.id ?? '')).toBeNull();
  expect(sent).toHaveLength(1);
  expect(last(store)).toMatchObject({ text: 'Added.', problem: null, undo: { id: 'u1' }, streaming: false });
});

test('an answer that failed is asked for again in its place', async () => {
  reply = async () => streamed([START, 'event: error\ndata: {"message":"Too many requests."}\n\n', DONE]);
  const store = start();
  await store.send('hello');
  reply = async () => streamed([START, 'event: delta\ndata: {"text":"Hi."}\n\n', DONE]);
  await store.retry(last(store)?.id ?? '');
  expect(lines(store)).toEqual(['user: hello', 'assistant: Hi.']);
});

test('an answer that still streams when the conversation is left ends nothing in the next one', async () => {
  reply = async (_message, _context, signal) =>
    new Response(
      new ReadableStream({
        start: (controller) => {
          controller.enqueue(new TextEncoder().encode(START));
          signal.addEventListener('abort', () => controller.error(signal.reason));
        },
      }),
    );
  const store = start();
  const streaming = store.send('old');
  while (conversations.length === 0) await new Promise((done) => setTimeout(done, 1));
  store.startNew();
  reply = neverTaken;
  void store.send('new');
  await streaming;
  expect(store.getState().answering).toBe(true);
  expect(lines(store)).toEqual(['user: new', 'assistant: ']);
});
