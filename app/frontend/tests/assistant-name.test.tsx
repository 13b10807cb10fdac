// @vitest-environment happy-dom
import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AssistantName } from '@/components/assistant-name';

afterEach(cleanup);

const name = () => screen.getByText('Built-in assistant');
const help = () => name().closest('details') as HTMLDetailsElement;
const elsewhere = () => screen.getByRole('button', { name: 'elsewhere' });

beforeEach(() => {
  render(
    <>
      <section tabIndex={-1}>
        <AssistantName assistant="rules" model={null} />
      </section>
      <p>a text</p>
      <button type="button">elsewhere</button>
    </>,
  );
  help().open = true;
});

test('the help stays while it is used', async () => {
  await userEvent.click(screen.getByText('Google Gemini'));
  expect(document.activeElement?.tagName).toBe('SECTION'); // as in the page, what is around takes the focus
  screen.getByRole('link').focus();
  await userEvent.keyboard('a');
  expect(help().open).toBe(true);
});

test('the help closes at a press and at a focus elsewhere', async () => {
  await userEvent.click(screen.getByText('a text'));
  expect(help().open).toBe(false);
  help().open = true;
  elsewhere().focus();
  expect(help().open).toBe(false);
});

test('Escape closes the help wherever the focus is, and gives it back when it was in the help', async () => {
  screen.getByRole('link').focus();
  await userEvent.keyboard('{Escape}');
  expect([help().open, document.activeElement]).toEqual([false, name()]);
  elsewhere().focus();
  help().open = true;
  await userEvent.keyboard('{Escape}');
  expect([help().open, document.activeElement]).toEqual([false, elsewhere()]);
});
