/** The shapes of the backend's HTTP API that the page uses. */

export const PRIORITIES = ['low', 'normal', 'high'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What a person fills in. */
export interface TodoDraft {
  title: string;
  /** Calendar day as `YYYY-MM-DD`, without a time zone. */
  due_date: string | null;
  /** `HH:MM` of that day on the visitor's clock; only with a `due_date`. */
  due_time: string | null;
  priority: Priority;
  tags: string[];
  /** More about it, in lines; mostly empty. */
  notes: string;
}

export interface Todo extends TodoDraft {
  id: string;
  done: boolean;
  /** Grows with each change; a change that names an older one is refused with 409. */
  version: number;
  created_at: string;
  updated_at: string;
  completed_at: string | null;
}

export interface TodoPage {
  items: Todo[];
  total: number;
}

/** What the words of the Add box mean. `note`: what a todo cannot hold, such as a repetition. */
export interface ParsedTodo extends Omit<TodoDraft, 'notes'> {
  note: string | null;
}

export const VIEWS = ['open', 'today', 'upcoming', 'done', 'all'] as const;
export type View = (typeof VIEWS)[number];
export const SORTS = ['created', 'due', 'priority', 'title'] as const;
export type Sort = (typeof SORTS)[number];

export interface TodoQuery {
  view: View;
  q: string;
  sort: Sort;
}

export const FIRST_QUERY: TodoQuery = { view: 'open', q: '', sort: 'created' };
export const PAGE_SIZE = 50;
/** The longest title that the backend takes. */
export const TITLE_MAX = 500;
/** The longest notes that the backend takes. */
export const NOTES_MAX = 4_000;
/** The longest text that the backend searches for. */
export const SEARCH_MAX = 200;

/** The order that a view has until a person chooses another: plans by date, lists by what came last. */
export function usualSort(view: View): Sort {
  return view === 'today' || view === 'upcoming' ? 'due' : 'created';
}

/** Another view of the same search. An order that the person chose is kept. */
export function withView(query: TodoQuery, view: View): TodoQuery {
  const chosen = query.sort !== usualSort(query.view);
  return { ...query, view, sort: chosen ? query.sort : usualSort(view) };
}

/** A title inside a sentence: its direction of writing does not turn the words around it. */
export function quoted(title: string): string {
  return `“\u2068${title}\u2069”`;
}

/**
 * The path and query string that lists todos.
 * @param limit how many, 1 to 200
 * @param offset how many to skip
 * @param today the visitor's day, which the views `today` and `upcoming` need
 */
export function todosPath(query: TodoQuery, limit: number, offset: number, today: string): string {
  const newestFirst = query.sort === 'created' || query.sort === 'priority';
  const search = new URLSearchParams({
    state: query.view === 'done' || query.view === 'all' ? query.view : 'open',
    sort: query.sort,
    order: newestFirst ? 'desc' : 'asc',
    limit: String(limit),
    offset: String(offset),
  });
  if (query.view === 'today') search.set('due_until', today);
  if (query.view === 'upcoming') search.set('due_from', dayAfter(today));
  if (query.q) search.set('q', query.q);
  return `/api/todos?${search}`;
}

/** The calendar day after one, both as `YYYY-MM-DD`. */
export function dayAfter(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 1);
  return date.toISOString().slice(0, 10);
}

/** Whether a todo belongs to a view. Text is the backend's to match. */
export function belongsTo(todo: Todo, view: View, today: string): boolean {
  if (view === 'all') return true;
  if (view === 'done' || todo.done) return todo.done === (view === 'done');
  if (view === 'open') return true;
  return todo.due_date !== null && todo.due_date <= today === (view === 'today');
}
