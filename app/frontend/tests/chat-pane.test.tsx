// @vitest-environment happy-dom
import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useSyncExternalStore } from 'react';
import { afterEach, expect, test } from 'vitest';
import { ChatPane, examplesFor } from '@/components/chat-pane';
import type { Todo } from '@/shared/todo';
import { todo } from './fake-api';
import { FakeChat } from './fake-chat';

afterEach(cleanup);

const store = new FakeChat().start();

function Pane({ todos }: { todos: Todo[] }) {
  const state = useSyncExternalStore(store.subscribe, store.getState);
  const rest = { reachable: true, listing: false, onListing: () => {}, now: null, locale: 'en-GB' };
  return <ChatPane store={store} state={state} todos={todos} {...rest} />;
}

test('the example that moves a todo names an open one of the visitor’s, and is there only with one', () => {
  const moves = (...todos: Todo[]) => examplesFor(todos).filter((text) => text.startsWith('Move'));
  expect(moves()).toEqual([]);
  expect(moves(todo(1, { done: true }), todo(2))).toEqual(['Move "Todo 2" to friday']);
  const unfit = [todo(1, { title: 'x'.repeat(41) }), todo(2, { title: 'say "hi"' })];
  expect(moves(...unfit)).toEqual([]);
  expect(moves(todo(1, { due_date: '2026-12-04' }))).toEqual([]); // a Friday: it may be there already
  expect(moves(todo(1, { due_date: '2026-12-05' }))).toHaveLength(1);
});

test('another example takes the place of the one before, also when its todo has gone since', async () => {
  sessionStorage.clear();
  const { rerender } = render(<Pane todos={[todo(1)]} />);
  const box = screen.getByLabelText<HTMLTextAreaElement>('Message to the assistant');
  await userEvent.click(screen.getByRole('button', { name: 'Move "Todo 1" to friday' }));
  expect(box.value).toBe('Move "Todo 1" to friday');
  rerender(<Pane todos={[]} />);
  await userEvent.click(screen.getByRole('button', { name: 'What’s left today?' }));
  expect(box.value).toBe('What’s left today?');
});
