import { beforeEach, expect, test } from 'vitest';
import { type ChatApi, Problem } from '@/client/api';
import { ChatStore, chatEvents, type FirstChat } from '@/client/chat-store';

const CONVERSATION = '11111111-1111-4111-8111-111111111111';
const START = `event: start\ndata: {"conversation_id":"${CONVERSATION}","assistant":"rules"}\n\n`;
const DONE = 'event: done\ndata: {"message_id":"m","todos_changed":true}\n\n';

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
let sent: (string | null)[];
let reloads: number;
let conversations: (string | null)[];

beforeEach(() => {
  sent = [];
  reloads = 0;
  conversations = [];
});

function start(first: Partial<FirstChat> = {}): ChatStore {
  const api: ChatApi = {
    info: async () => ({ version: '1', assistant: 'gemini', model: 'some-model' }),
    messages: async () => [{ id: 'old', role: 'user', text: 'Before', created_at: '' }],
    send: (message, conversationId, signal) => {
      sent.push(conversationId);
      return reply(message, conversationId, signal);
    },
  };
  return new ChatStore(
    api,
    { conversationId: null, messages: null, assistant: null, ...first },
    { onTodosChanged: () => (reloads += 1), onConversation: (id) => conversations.push(id) },
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

test('a conversation that the backend no longer knows is begun anew with the same message', async () => {
  reply = async (_message, conversationId) => {
    if (conversationId) throw new Problem('gone', 'There is no such conversation.');
    return streamed([START, DONE]);
  };
  const store = start({ conversationId: 'forgotten', messages: [] });
  expect(await store.send('hello')).toBeNull();
  expect(sent).toEqual(['forgotten', null]);
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
  expect(lines(store)).toEqual(['user: Before']);
  expect(store.getState()).toMatchObject({ assistant: 'gemini', model: 'some-model' });
});

test('a new chat forgets the conversation', () => {
  const store = start({ conversationId: CONVERSATION, messages: [] });
  store.startAnew();
  expect(conversations).toEqual([null]);
  expect(lines(store)).toEqual([]);
});
