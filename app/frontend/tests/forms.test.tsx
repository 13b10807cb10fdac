// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, type Mock, test, vi } from 'vitest';
import { Problem } from '@/client/problem';
import type { Parse } from '@/client/use-parsed';
import { AddTodo } from '@/components/add-todo';
import { Composer } from '@/components/composer';
import { EditTodo } from '@/components/edit-todo';
import { TodoItem } from '@/components/todo-item';
import type { ParsedTodo, Todo } from '@/shared/todo';
import { draft, TODAY, todo } from './fake-api';

const CLOCK = { now: `${TODAY}T12:00`, locale: 'en-GB' };
const noParser = () => Promise.reject(new Problem('unreachable', 'Not now.'));

/** The Add box, where by default nobody can say what words mean. */
function addBox({
  onAdd = vi.fn().mockResolvedValue(null),
  parse = noParser,
}: {
  onAdd?: Mock;
  parse?: Parse;
} = {}) {
  const props = { onAdd, parse, onNote: vi.fn(), reachable: true, ...CLOCK };
  return { ...props, ...render(<AddTodo {...props} />) };
}

afterEach(() => {
  cleanup();
  sessionStorage.clear();
});

test('an empty title is refused before anything is sent', async () => {
  const onAdd = vi.fn();
  addBox({ onAdd });
  await userEvent.type(screen.getByLabelText('New todo'), '   {Enter}');
  expect(screen.getByRole('alert').textContent).toMatch(/what is to be done/);
  expect(onAdd).not.toHaveBeenCalled();
});

test('a todo is added with its details, and the box is empty for the next', async () => {
  const onAdd = vi.fn().mockResolvedValue(null);
  addBox({ onAdd });
  await userEvent.click(screen.getByLabelText('Date, priority, tags and notes'));
  await userEvent.selectOptions(screen.getByLabelText('Priority'), 'high');
  await userEvent.type(screen.getByLabelText('Tags'), 'Home, shop');
  await userEvent.type(screen.getByLabelText('New todo'), ' Buy milk {Enter}');
  expect(onAdd.mock.calls[0]?.[0]).toEqual({
    ...draft('Buy milk'),
    priority: 'high',
    tags: ['home', 'shop'],
  });
  expect(screen.getByLabelText<HTMLInputElement>('New todo').value).toBe('');
});

test('what could not be added comes back into the box, and a second try has the same key', async () => {
  const onAdd = vi.fn().mockResolvedValueOnce(new Problem('unreachable', 'Not now.')).mockResolvedValue(null);
  addBox({ onAdd });
  const box = screen.getByLabelText<HTMLInputElement>('New todo');
  await userEvent.type(box, 'Buy milk{Enter}');
  expect((await screen.findByRole('alert')).textContent).toMatch(/was not added. Not now/);
  expect(box.value).toBe('Buy milk');
  await userEvent.type(box, '{Enter}');
  await vi.waitFor(() => expect(onAdd).toHaveBeenCalledTimes(2));
  await userEvent.type(box, 'Other{Enter}');
  await vi.waitFor(() => expect(onAdd).toHaveBeenCalledTimes(3));
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

/** A row of the list. */
function row(fields: Partial<Todo>) {
  const actions = { toggle: vi.fn(), save: vi.fn(), remove: vi.fn(), showTag: vi.fn() };
  const item = <TodoItem todo={todo(1, fields)} {...CLOCK} saving={false} actions={actions} />;
  return { actions, ...render(item) };
}

test('the circle completes, and a click on the title opens the form and completes nothing', async () => {
  const { actions } = row({});
  await userEvent.click(screen.getByText('Todo 1'));
  expect(screen.getByLabelText('Title')).toBeTruthy();
  expect(actions.toggle).not.toHaveBeenCalled();
  await userEvent.click(screen.getByText('Cancel'));
  await userEvent.click(screen.getByRole('checkbox', { name: 'Todo 1' }));
  expect(actions.toggle).toHaveBeenCalledTimes(1);
});

test('a click that ends a selection opens no form', async () => {
  row({});
  vi.spyOn(window, 'getSelection').mockReturnValue({ isCollapsed: false } as Selection);
  await userEvent.click(screen.getByText('Todo 1'));
  expect(screen.queryByLabelText('Title')).toBeNull();
});

test('a tag shows the todos that have it', async () => {
  const { actions } = row({ tags: ['home'] });
  await userEvent.click(screen.getByRole('button', { name: '#home' }));
  expect(actions.showTag).toHaveBeenCalledWith('home');
});

test.each([
  ['11:59', 'true'],
  ['12:00', 'false'],
])('what is due today at %s is overdue at noon: %s', (due_time, overdue) => {
  const { container } = row({ due_date: TODAY, due_time });
  expect(container.querySelector('time')?.dataset.overdue).toBe(overdue);
});

test('an address in a title is a link, and what would turn the text unseen is shown', () => {
  const { container } = row({ title: 'Read https://example.org/a_(b). \u202etxt.exe' });
  expect(screen.getByRole('link').getAttribute('href')).toBe('https://example.org/a_(b)');
  expect(container.querySelector('.control')?.textContent).toBe('RLO');
  expect(container.querySelector('.todo-title')?.textContent).toBe(
    'Read https://example.org/a_(b). RLOtxt.exe',
  );
});

test('HTML in a title is text', () => {
  const title = '<img src=x onerror=alert(1)>';
  const { container } = row({ title });
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

test('Up in an empty box brings the last message back, and moves the cursor in any other', async () => {
  const props = { error: null, answering: false, lastMessage: 'hello', onSend: vi.fn(), onStop: vi.fn() };
  const onDraft = vi.fn();
  const { rerender } = render(<Composer {...props} draft="some text" onDraft={onDraft} />);
  const box = screen.getByLabelText('Message to the assistant');
  await userEvent.type(box, '{ArrowUp}');
  expect(onDraft).not.toHaveBeenCalled();
  rerender(<Composer {...props} draft="" onDraft={onDraft} />);
  await userEvent.type(box, '{ArrowUp}');
  expect(onDraft).toHaveBeenCalledWith('hello');
});

const PARSED: ParsedTodo = {
  ...draft('write report'),
  due_date: '2026-11-24',
  due_time: '17:00',
  priority: 'high',
  tags: ['work'],
  note: null,
};

test('the Add box shows how its words are understood and adds just that', async () => {
  const { onAdd } = addBox({ parse: async () => PARSED });
  await userEvent.type(screen.getByLabelText('New todo'), 'write report tomorrow 5pm #work !high');
  const preview = await screen.findByText('write report');
  expect(preview.closest('p')?.textContent).toMatch(/write report · Tomorrow, 17:00 · High priority #work/);
  await userEvent.type(screen.getByLabelText('New todo'), '{Enter}');
  const { note: _, ...understood } = PARSED;
  await vi.waitFor(() => expect(onAdd.mock.calls[0]?.[0]).toEqual(understood));
});

test('words can be kept as they are written, and what is chosen by hand counts more than words', async () => {
  const { onAdd } = addBox({ parse: async () => PARSED });
  const box = screen.getByLabelText('New todo');
  await userEvent.type(box, 'write report tomorrow');
  await userEvent.click(await screen.findByText('Keep as written'));
  expect(screen.queryByText('Keep as written')).toBeNull();
  await userEvent.type(box, '{Enter}');
  await vi.waitFor(() => expect(onAdd.mock.calls[0]?.[0]).toEqual(draft('write report tomorrow')));

  await userEvent.click(screen.getByLabelText('Date, priority, tags and notes'));
  await userEvent.selectOptions(screen.getByLabelText('Priority'), 'low');
  await userEvent.type(box, 'write report tomorrow!{Enter}');
  await vi.waitFor(() => expect(onAdd.mock.calls[1]?.[0]).toMatchObject({ priority: 'low', tags: ['work'] }));
});

test('when nobody can say what the words mean, the text is added as it is', async () => {
  const { onAdd } = addBox();
  await userEvent.type(screen.getByLabelText('New todo'), 'write report tomorrow{Enter}');
  await vi.waitFor(() => expect(onAdd.mock.calls[0]?.[0]).toEqual(draft('write report tomorrow')));
});

test('what a todo cannot hold is told', async () => {
  const note = 'A todo cannot repeat; this is the first.';
  const { onNote } = addBox({ parse: async () => ({ ...PARSED, note }) });
  await userEvent.type(screen.getByLabelText('New todo'), 'gym every monday{Enter}');
  await vi.waitFor(() => expect(onNote).toHaveBeenCalledWith(note));
});

test('what was said of an outage goes when it is over, and what the person did wrong stays', async () => {
  const onAdd = vi.fn().mockResolvedValue(new Problem('unreachable', 'Not now.'));
  const { rerender, ...props } = addBox({ onAdd });
  await userEvent.type(screen.getByLabelText('New todo'), 'Buy milk{Enter}');
  await screen.findByText(/was not added/);
  rerender(<AddTodo {...props} reachable={false} />);
  expect(screen.queryByText(/was not added/)).not.toBeNull();
  rerender(<AddTodo {...props} reachable={true} />);
  expect(screen.queryByText(/was not added/)).toBeNull();
  await userEvent.clear(screen.getByLabelText('New todo'));
  await userEvent.type(screen.getByLabelText('New todo'), '{Enter}');
  rerender(<AddTodo {...props} reachable={false} />);
  rerender(<AddTodo {...props} reachable={true} />);
  expect(screen.queryByText(/what is to be done/)).not.toBeNull();
});

test('unfinished text is there again after a reload', async () => {
  const { unmount } = addBox();
  await userEvent.type(screen.getByLabelText('New todo'), 'Half a tho');
  unmount();
  addBox();
  expect(screen.getByLabelText<HTMLInputElement>('New todo').value).toBe('Half a tho');
});

test('an edit that was not saved is there again, until it is cancelled', async () => {
  const edit = <EditTodo todo={todo(1)} onSave={vi.fn()} onClose={vi.fn()} />;
  const { unmount } = render(edit);
  await userEvent.type(screen.getByLabelText('Title'), ', half');
  unmount();
  const again = render(edit);
  expect(screen.getByLabelText<HTMLTextAreaElement>('Title').value).toBe('Todo 1, half');
  await userEvent.click(screen.getByText('Cancel'));
  again.unmount();
  render(edit);
  expect(screen.getByLabelText<HTMLTextAreaElement>('Title').value).toBe('Todo 1');
});

test('a time is sent with its date, and goes with it', async () => {
  const onSave = vi.fn().mockResolvedValue({ saved: true });
  const seen = todo(1, { due_date: '2026-12-03', due_time: '17:00' });
  render(<EditTodo todo={seen} onSave={onSave} onClose={vi.fn()} />);
  fireEvent.change(screen.getByLabelText('Due'), { target: { value: '' } });
  expect(screen.getByLabelText<HTMLInputElement>('Time').disabled).toBe(true);
  await userEvent.click(screen.getByText('Save'));
  expect(onSave).toHaveBeenCalledWith(seen, { due_date: null, due_time: null });
});
