'use client';

import { useCallback, useEffect, useRef } from 'react';
import { useLocale, useNow } from '@/client/days';
import { useOnline, useReloading } from '@/client/use-connection';
import { usePlace } from '@/client/use-place';
import { useStores } from '@/client/use-stores';
import type { FirstData } from '@/server/first-data';
import type { TodoQuery } from '@/shared/todo';
import { ChatPane } from './chat-pane';
import { ConnectionState } from './connection-state';
import { Notices } from './notices';
import { PaneSwitch, useUnseen } from './pane-switch';
import { TodoPane } from './todo-pane';

/** The page: the todos beside the conversation, or one of them at a time where the window is narrow. */
export function Workspace({ first }: { first: FirstData }) {
  const { todoStore, chatStore, todos, chat } = useStores(first);
  const online = useOnline();
  const now = useNow(first.clock.now);
  const locale = useLocale(first.clock.locale);
  const setQuery = useCallback((query: TodoQuery) => void todoStore.setQuery(query), [todoStore]);
  const { place, showQuery, showPane } = usePlace(first.place, setQuery);

  const refresh = useCallback(async () => {
    await todoStore.refresh();
    if (todoStore.getState().problem === null) await chatStore.loadMissing();
  }, [todoStore, chatStore]);
  useReloading(refresh, todos.problem, online);
  useEffect(() => {
    if (first.todos === null || first.assistant === null) void refresh();
  }, [first, refresh]);
  useNewDay(now?.slice(0, 10) ?? null, refresh);

  const dismiss = useCallback((id: string) => todoStore.dismiss(id), [todoStore]);
  const reachable = online && todos.problem === null;
  const unseenAnswer = useUnseen(
    place.pane !== 'todos',
    chat.entries.filter(({ role, streaming }) => role === 'assistant' && !streaming).length,
  );

  const pane = place.pane === 'todos' ? 'todos' : 'chat';
  return (
    <div className="workspace" data-pane={pane}>
      <nav className="skip-links" aria-label="Skip">
        <a href="#todos">Go to the todos</a>
        <a href="#chat">Go to the conversation</a>
      </nav>
      <ConnectionState online={online} problem={todos.todos.length > 0 ? todos.problem : null} />
      <main className="panes">
        <TodoPane
          store={todoStore}
          state={todos}
          onQuery={showQuery}
          reachable={reachable}
          now={now}
          locale={locale}
        />
        <ChatPane
          store={chatStore}
          state={chat}
          todos={todos.todos}
          reachable={reachable}
          listing={place.pane === 'chats'}
          onListing={(listing) => showPane(listing ? 'chats' : 'chat')}
          now={now}
          locale={locale}
        />
      </main>
      <PaneSwitch pane={pane} onPane={showPane} unseenAnswer={unseenAnswer} />
      <Notices notices={todos.notices} onDismiss={dismiss} />
    </div>
  );
}

/** What is due today is another list tomorrow. */
function useNewDay(day: string | null, refresh: () => Promise<void>): void {
  const last = useRef(day);
  useEffect(() => {
    const changed = last.current !== null && last.current !== day;
    last.current = day;
    if (changed) void refresh();
  }, [day, refresh]);
}
