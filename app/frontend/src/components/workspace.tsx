'use client';

import { useState, useSyncExternalStore } from 'react';
import { todoApi } from '@/client/api';
import { TodoStore } from '@/client/todo-store';
import type { FirstData } from '@/server/first-data';
import { FIRST_QUERY } from '@/shared/todo';

export function Workspace({ first }: { first: FirstData }) {
  const [store] = useState(() => new TodoStore(todoApi, { query: FIRST_QUERY, page: first.todos }));
  const state = useSyncExternalStore(store.subscribe, store.getState, store.getState);
  const [title, setTitle] = useState('');
  return (
    <main>
      <h1>Todos</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void store.add({ title, due_date: null, priority: 'normal', tags: [] }, crypto.randomUUID());
          setTitle('');
        }}
      >
        <input aria-label="New todo" value={title} onChange={(event) => setTitle(event.target.value)} />
        <button type="submit">Add</button>
      </form>
      <ul>
        {state.todos.map((todo) => (
          <li key={todo.id}>
            <label>
              <input type="checkbox" checked={todo.done} onChange={() => void store.toggle(todo)} />{' '}
              {todo.title}
            </label>
          </li>
        ))}
      </ul>
      {state.problem && <p role="alert">{state.problem.message}</p>}
    </main>
  );
}
