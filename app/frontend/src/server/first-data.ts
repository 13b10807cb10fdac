import { cookies } from 'next/headers';
import { type AssistantInfo, CONVERSATION_COOKIE, isId, type StoredMessage } from '@/shared/chat';
import { FIRST_QUERY, PAGE_SIZE, type TodoPage, todosPath } from '@/shared/todo';
import { readFromBackend } from './backend';

/** How long the page waits for the backend before it is sent without data. */
const WITHIN_MS = 2_500;

/** What the page shows at first; a part that the backend did not give in time is null. */
export interface FirstData {
  todos: TodoPage | null;
  assistant: AssistantInfo | null;
  conversationId: string | null;
  messages: StoredMessage[] | null;
}

/** Ask the backend for all parts of the page at once. */
export async function firstData(): Promise<FirstData> {
  const cookie = (await cookies()).get(CONVERSATION_COOKIE)?.value;
  const conversationId = isId(cookie) ? cookie : null;
  const [todos, assistant, messages] = await Promise.all([
    orNull<TodoPage>(todosPath(FIRST_QUERY, PAGE_SIZE)),
    orNull<AssistantInfo>('/api/info'),
    conversationId
      ? orNull<{ items: StoredMessage[] }>(`/api/conversations/${conversationId}/messages`)
      : null,
  ]);
  return { todos, assistant, conversationId, messages: messages?.items ?? null };
}

async function orNull<T>(path: string): Promise<T | null> {
  try {
    return await readFromBackend<T>(path, WITHIN_MS);
  } catch {
    return null;
  }
}
