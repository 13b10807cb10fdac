// @vitest-environment happy-dom
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { entry } from '@/client/chat-entry';
import { Conversation } from '@/components/conversation';

afterEach(cleanup);

test('what tools did is told once for each kind, with how often', () => {
  const tools = ['list_todos', 'add_todo', 'list_todos', 'add_todo', 'add_todo'].map(
    (name) => ({ name, outcome: 'ok' }) as const,
  );
  const answer = entry('assistant', 'Added.', {
    tools: [...tools, { name: 'add_todo', outcome: 'refused' }],
  });
  const nothing = { onChoice: vi.fn(), onUndo: vi.fn(), onRetry: vi.fn() };
  render(<Conversation entries={[answer]} answering={false} {...nothing} />);
  const told = screen.getAllByRole('listitem').map((item) => item.textContent);
  expect(told.slice(1)).toEqual(['Looked at the list', 'Added a todo × 3', 'Added a todo: refused']);
});

test.each([
  [null, 'Ask again'],
  ['Too many requests.', 'Try again'],
])('an answer with the problem %s has the button “%s”', (problem, label) => {
  const entries = [entry('user', 'what is left?'), entry('assistant', '2 open todos.', { problem })];
  const actions = { onChoice: vi.fn(), onUndo: vi.fn(), onRetry: vi.fn() };
  render(<Conversation entries={entries} answering={false} {...actions} />);
  expect(screen.getAllByRole('button').map(({ textContent }) => textContent)).toEqual([label, 'Copy']);
});
