import type { AssistantInfo, StoredMessage } from '@/shared/chat';
import { type Todo, type TodoDraft, type TodoPage, type TodoQuery, todosPath } from '@/shared/todo';

/** Why a call failed, as far as a person can do something about it. */
export type ProblemKind =
  | 'offline'
  | 'unreachable'
  | 'refused-token'
  | 'conflict'
  | 'gone'
  | 'invalid'
  | 'failed';

/** A call that did not do what it should; `message` is a plain sentence. */
export class Problem extends Error {
  override name = 'Problem';
  constructor(
    readonly kind: ProblemKind,
    message: string,
    /** With `conflict`: the todo as it is now. */
    readonly current: Todo | null = null,
  ) {
    super(message);
  }

  /** Whether the service was out of reach, so that the same call may succeed later. */
  get isConnection(): boolean {
    return this.kind === 'offline' || this.kind === 'unreachable';
  }
}

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

function noConnection(): Problem {
  const offline = typeof navigator !== 'undefined' && navigator.onLine === false;
  return offline
    ? new Problem('offline', 'You are offline.')
    : new Problem('unreachable', 'This page cannot reach its server.');
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => null)) as { detail?: unknown; current?: Todo } | null;
  return problemOfStatus(response.status, detailText(body?.detail), body?.current ?? null);
}

/**
 * What an answer that is no success means for a person.
 * @param detail the backend's own sentence, when it gave one
 * @param current with 409: the todo as it is now
 */
export function problemOfStatus(status: number, detail: string | null, current: Todo | null = null): Problem {
  switch (status) {
    case 401:
      return new Problem('refused-token', 'The todo service refuses the token of this page’s server.');
    case 404:
      return new Problem('gone', detail ?? 'It no longer exists.');
    case 409:
      return new Problem('conflict', 'It was changed elsewhere.', current);
    case 413:
      return new Problem('invalid', 'That is too long.');
    case 422:
      return new Problem('invalid', detail ?? 'That is not valid.');
    case 502:
    case 503:
    case 504:
      return new Problem('unreachable', detail ?? 'The todo service cannot be reached right now.');
    default:
      return new Problem('failed', detail ?? `The todo service answered with an error (${status}).`);
  }
}

/** FastAPI's `detail`: a sentence, or a list of what is wrong with which field. */
function detailText(detail: unknown): string | null {
  if (typeof detail === 'string') return detail;
  if (!Array.isArray(detail)) return null;
  const sentences = detail.flatMap((entry: { loc?: unknown[]; msg?: unknown }) => {
    if (typeof entry?.msg !== 'string') return [];
    const field = entry.loc?.at(-1);
    return [typeof field === 'string' && field !== 'body' ? `${field}: ${entry.msg}` : entry.msg];
  });
  return sentences.length > 0 ? sentences.join('; ') : null;
}

/** The fields of a todo that a person can change. */
export type TodoFields = Partial<TodoDraft & { done: boolean }>;

export interface TodoApi {
  list(query: TodoQuery, limit: number, offset: number): Promise<TodoPage>;
  add(draft: TodoDraft, idempotencyKey: string): Promise<Todo>;
  change(id: string, version: number, fields: TodoFields): Promise<Todo>;
  complete(id: string): Promise<Todo>;
  remove(id: string): Promise<void>;
}

const TODO = (id: string) => `/api/todos/${encodeURIComponent(id)}`;

function json(method: string, body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** The todo calls of the API. */
export const todoApi: TodoApi = {
  list: async (query, limit, offset) => (await call(todosPath(query, limit, offset))).json(),
  add: async (draft, key) =>
    (await call('/api/todos', json('POST', draft, { 'idempotency-key': key }))).json(),
  change: async (id, version, fields) => (await call(TODO(id), json('PATCH', { version, ...fields }))).json(),
  complete: async (id) => (await call(`${TODO(id)}/complete`, { method: 'POST' })).json(),
  remove: async (id) => {
    await call(TODO(id), { method: 'DELETE' });
  },
};

export interface ChatApi {
  /** Which assistant answers. */
  info(): Promise<AssistantInfo>;
  /** The messages of a conversation, oldest first. */
  messages(conversationId: string): Promise<StoredMessage[]>;
  /** Send a message; the answer is an event stream. */
  send(message: string, conversationId: string | null, signal: AbortSignal): Promise<Response>;
}

/** The conversation calls of the API. */
export const chatApi: ChatApi = {
  info: async () => (await call('/api/info')).json(),
  messages: async (id) => {
    const response = await call(`/api/conversations/${encodeURIComponent(id)}/messages`);
    return ((await response.json()) as { items: StoredMessage[] }).items;
  },
  send: (message, conversationId, signal) => {
    const body = { message, ...(conversationId && { conversation_id: conversationId }) };
    return call('/api/chat', { ...json('POST', body, { accept: 'text/event-stream' }), signal });
  },
};
