// @vitest-environment happy-dom
import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useSyncExternalStore } from 'react';
import { afterEach, expect, test } from 'vitest';
import { TodoStore } from '@/client/todo-store';
import { TodoPane } from '@/components/todo-pane';
import { FIRST_QUERY } from '@/shared/todo';
import { FakeApi, TODAY, todo } from './fake-api';

afterEach(cleanup);

function Pane({ store }: { store: TodoStore }) {
  const state = useSyncExternalStore(store.subscribe, store.getState);
  return (
    <TodoPane
      store={store}
      state={state}
      onQuery={() => {}}
      reachable
      now={`${TODAY}T12:00`}
      locale="en-GB"
    />
  );
}

test('the focus stays in the list when a row is deleted, and in the pane when it was the last', async () => {
  const items = [todo(1), todo(2)];
  const page = { items, total: items.length };
  render(<Pane store={new TodoStore(new FakeApi(items), { query: FIRST_QUERY, page })} />);
  screen.getByLabelText('Todo 1').focus();
  await userEvent.keyboard('{Delete}');
  expect(document.activeElement).toBe(screen.getByLabelText('Todo 2'));
  await userEvent.keyboard('{Delete}');
  await screen.findByText('Nothing to do');
  expect(document.activeElement?.id).toBe('todos');
});
