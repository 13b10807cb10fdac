import { belongsTo, type Todo, type TodoDraft, type TodoQuery } from '@/shared/todo';
import type { TodoFields } from './api';

/** A change that is shown already and that the backend has not confirmed yet. `place`: where a todo stood before. */
export type Change =
  | { id: string; kind: 'add'; todo: Todo }
  | { id: string; kind: 'edit'; todoId: string; fields: TodoFields }
  | { id: string; kind: 'remove'; todoId: string }
  | { id: string; kind: 'restore'; todo: Todo; place: number };

/** What the backend said last, and the changes on top of it. Taking a change back is leaving it out. */
export interface TodoList {
  query: TodoQuery;
  confirmed: Todo[];
  /** How many todos match the query. */
  total: number;
  changes: Change[];
}

/** The id of the todo that a change is about; of an added one, the id that it has until it is confirmed. */
export function todoIdOf(change: Change): string {
  if (change.kind === 'add') return change.id;
  return change.kind === 'restore' ? change.todo.id : change.todoId;
}

/** The todos as the page shows them. A todo that no longer fits the view stays until the list is loaded again. */
export function shownTodos(list: TodoList): Todo[] {
  let todos = list.confirmed;
  for (const change of list.changes) todos = applied(todos, change);
  return todos;
}

/**
 * How many todos match the view, counting the changes shown already. Every todo matched when it was loaded.
 * @param today the visitor's day
 */
export function shownTotal(list: TodoList, today: string): number {
  const shown = shownTodos(list);
  const strays = shown.filter((todo) => !belongsTo(todo, list.query.view, today)).length;
  return list.total + shown.length - list.confirmed.length - strays;
}

function applied(todos: Todo[], change: Change): Todo[] {
  switch (change.kind) {
    case 'add':
      return [change.todo, ...todos];
    case 'edit':
      return todos.map((todo) => (todo.id === change.todoId ? { ...todo, ...change.fields } : todo));
    case 'remove':
      return todos.filter((todo) => todo.id !== change.todoId);
    case 'restore':
      return withAt(todos, change.todo, change.place);
  }
}

function withAt(todos: Todo[], todo: Todo, place: number): Todo[] {
  return todos.some(({ id }) => id === todo.id) ? todos : todos.toSpliced(place, 0, todo);
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
  if (todo === null) return change.kind === 'remove' ? forget(rest, change.todoId) : rest;
  if (change.kind !== 'add' && change.kind !== 'restore') return replace(rest, todo);
  const others = without(rest, todo.id);
  const place = change.kind === 'add' ? 0 : change.place;
  const isNew = others.length === rest.confirmed.length;
  return { ...rest, confirmed: others.toSpliced(place, 0, todo), total: rest.total + (isNew ? 1 : 0) };
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
