// @vitest-environment happy-dom
import { cleanup, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { Problem } from '@/client/api';
import { AddTodo } from '@/components/add-todo';
import { Composer } from '@/components/composer';
import { EditTodo } from '@/components/edit-todo';
import { TodoItem } from '@/components/todo-item';
import { todo } from './fake-api';

afterEach(cleanup);

test('an empty title is refused before anything is sent', async () => {
  const onAdd = vi.fn();
  render(<AddTodo onAdd={onAdd} />);
  await userEvent.type(screen.getByLabelText('New todo'), '   {Enter}');
  expect(screen.getByRole('alert').textContent).toMatch(/what is to be done/);
  expect(onAdd).not.toHaveBeenCalled();
});

test('a todo is added with its details, and the box is empty for the next', async () => {
  const onAdd = vi.fn().mockResolvedValue(null);
  render(<AddTodo onAdd={onAdd} />);
  await userEvent.click(screen.getByLabelText('Date, priority and tags'));
  await userEvent.selectOptions(screen.getByLabelText('Priority'), 'high');
  await userEvent.type(screen.getByLabelText('Tags'), 'Home, shop');
  await userEvent.type(screen.getByLabelText('New todo'), ' Buy milk {Enter}');
  expect(onAdd.mock.calls[0]?.[0]).toEqual({
    title: 'Buy milk',
    due_date: null,
    priority: 'high',
    tags: ['home', 'shop'],
  });
  expect(screen.getByLabelText<HTMLInputElement>('New todo').value).toBe('');
});

test('what could not be added comes back into the box, and a second try has the same key', async () => {
  const onAdd = vi.fn().mockResolvedValueOnce(new Problem('unreachable', 'Not now.')).mockResolvedValue(null);
  render(<AddTodo onAdd={onAdd} />);
  const box = screen.getByLabelText<HTMLInputElement>('New todo');
  await userEvent.type(box, 'Buy milk{Enter}');
  expect((await screen.findByRole('alert')).textContent).toMatch(/was not added. Not now/);
  expect(box.value).toBe('Buy milk');
  await userEvent.type(box, '{Enter}');
  await userEvent.type(box, 'Other{Enter}');
  const keys = onAdd.mock.calls.map(([, key]) => key);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
});

test('saving sends only the fields that were changed', async () => {
  const onSave = vi.fn().mockResolvedValue({ saved: true });
  const onClose = vi.fn();
  const seen = todo(1, { tags: ['home'] });
  render(<EditTodo todo={seen} onSave={onSave} onClose={onClose} />);
  await userEvent.type(screen.getByLabelText('Title'), '!{Enter}');
  expect(onSave).toHaveBeenCalledWith(seen, { title: 'Todo 1!' });
  expect(onClose).toHaveBeenCalled();
});

test('saving nothing sends nothing, and Escape leaves', async () => {
  const onSave = vi.fn();
  const onClose = vi.fn();
  render(<EditTodo todo={todo(1)} onSave={onSave} onClose={onClose} />);
  await userEvent.click(screen.getByText('Save'));
  await userEvent.type(screen.getByLabelText('Title'), 'x{Escape}');
  expect(onClose).toHaveBeenCalledTimes(2);
  expect(onSave).not.toHaveBeenCalled();
});

test('a conflict shows what changed, keeps the person’s text, and can be overruled', async () => {
  const seen = todo(1);
  const current = { ...seen, version: 2, due_date: '2026-12-03' };
  const onSave = vi
    .fn()
    .mockResolvedValueOnce({ saved: false, message: '', conflict: current })
    .mockResolvedValue({ saved: true });
  render(<EditTodo todo={seen} onSave={onSave} onClose={vi.fn()} />);
  await userEvent.type(screen.getByLabelText('Title'), ' mine{Enter}');
  const conflict = await screen.findByRole('alert');
  expect(within(conflict).getByText('due date')).toBeTruthy();
  expect(within(conflict).getByText('2026-12-03')).toBeTruthy();
  expect(screen.getByLabelText<HTMLInputElement>('Title').value).toBe('Todo 1 mine');
  await userEvent.click(screen.getByText('Save mine'));
  expect(onSave).toHaveBeenLastCalledWith(current, { title: 'Todo 1 mine' });
});

test('HTML in a title is text', () => {
  const title = '<img src=x onerror=alert(1)>';
  const actions = { toggle: vi.fn(), save: vi.fn(), remove: vi.fn() };
  const { container } = render(
    <TodoItem todo={todo(1, { title })} today={null} saving={false} actions={actions} />,
  );
  expect(container.querySelector('img')).toBeNull();
  expect(screen.getByText(title)).toBeTruthy();
});

test('Enter sends a message, Shift and Enter does not, and nothing is sent while an answer runs', async () => {
  const onSend = vi.fn();
  const props = { draft: 'hello', error: null, onDraft: vi.fn(), onSend, onStop: vi.fn() };
  const { rerender } = render(<Composer {...props} answering={false} />);
  const box = screen.getByLabelText('Message to the assistant');
  await userEvent.type(box, '{Shift>}{Enter}{/Shift}');
  expect(onSend).not.toHaveBeenCalled();
  await userEvent.type(box, '{Enter}');
  expect(onSend).toHaveBeenCalledWith('hello');
  rerender(<Composer {...props} answering={true} />);
  await userEvent.type(box, '{Enter}');
  expect(onSend).toHaveBeenCalledTimes(1);
  await userEvent.click(screen.getByLabelText('Stop the answer'));
  expect(props.onStop).toHaveBeenCalled();
});
