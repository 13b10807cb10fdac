/** The shapes of the backend's HTTP API that the page uses. */

export const PRIORITIES = ['low', 'normal', 'high'] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface Todo {
  id: string;
  title: string;
  /** Calendar day as `YYYY-MM-DD`, without a time zone. */
  due_date: string | null;
  priority: Priority;
  tags: string[];
  done: boolean;
  /** Grows with each change; a change that names an older one is refused with 409. */
  version: number;
  created_at: string;
  updated_at: string;
  completed_at: string | null;
}

/** What a person fills in. */
export interface TodoDraft {
  title: string;
  due_date: string | null;
  priority: Priority;
  tags: string[];
}

export interface TodoPage {
  items: Todo[];
  total: number;
}

export const STATES = ['open', 'done', 'all'] as const;
export const SORTS = ['created', 'due', 'priority', 'title'] as const;

export interface TodoQuery {
  state: (typeof STATES)[number];
  q: string;
  sort: (typeof SORTS)[number];
}

export const FIRST_QUERY: TodoQuery = { state: 'open', q: '', sort: 'created' };
export const PAGE_SIZE = 50;
/** The longest title that the backend takes. */
export const TITLE_MAX = 500;

/** A title inside a sentence: its direction of writing does not turn the words around it. */
export function quoted(title: string): string {
  return `“\u2068${title}\u2069”`;
}

/**
 * The path and query string that lists todos.
 * @param limit how many, 1 to 200
 * @param offset how many to skip
 */
export function todosPath(query: TodoQuery, limit: number, offset = 0): string {
  const newestFirst = query.sort === 'created' || query.sort === 'priority';
  const search = new URLSearchParams({
    state: query.state,
    sort: query.sort,
    order: newestFirst ? 'desc' : 'asc',
    limit: String(limit),
    offset: String(offset),
  });
  if (query.q) search.set('q', query.q);
  return `/api/todos?${search}`;
}
