// @vitest-environment happy-dom
import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { ConversationsApi } from '@/client/api';
import { Problem } from '@/client/problem';
import { EarlierChats } from '@/components/earlier-chats';
import { stored } from './fake-chat';

afterEach(cleanup);

const CHATS = ['what is left?', 'add milk', 'hello'].map((title, place) => ({
  id: `chat-${place}`,
  title,
  updated_at: '2026-11-20T10:00:00Z',
}));

function list(change: Partial<ConversationsApi> = {}, current = 'chat-0') {
  const api = {
    conversations: vi.fn(async (offset: number) => ({ items: CHATS.slice(offset, offset + 2), total: 3 })),
    messages: vi.fn(async () => [stored('user', 'add milk')]),
    removeConversation: vi.fn(async () => {}),
    ...change,
  };
  const on = { onOpen: vi.fn(), onRemoved: vi.fn(), onClose: vi.fn() };
  render(<EarlierChats api={api} current={current} now="2026-11-23T12:00" locale="en-GB" {...on} />);
  return { api, ...on };
}

test('the latest conversations are listed, more of them when asked, and one is opened with its messages', async () => {
  const { onOpen } = list();
  expect((await screen.findByText('what is left?')).closest('li')?.textContent).toMatch(/now/);
  expect(screen.getByText('add milk').closest('li')?.textContent).toMatch(/Fri.* 20 Nov/);
  await userEvent.click(screen.getByText('Show more'));
  await screen.findByText('hello');
  expect(screen.queryByText('Show more')).toBeNull();
  await userEvent.click(screen.getByText('add milk'));
  expect(onOpen).toHaveBeenCalledWith('chat-1', [expect.objectContaining({ text: 'add milk' })]);
});

test('a conversation is deleted after a second word only, also when it is gone already', async () => {
  const gone = async () => {
    throw new Problem('gone', 'It is gone.');
  };
  const { api, onRemoved } = list({ removeConversation: vi.fn(gone) });
  await userEvent.click(await screen.findByLabelText(/Delete the chat .*what is left/));
  expect(api.removeConversation).not.toHaveBeenCalled();
  await userEvent.click(screen.getByText('Keep'));
  await userEvent.click(screen.getByLabelText(/Delete the chat .*what is left/));
  await userEvent.click(screen.getByText('Delete for good'));
  await vi.waitFor(() => expect(onRemoved).toHaveBeenCalledWith('chat-0'));
  expect(screen.queryByText('what is left?')).toBeNull();
  expect(screen.queryByRole('alert')).toBeNull();
});

test('what fails is said, nothing goes, and Escape leaves', async () => {
  const fails = async () => {
    throw new Problem('unreachable', 'The service cannot be reached.');
  };
  const { onRemoved, onClose } = list({ removeConversation: fails, messages: fails });
  await userEvent.click(await screen.findByText('add milk'));
  expect((await screen.findByRole('alert')).textContent).toMatch(/cannot be reached/);
  await userEvent.click(screen.getByLabelText(/Delete the chat .*add milk/));
  await userEvent.click(screen.getByText('Delete for good'));
  await screen.findByRole('alert');
  expect(onRemoved).not.toHaveBeenCalled();
  await userEvent.keyboard('{Escape}');
  expect(onClose).not.toHaveBeenCalled();
  await userEvent.keyboard('{Escape}');
  expect(onClose).toHaveBeenCalled();
});
