import { useEffect, useState, useSyncExternalStore } from 'react';
import type { FirstData } from '@/server/first-data';
import { CONVERSATION_COOKIE } from '@/shared/chat';
import { TIME_ZONE_COOKIE } from '@/shared/clock';
import { chatApi, todoApi } from './api';
import { ChatStore } from './chat-store';
import { localDay, timeZone } from './days';
import { problemOfStatus } from './problem';
import { Tabs } from './tabs';
import { TodoStore } from './todo-store';

/** The list and the conversation of this page, which tell each other and the other tabs what they change. */
export function useStores(first: FirstData) {
  const [{ todoStore, chatStore, others }] = useState(() => createStores(first));
  const todos = useSyncExternalStore(todoStore.subscribe, todoStore.getState, todoStore.getState);
  const chat = useSyncExternalStore(chatStore.subscribe, chatStore.getState, chatStore.getState);

  useEffect(() => {
    const tabs = new Tabs(() => void todoStore.refresh());
    others.tell = () => tabs.tell();
    return () => tabs.close();
  }, [todoStore, others]);
  useEffect(() => {
    setCookie(TIME_ZONE_COOKIE, timeZone());
    void chatStore.resume();
  }, [chatStore]);

  return { todoStore, chatStore, todos, chat };
}

function createStores(first: FirstData) {
  const others = { tell: () => {} };
  const problem = first.failedWith === null ? null : problemOfStatus(first.failedWith, null);
  const firstTodos = { query: first.place.query, page: first.todos, problem };
  const todoStore = new TodoStore(todoApi, firstTodos, {
    onActivity: (sentence) => chatStore.note(sentence),
    onChanged: () => others.tell(),
    // The server has no clock of the visitor's but this.
    today: () => (typeof window === 'undefined' && first.clock.now?.slice(0, 10)) || localDay(new Date()),
  });
  const chatStore: ChatStore = new ChatStore(chatApi, first, {
    onTodosChanged: () => {
      others.tell();
      void todoStore.refresh();
    },
    onConversation: (id) => setCookie(CONVERSATION_COOKIE, id),
    shown: () => todoStore.shownIds(),
  });
  return { todoStore, chatStore, others };
}

const YEAR_SECONDS = 31_536_000;

/** The server reads these cookies to render the page as this visitor's. */
function setCookie(name: string, value: string | null): void {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  const age = value === null ? 0 : YEAR_SECONDS;
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
  document.cookie = `${name}=${encodeURIComponent(value ?? '')}; Path=/; Max-Age=${age}; SameSite=Strict${secure}`;
}
