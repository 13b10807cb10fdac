import { FIRST_QUERY, SEARCH_MAX, SORTS, type TodoQuery, usualSort, VIEWS } from './todo';

/** `chats`: the earlier conversations, in the place of the one that goes on. */
export const PANES = ['todos', 'chat', 'chats'] as const;
export type Pane = (typeof PANES)[number];

/** Where the visitor is on the page: which todos, and on a narrow window which pane. */
export interface Place {
  query: TodoQuery;
  pane: Pane;
}

export const FIRST_PLACE: Place = { query: FIRST_QUERY, pane: 'todos' };

function oneOf<T extends string>(allowed: readonly T[], text: string | null, otherwise: T): T {
  return allowed.find((value) => value === text) ?? otherwise;
}

/** Read the place from an address's query string. What is unknown is as if it were not there. */
export function placeFrom(search: URLSearchParams): Place {
  const view = oneOf(VIEWS, search.get('view'), FIRST_QUERY.view);
  const sort = oneOf(SORTS, search.get('sort'), usualSort(view));
  const q = (search.get('q') ?? '').trim().slice(0, SEARCH_MAX);
  return { query: { view, sort, q }, pane: oneOf(PANES, search.get('pane'), FIRST_PLACE.pane) };
}

/** The address of a place, as short as it can be. */
export function addressOf({ query, pane }: Place): string {
  const search = new URLSearchParams();
  if (query.view !== FIRST_QUERY.view) search.set('view', query.view);
  if (query.sort !== usualSort(query.view)) search.set('sort', query.sort);
  if (query.q) search.set('q', query.q);
  if (pane !== FIRST_PLACE.pane) search.set('pane', pane);
  return search.size > 0 ? `/?${search}` : '/';
}
