import type { Todo, TodoDraft, TodoQuery } from '@/shared/todo';
import type { TodoFields } from './api';

/** A change that is shown already and that the backend has not confirmed yet. */
export type Change =
  | { id: string; kind: 'add'; todo: Todo }
  | { id: string; kind: 'edit'; todoId: string; fields: TodoFields }
  | { id: string; kind: 'remove'; todoId: string };

/** What the backend said last, and the changes on top of it. Taking a change back is leaving it out. */
export interface TodoList {
  query: TodoQuery;
  confirmed: Todo[];
  /** How many todos match the query. */
  total: number;
  changes: Change[];
}

/** The todos as the page shows them. A todo that no longer fits the filter stays until the list is loaded again. */
export function shownTodos(list: TodoList): Todo[] {
  let todos = list.confirmed;
  for (const change of list.changes) todos = applied(todos, change);
  return todos;
}

/** How many todos match the filter, counting the changes shown already. Every todo matched when it was loaded. */
export function shownTotal(list: TodoList): number {
  const shown = shownTodos(list);
  const strays = shown.filter((todo) => !matchesState(todo, list.query.state)).length;
  return list.total + shown.length - list.confirmed.length - strays;
}

function matchesState(todo: Todo, state: TodoQuery['state']): boolean {
  return state === 'all' || todo.done === (state === 'done');
}

function applied(todos: Todo[], change: Change): Todo[] {
  switch (change.kind) {
    case 'add':
      return [change.todo, ...todos];
    case 'edit':
      return todos.map((todo) => (todo.id === change.todoId ? { ...todo, ...change.fields } : todo));
    case 'remove':
      return todos.filter((todo) => todo.id !== change.todoId);
  }
}

/** Show a change. */
export function begin(list: TodoList, change: Change): TodoList {
  return { ...list, changes: [...list.changes, change] };
}

/** Take a change back. */
export function rollBack(list: TodoList, changeId: string): TodoList {
  return { ...list, changes: list.changes.filter((change) => change.id !== changeId) };
}

/** Replace a change by what the backend made of it; `todo` is null for a removal. */
export function confirm(list: TodoList, changeId: string, todo: Todo | null): TodoList {
  const change = list.changes.find(({ id }) => id === changeId);
  const rest = rollBack(list, changeId);
  if (change === undefined) return rest;
  if (change.kind === 'add') {
    return todo === null
      ? rest
      : { ...rest, confirmed: [todo, ...without(rest, todo.id)], total: rest.total + 1 };
  }
  return todo === null ? forget(rest, change.todoId) : replace(rest, todo);
}

/** Put the newest version of a todo in its place. */
export function replace(list: TodoList, todo: Todo): TodoList {
  return { ...list, confirmed: list.confirmed.map((known) => (known.id === todo.id ? todo : known)) };
}

/** Leave out a todo that no longer exists. */
export function forget(list: TodoList, todoId: string): TodoList {
  const confirmed = without(list, todoId);
  return { ...list, confirmed, total: list.total - (list.confirmed.length - confirmed.length) };
}

function without(list: TodoList, todoId: string): Todo[] {
  return list.confirmed.filter(({ id }) => id !== todoId);
}

/** The todo that stands in for one that the backend has not created yet. */
export function provisionalTodo(id: string, draft: TodoDraft): Todo {
  const now = new Date().toISOString();
  return { ...draft, id, done: false, version: 0, created_at: now, updated_at: now, completed_at: null };
}
