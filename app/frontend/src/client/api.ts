import type { AssistantInfo, ConversationSummary, StoredMessage } from '@/shared/chat';
import {
  type ParsedTodo,
  type Todo,
  type TodoDraft,
  type TodoPage,
  type TodoQuery,
  todosPath,
} from '@/shared/todo';
import { dateFormat, hourCycle, localDay, timeZone } from './days';
import { detailInWords, noConnection, Problem, problemOfStatus } from './problem';

export type Fetch = typeof fetch;

/**
 * Call the API.
 * @returns the response of a success
 * @throws Problem for everything else, and DOMException `AbortError` when `init.signal` ended it
 */
export async function call(path: string, init: RequestInit = {}, send: Fetch = fetch): Promise<Response> {
  let response: Response;
  try {
    response = await send(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw noConnection();
  }
  if (response.ok) return response;
  throw await problemOf(response);
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => null)) as { detail?: unknown; current?: Todo } | null;
  return problemOfStatus(response.status, detailInWords(body?.detail), body?.current ?? null);
}

/** The fields of a todo that a person can change. */
export type TodoFields = Partial<TodoDraft & { done: boolean }>;

export interface TodoApi {
  list(query: TodoQuery, limit: number, offset: number): Promise<TodoPage>;
  add(draft: TodoDraft, idempotencyKey: string): Promise<Todo>;
  change(id: string, version: number, fields: TodoFields): Promise<Todo>;
  complete(id: string): Promise<Todo>;
  remove(id: string): Promise<void>;
  /** Bring a deleted todo back as it was. */
  restore(id: string): Promise<Todo>;
}

const CONVERSATION = (id: string) => `/api/conversations/${encodeURIComponent(id)}`;
const TODO = (id: string) => `/api/todos/${encodeURIComponent(id)}`;

function json(method: string, body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** The todo calls of the API. */
export const todoApi: TodoApi = {
  list: async (query, limit, offset) =>
    (await call(todosPath(query, limit, offset, localDay(new Date())))).json(),
  add: async (draft, key) =>
    (await call('/api/todos', json('POST', draft, { 'idempotency-key': key }))).json(),
  change: async (id, version, fields) => (await call(TODO(id), json('PATCH', { version, ...fields }))).json(),
  complete: async (id) => (await call(`${TODO(id)}/complete`, { method: 'POST' })).json(),
  remove: async (id) => {
    await call(TODO(id), { method: 'DELETE' });
  },
  restore: async (id) => (await call(`${TODO(id)}/restore`, { method: 'POST' })).json(),
};

/**
 * Send a body with the visitor's time zone. A browser may know a zone that the backend does not; then it is sent
 * without one, and the server's day counts.
 */
export async function postWithZone(path: string, body: object, init: RequestInit = {}): Promise<Response> {
  const post = (zone: string | null) =>
    call(path, {
      ...json('POST', { ...body, time_zone: zone }, init.headers as Record<string, string>),
      signal: init.signal ?? null,
    });
  const zone = timeZone();
  try {
    return await post(zone);
  } catch (error) {
    const unknownZone = zone !== null && error instanceof Problem && /^time zone /i.test(error.message);
    if (!unknownZone) throw error;
    return await post(null);
  }
}

/** What the words of the Add box mean. */
export async function parseTodo(text: string, signal: AbortSignal): Promise<ParsedTodo> {
  return (
    await postWithZone('/api/parse', { text, date_format: dateFormat(navigator.language) }, { signal })
  ).json();
}

/** Where a message belongs, and what the person sees beside it. */
export interface MessageContext {
  conversationId: string | null;
  /** Ids of the todos as the page shows them, in its order. */
  shown: string[];
}

/** As many ids as the backend takes. */
const SHOWN_MAX = 200;

export interface ConversationPage {
  items: ConversationSummary[];
  total: number;
}

export interface ConversationsApi {
  /** Conversations, the latest first. @param offset how many to skip */
  conversations(offset: number): Promise<ConversationPage>;
  messages(conversationId: string): Promise<StoredMessage[]>;
  /** Delete a conversation for good. */
  removeConversation(id: string): Promise<void>;
}

export interface ChatApi {
  /** Which assistant answers. */
  info(): Promise<AssistantInfo>;
  /** The messages of a conversation, oldest first. */
  messages(conversationId: string): Promise<StoredMessage[]>;
  /** Send a message; the answer is an event stream. */
  send(message: string, context: MessageContext, signal: AbortSignal): Promise<Response>;
  /** Take back all that one answer changed. */
  undo(changeId: string): Promise<void>;
}

/** The conversation calls of the API. */
export const chatApi: ChatApi & ConversationsApi = {
  info: async () => (await call('/api/info')).json(),
  conversations: async (offset) => (await call(`/api/conversations?offset=${offset}`)).json(),
  removeConversation: async (id) => {
    await call(CONVERSATION(id), { method: 'DELETE' });
  },
  messages: async (id) => {
    const response = await call(`${CONVERSATION(id)}/messages`);
    return ((await response.json()) as { items: StoredMessage[] }).items;
  },
  send: (message, { conversationId, shown }, signal) => {
    const body = {
      message,
      conversation_id: conversationId,
      shown: shown.slice(0, SHOWN_MAX),
      hour_cycle: hourCycle(navigator.language),
      date_format: dateFormat(navigator.language),
    };
    return postWithZone('/api/chat', body, { headers: { accept: 'text/event-stream' }, signal });
  },
  undo: async (id) => {
    await call(`/api/undo/${encodeURIComponent(id)}`, { method: 'POST' });
  },
};
