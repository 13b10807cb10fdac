import type { KeyboardEvent } from 'react';

/**
 * The keys of a list of todos, as lists have them everywhere: up and down lead to the same control of the next row,
 * Enter on a circle opens the form, Delete deletes.
 */
export function onListKey(event: KeyboardEvent<HTMLUListElement>): void {
  const control = event.target as HTMLElement;
  const row = control.closest('li');
  if (!row || control.closest('form, a') || event.ctrlKey || event.metaKey || event.altKey) return;
  const done = act(event.key, control, row);
  if (done) event.preventDefault();
}

function act(key: string, control: HTMLElement, row: HTMLElement): boolean {
  switch (key) {
    case 'ArrowDown':
    case 'ArrowUp': {
      const next = key === 'ArrowDown' ? row.nextElementSibling : row.previousElementSibling;
      const place = control.dataset.control ?? 'check';
      next?.querySelector<HTMLElement>(`[data-control=${place}], textarea`)?.focus();
      return true;
    }
    case 'Enter':
      return control.dataset.control === 'check' && press(row, 'edit');
    case 'Delete':
      return press(row, 'delete');
    default:
      return false;
  }
}

function press(row: HTMLElement, control: string): boolean {
  row.querySelector<HTMLElement>(`[data-control=${control}]`)?.click();
  return true;
}
