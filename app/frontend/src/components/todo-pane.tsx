'use client';

import { useLayoutEffect, useRef } from 'react';
import type { Problem } from '@/client/api';
import { useToday } from '@/client/days';
import type { TodoState, TodoStore } from '@/client/todo-store';
import { PAGE_SIZE, type TodoQuery } from '@/shared/todo';
import { AddTodo } from './add-todo';
import { type TodoActions, TodoItem } from './todo-item';
import { TodoToolbar } from './todo-toolbar';

/** The todos: add, find, and everything that can be done with each. */
export function TodoPane({
  store,
  state,
  actions,
}: {
  store: TodoStore;
  state: TodoState;
  actions: TodoActions;
}) {
  return (
    <section className="pane todos" id="todos" aria-labelledby="todos-heading" tabIndex={-1}>
      <header className="pane-head">
        <h1 id="todos-heading">Todos</h1>
        <p className="count">{countInWords(state)}</p>
      </header>
      <AddTodo onAdd={(draft, key) => store.add(draft, key)} />
      <TodoToolbar query={state.query} onQuery={(query) => void store.setQuery(query)} />
      <TodoList store={store} state={state} actions={actions} />
    </section>
  );
}

function countInWords({ query, total, loading, problem, todos }: TodoState): string {
  if (todos.length === 0 && (loading || problem)) return '';
  const number = total.toLocaleString('en');
  if (query.q) return `${number} found`;
  return query.state === 'all' ? `${number} in all` : `${number} ${query.state}`;
}

function TodoList({ store, state, actions }: { store: TodoStore; state: TodoState; actions: TodoActions }) {
  const today = useToday();
  const list = useRef<HTMLUListElement>(null);
  useKeptFocus(list, state.todos);
  const { todos, total, loading, problem, query, saving } = state;

  if (todos.length === 0) {
    if (problem) return <ListProblem problem={problem} onRetry={() => void store.reload()} />;
    if (loading) return <Skeleton />;
    return <EmptyList query={query} onClear={() => void store.setQuery({ ...query, q: '' })} />;
  }
  return (
    <div className="scroll" aria-busy={loading}>
      <ul className="todo-list" ref={list} aria-label="Todos" tabIndex={-1}>
        {todos.map((todo) => (
          <TodoItem key={todo.id} todo={todo} today={today} saving={saving.has(todo.id)} actions={actions} />
        ))}
      </ul>
      {total > todos.length && (
        <button
          type="button"
          className="button more"
          disabled={loading}
          onClick={() => void store.loadMore()}
        >
          Show {Math.min(PAGE_SIZE, total - todos.length)} more
        </button>
      )}
    </div>
  );
}

/** Keep the focus in the list when the row that had it goes away: on the row that took its place. */
function useKeptFocus(list: React.RefObject<HTMLUListElement | null>, todos: unknown) {
  const focusedRow = useRef(-1);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the rows have changed
  useLayoutEffect(() => {
    const ul = list.current;
    if (!ul || focusedRow.current < 0 || document.activeElement !== document.body) return;
    const row = ul.children[Math.min(focusedRow.current, ul.children.length - 1)];
    (row?.querySelector<HTMLElement>('input:not(:disabled), button') ?? ul).focus();
  }, [todos]);
  useLayoutEffect(() => {
    const ul = list.current;
    if (!ul) return;
    const remember = (event: FocusEvent) => {
      const row = (event.target as HTMLElement).closest('li');
      focusedRow.current = row ? [...ul.children].indexOf(row) : -1;
    };
    // A row that is taken away tells no `focusout` with a new target, so leaving on purpose is told apart.
    const leave = (event: FocusEvent) => {
      if (event.relatedTarget) focusedRow.current = -1;
    };
    ul.addEventListener('focusin', remember);
    ul.addEventListener('focusout', leave);
    return () => {
      ul.removeEventListener('focusin', remember);
      ul.removeEventListener('focusout', leave);
    };
  });
}

function ListProblem({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  return (
    <div className="state" role="alert">
      <p className="state-title">Your todos are not here yet</p>
      <p>{problem.message}</p>
      {problem.isConnection && <p className="quiet">This page goes on trying by itself.</p>}
      <button type="button" className="button" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}

function EmptyList({ query, onClear }: { query: TodoQuery; onClear: () => void }) {
  if (query.q) {
    return (
      <div className="state">
        <p className="state-title">Nothing found</p>
        <p>
          No {query.state === 'all' ? '' : `${query.state} `}todo has “<bdi>{query.q}</bdi>” in its title or
          tags.
        </p>
        <button type="button" className="button" onClick={onClear}>
          Clear the search
        </button>
      </div>
    );
  }
  const done = query.state === 'done';
  return (
    <div className="state">
      <p className="state-title">{done ? 'Nothing is done yet' : 'Nothing to do'}</p>
      <p>{done ? 'What you complete is kept here.' : 'Write a todo above, or tell the assistant.'}</p>
    </div>
  );
}

function Skeleton() {
  return (
    <div className="skeleton" role="status">
      <span className="visually-hidden">Loading todos</span>
      <div />
      <div />
      <div />
      <div />
    </div>
  );
}
