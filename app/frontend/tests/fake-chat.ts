import type { ChatApi, MessageContext } from '@/client/api';
import { ChatStore, type FirstChat } from '@/client/chat-store';
import type { StoredMessage } from '@/shared/chat';

export const CONVERSATION = '11111111-1111-4111-8111-111111111111';
export const START = `event: start\ndata: {"conversation_id":"${CONVERSATION}","assistant":"rules"}\n\n`;
export const DONE = 'event: done\ndata: {"message_id":"m","todos_changed":true,"undo":null,"choices":[]}\n\n';
/** The end of an answer that can be undone and that asks something. */
export const OFFERS =
  'event: done\ndata: {"message_id":"m","todos_changed":true,"undo":"u1","choices":[{"label":"Yes","message":"yes"}]}\n\n';

/** A message as the backend has stored it. */
export function stored(
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
export function streamed(pieces: (string | Uint8Array)[], ending: 'close' | 'break' = 'close'): Response {
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

/** Sends a message that is not taken, until the request is given up. */
export const neverTaken: ChatApi['send'] = (_message, _context, signal) =>
  new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason)));

/** Sends a message whose answer begins and goes on until it is given up. */
export const endless: ChatApi['send'] = async (_message, _context, signal) =>
  new Response(
    new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(START));
        signal.addEventListener('abort', () => controller.error(signal.reason));
      },
    }),
  );

/** The backend's side of a conversation, in memory, and what a store did with it. */
export class FakeChat {
  /** How the next message is answered. */
  reply: ChatApi['send'] = neverTaken;
  undoing: ChatApi['undo'] = async () => {};
  /** What the backend has stored of the conversation. */
  history = [stored('user', 'Before'), stored('assistant', 'Done.')];
  readonly sent: MessageContext[] = [];
  reloads = 0;
  readonly conversations: (string | null)[] = [];

  start(first: Partial<FirstChat> = {}): ChatStore {
    const api: ChatApi = {
      info: async () => ({ version: '1', assistant: 'gemini', model: 'some-model' }),
      messages: async () => this.history,
      send: (message, context, signal) => {
        this.sent.push(context);
        return this.reply(message, context, signal);
      },
      undo: (id) => this.undoing(id),
    };
    const bare = { conversationId: null, messages: null, assistant: null };
    return new ChatStore(
      api,
      { ...bare, ...first },
      {
        onTodosChanged: () => {
          this.reloads += 1;
        },
        onConversation: (id) => this.conversations.push(id),
        shown: () => ['first', 'second'],
      },
    );
  }
}

export const lines = (store: ChatStore) =>
  store.getState().entries.map(({ role, text }) => `${role}: ${text}`);
export const last = (store: ChatStore) => store.getState().entries.at(-1);
export const settled = () => new Promise((done) => setTimeout(done, 5));
