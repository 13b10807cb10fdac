import { cookies } from 'next/headers';
import { type AssistantInfo, CONVERSATION_COOKIE, isId, type StoredMessage } from '@/shared/chat';
import { FIRST_QUERY, PAGE_SIZE, type TodoPage, todosPath } from '@/shared/todo';
import { BackendFailure, BackendRefusal, readFromBackend } from './backend';

/** How long the page waits for the backend before it is sent without data. */
const WITHIN_MS = 2_500;

/** What the page shows at first; a part that the backend did not give in time is null. */
export interface FirstData {
  todos: TodoPage | null;
  /** The status that says why there are no todos; null while they may still come. */
  failedWith: number | null;
  assistant: AssistantInfo | null;
  conversationId: string | null;
  messages: StoredMessage[] | null;
}

/** Ask the backend for all parts of the page at once. */
export async function firstData(): Promise<FirstData> {
  const cookie = (await cookies()).get(CONVERSATION_COOKIE)?.value;
  const conversationId = isId(cookie) ? cookie : null;
  const [todos, assistant, messages] = await Promise.all([
    orFailure<TodoPage>(todosPath(FIRST_QUERY, PAGE_SIZE)),
    orNull<AssistantInfo>('/api/info'),
    conversationId
      ? orNull<{ items: StoredMessage[] }>(`/api/conversations/${conversationId}/messages`)
      : null,
  ]);
  const failedWith = typeof todos === 'number' ? todos : null;
  return {
    todos: typeof todos === 'number' ? null : todos,
    failedWith,
    assistant,
    conversationId,
    messages: messages?.items ?? null,
  };
}

async function orNull<T>(path: string): Promise<T | null> {
  const read = await orFailure<T>(path);
  return typeof read === 'number' ? null : read;
}

/** What the backend says, its status when that is no success, or null when it only is too slow. */
async function orFailure<T>(path: string): Promise<T | number | null> {
  try {
    return await readFromBackend<T>(path, WITHIN_MS);
  } catch (error) {
    if (error instanceof BackendRefusal) return error.status;
    return error instanceof BackendFailure && error.kind === 'timeout' ? null : 502;
  }
}
