'use client';

import { useLayoutEffect, useMemo, useRef } from 'react';
import { onListKey } from '@/client/list-keys';
import type { Problem } from '@/client/problem';
import type { TodoState, TodoStore } from '@/client/todo-store';
import type { VisitorClock } from '@/shared/clock';
import { PAGE_SIZE, type TodoQuery } from '@/shared/todo';
import { AddTodo } from './add-todo';
import { type TodoActions, TodoItem } from './todo-item';
import { TodoToolbar } from './todo-toolbar';

interface ListProps extends VisitorClock {
  store: TodoStore;
  state: TodoState;
  /** Show other todos, and say so in the address. */
  onQuery: (query: TodoQuery) => void;
}

/** The todos: add, find, and everything that can be done with each. */
export function TodoPane({ reachable, ...list }: ListProps & { reachable: boolean }) {
  const { store, state, onQuery, now, locale } = list;
  return (
    <section className="pane todos" id="todos" aria-labelledby="todos-heading" tabIndex={-1}>
      <header className="pane-head">
        <h1 id="todos-heading">Todos</h1>
        <p className="count">{countInWords(state)}</p>
      </header>
      <AddTodo
        onAdd={(draft, key) => store.add(draft, key)}
        onNote={(text) => store.notify({ kind: 'info', text })}
        reachable={reachable}
        now={now}
        locale={locale}
      />
      <TodoToolbar query={state.query} onQuery={onQuery} />
      <TodoList {...list} />
    </section>
  );
}

const COUNTED: Record<TodoQuery['view'], string> = {
  open: 'open',
  today: 'for today',
  upcoming: 'upcoming',
  done: 'done',
  all: 'in all',
};

function countInWords({ query, total, loading, problem, todos }: TodoState): string {
  if (todos.length === 0 && (loading || problem)) return '';
  const number = total.toLocaleString('en');
  return query.q ? `${number} found` : `${number} ${COUNTED[query.view]}`;
}

function TodoList({ store, state, onQuery, now, locale }: ListProps) {
  const list = useRef<HTMLUListElement>(null);
  useKeptFocus(list, state.todos);
  const { todos, total, loading, problem, query, saving } = state;
  const actions = useActions(store, (tag) => onQuery({ ...query, q: `#${tag}` }));
  const today = now?.slice(0, 10) ?? null;

  if (todos.length === 0) {
    if (problem) return <ListProblem problem={problem} onRetry={() => void store.reload()} />;
    if (loading) return <Skeleton />;
    return <EmptyList query={query} onClear={() => onQuery({ ...query, q: '' })} />;
  }
  return (
    <div className="scroll" aria-busy={loading}>
      <ul className="todo-list" ref={list} aria-label="Todos" tabIndex={-1} onKeyDown={onListKey}>
        {todos.map((todo) => (
          <TodoItem
            key={todo.id}
            todo={todo}
            // Only a time of today makes a row another one with every minute.
            now={todo.due_time && todo.due_date === today ? now : today && `${today}T00:00`}
            locale={locale}
            saving={saving.has(todo.id)}
            actions={actions}
          />
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

/** What a row can do, the same object for as long as the page lives, so that rows are not rendered without need. */
function useActions(store: TodoStore, showTag: (tag: string) => void): TodoActions {
  const latest = useRef(showTag);
  latest.current = showTag;
  return useMemo(
    () => ({
      toggle: (todo) => void store.toggle(todo),
      save: (seen, fields) => store.save(seen, fields),
      remove: (todo) => void store.remove(todo),
      showTag: (tag) => latest.current(tag),
    }),
    [store],
  );
}

/** Keep the focus when the row that had it goes away: on the row that took its place, or on the pane when it was the last. */
function useKeptFocus(list: React.RefObject<HTMLUListElement | null>, todos: unknown) {
  const focusedRow = useRef(-1);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the rows have changed
  useLayoutEffect(() => {
    if (focusedRow.current < 0 || document.activeElement !== document.body) return;
    const rows = list.current?.children;
    const row = rows?.[Math.min(focusedRow.current, rows.length - 1)];
    const control = row?.querySelector<HTMLElement>('input:not(:disabled), button');
    (control ?? list.current ?? document.getElementById('todos'))?.focus();
    if (!row) focusedRow.current = -1;
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

const NOTHING: Record<TodoQuery['view'], [string, string]> = {
  open: ['Nothing to do', 'Write a todo above, or tell the assistant.'],
  today: ['Nothing for today', 'What is due today or was due before is shown here.'],
  upcoming: ['Nothing upcoming', 'What is due from tomorrow on is shown here.'],
  done: ['Nothing is done yet', 'What you complete is kept here.'],
  all: ['Nothing to do', 'Write a todo above, or tell the assistant.'],
};

function EmptyList({ query, onClear }: { query: TodoQuery; onClear: () => void }) {
  if (query.q) {
    return (
      <div className="state">
        <p className="state-title">Nothing found</p>
        <p>
          No {query.view === 'open' || query.view === 'done' ? `${query.view} ` : ''}todo
          {query.view === 'today' ? ' for today' : query.view === 'upcoming' ? ' to come' : ''} has “
          <bdi>{query.q}</bdi>” in its title, tags and notes.
        </p>
        <button type="button" className="button" onClick={onClear}>
          Clear the search
        </button>
      </div>
    );
  }
  const [title, hint] = NOTHING[query.view];
  return (
    <div className="state">
      <p className="state-title">{title}</p>
      <p>{hint}</p>
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
