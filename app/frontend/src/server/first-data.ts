import { cookies, headers } from 'next/headers';
import { type Place, placeFrom } from '@/shared/address';
import { type AssistantInfo, CONVERSATION_COOKIE, isId, type StoredMessage } from '@/shared/chat';
import { clockIn, localeFrom, TIME_ZONE_COOKIE, type VisitorClock } from '@/shared/clock';
import { PAGE_SIZE, type TodoPage, todosPath } from '@/shared/todo';
import { BackendFailure, BackendRefusal, readFromBackend } from './backend';

/** How long the page waits for the backend before it is sent without data. */
const WITHIN_MS = 2_500;

/** What the page shows at first; a part that the backend did not give in time is null. */
export interface FirstData {
  place: Place;
  clock: VisitorClock;
  todos: TodoPage | null;
  /** The status that says why there are no todos; null while they may still come. */
  failedWith: number | null;
  assistant: AssistantInfo | null;
  conversationId: string | null;
  messages: StoredMessage[] | null;
}

/** What a query string gives a page. */
export type SearchParams = Record<string, string | string[] | undefined>;

/** Ask the backend for all parts of the page at once. */
export async function firstData(searchParams: SearchParams): Promise<FirstData> {
  const cookie = (await cookies()).get(CONVERSATION_COOKIE)?.value;
  const conversationId = isId(cookie) ? cookie : null;
  const place = placeFrom(new URLSearchParams(Object.entries(searchParams).flatMap(firstValue)));
  const clock = await visitorClock();
  const [todos, assistant, messages] = await Promise.all([
    firstTodos(place, clock),
    orNull<AssistantInfo>('/api/info'),
    conversationId
      ? orNull<{ items: StoredMessage[] }>(`/api/conversations/${conversationId}/messages`)
      : null,
  ]);
  const failedWith = typeof todos === 'number' ? todos : null;
  return {
    place,
    clock,
    todos: typeof todos === 'number' ? null : todos,
    failedWith,
    assistant,
    conversationId,
    messages: messages?.items ?? null,
  };
}

/** An address may name a value twice; the first counts. */
function firstValue([name, value]: [string, string | string[] | undefined]): [string, string][] {
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? [] : [[name, first]];
}

async function visitorClock(): Promise<VisitorClock> {
  const zone = (await cookies()).get(TIME_ZONE_COOKIE)?.value;
  const locale = localeFrom((await headers()).get('accept-language'));
  return { now: zone ? clockIn(zone, new Date()) : null, locale };
}

/** The todos of the place; null when they depend on a day that only the browser knows. */
async function firstTodos({ query }: Place, { now }: VisitorClock): Promise<TodoPage | number | null> {
  const needsDay = query.view === 'today' || query.view === 'upcoming';
  if (needsDay && now === null) return null;
  return orFailure<TodoPage>(todosPath(query, PAGE_SIZE, 0, now?.slice(0, 10) ?? ''));
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
