// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Notice } from '@/client/notices';
import { Notices } from '@/components/notices';

beforeEach(() => void vi.useFakeTimers());

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

/** A page with a row, a box for text and one notice that can be undone. */
function page() {
  const run = vi.fn();
  const onDismiss = vi.fn();
  const notices: Notice[] = [{ id: 'one', kind: 'info', text: 'Deleted.', action: { label: 'Undo', run } }];
  render(
    <>
      <input type="checkbox" aria-label="Row" />
      <input type="text" aria-label="Box" />
      <Notices notices={notices} onDismiss={onDismiss} />
    </>,
  );
  return { run, onDismiss, undo: screen.getByText('Undo') };
}

const wait = () => act(() => vi.advanceTimersByTime(60_000));

test('good news goes by itself', () => {
  const { onDismiss } = page();
  wait();
  expect(onDismiss).toHaveBeenCalledWith('one');
});

test('it stays while the pointer or the focus is on it', () => {
  const { onDismiss, undo } = page();
  fireEvent.pointerEnter(undo);
  act(() => undo.focus());
  wait();
  fireEvent.pointerLeave(undo);
  wait();
  expect(onDismiss).not.toHaveBeenCalled();
  act(() => undo.blur());
  wait();
  expect(onDismiss).toHaveBeenCalledWith('one');
});

test.each(['Undo', 'Dismiss'])('%s gives the focus back to what had it', (name) => {
  page();
  const row = screen.getByLabelText('Row');
  const button = screen.getByRole('button', { name });
  act(() => row.focus());
  act(() => button.focus());
  fireEvent.click(button);
  expect(document.activeElement).toBe(row);
});

test('Ctrl+Z undoes from anywhere but a text field, where it belongs to the text', () => {
  const { run, onDismiss } = page();
  fireEvent.keyDown(screen.getByLabelText('Box'), { key: 'z', ctrlKey: true });
  fireEvent.keyDown(screen.getByLabelText('Row'), { key: 'z' });
  fireEvent.keyDown(screen.getByLabelText('Row'), { key: 'Z', ctrlKey: true, shiftKey: true });
  expect(run).not.toHaveBeenCalled();
  fireEvent.keyDown(screen.getByLabelText('Row'), { key: 'z', ctrlKey: true });
  expect(run).toHaveBeenCalledOnce();
  expect(onDismiss).toHaveBeenCalledWith('one');
});
