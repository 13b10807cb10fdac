'use client';

import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { chatApi, problemOfStatus, todoApi } from '@/client/api';
import { ChatStore } from '@/client/chat-store';
import { TodoStore } from '@/client/todo-store';
import { useOnline, useReloading } from '@/client/use-connection';
import type { FirstData } from '@/server/first-data';
import { CONVERSATION_COOKIE } from '@/shared/chat';
import { FIRST_QUERY } from '@/shared/todo';
import { ChatPane } from './chat-pane';
import { Notices } from './notices';
import { TodoPane } from './todo-pane';

type Pane = 'todos' | 'chat';

/** The page: the todos beside the conversation, or one of them at a time where the window is narrow. */
export function Workspace({ first }: { first: FirstData }) {
  const [{ todoStore, chatStore }] = useState(() => createStores(first));
  const todos = useSyncExternalStore(todoStore.subscribe, todoStore.getState, todoStore.getState);
  const chat = useSyncExternalStore(chatStore.subscribe, chatStore.getState, chatStore.getState);
  const [pane, setPane] = useState<Pane>('todos');
  const online = useOnline();

  const refresh = useCallback(async () => {
    await todoStore.refresh();
    if (todoStore.getState().problem === null) await chatStore.loadMissing();
  }, [todoStore, chatStore]);
  useReloading(refresh, todos.problem, online);
  useEffect(() => {
    if (first.todos === null || first.assistant === null) void refresh();
  }, [first, refresh]);

  const [actions] = useState(() => ({
    toggle: todoStore.toggle.bind(todoStore),
    save: todoStore.save.bind(todoStore),
    remove: todoStore.remove.bind(todoStore),
  }));
  const dismiss = useCallback((id: string) => todoStore.dismiss(id), [todoStore]);
  const unseenAnswer = useUnseen(
    pane === 'chat',
    chat.entries.filter(({ role, streaming }) => role === 'assistant' && !streaming).length,
  );

  return (
    <div className="workspace" data-pane={pane}>
      <nav className="skip-links" aria-label="Skip">
        <a href="#todos">Go to the todos</a>
        <a href="#chat">Go to the conversation</a>
      </nav>
      <ConnectionState
        online={online}
        unreachable={todos.problem?.isConnection === true && todos.todos.length > 0}
      />
      <main className="panes">
        <TodoPane store={todoStore} state={todos} actions={actions} />
        <ChatPane store={chatStore} state={chat} />
      </main>
      <PaneSwitch pane={pane} onPane={setPane} unseenAnswer={unseenAnswer} />
      <Notices notices={todos.notices} onDismiss={dismiss} />
    </div>
  );
}

function createStores(first: FirstData) {
  const problem = first.failedWith === null ? null : problemOfStatus(first.failedWith, null);
  const todoStore = new TodoStore(todoApi, { query: FIRST_QUERY, page: first.todos, problem }, (sentence) =>
    chatStore.note(sentence),
  );
  const chatStore: ChatStore = new ChatStore(chatApi, first, {
    onTodosChanged: () => void todoStore.refresh(),
    onConversation: rememberConversation,
  });
  return { todoStore, chatStore };
}

const YEAR_SECONDS = 31_536_000;

/** The server reads this cookie to render the conversation with the page. */
function rememberConversation(id: string | null): void {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  const age = id === null ? 0 : YEAR_SECONDS;
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
  document.cookie = `${CONVERSATION_COOKIE}=${id ?? ''}; Path=/; Max-Age=${age}; SameSite=Strict${secure}`;
}

function ConnectionState({ online, unreachable }: { online: boolean; unreachable: boolean }) {
  const text = !online
    ? 'You are offline. What you see may be old.'
    : unreachable
      ? 'The todo service cannot be reached. Trying again …'
      : null;
  return (
    <div className="connection" role="status">
      {text && <p>{text}</p>}
    </div>
  );
}

/** Whether the number has grown while nobody looked. */
function useUnseen(looking: boolean, number: number): boolean {
  const [seen, setSeen] = useState(number);
  useEffect(() => {
    if (looking) setSeen(number);
  }, [looking, number]);
  return !looking && number > seen;
}

function PaneSwitch({
  pane,
  onPane,
  unseenAnswer,
}: {
  pane: Pane;
  onPane: (pane: Pane) => void;
  unseenAnswer: boolean;
}) {
  return (
    <nav className="pane-switch" aria-label="Parts of the page">
      <button type="button" aria-current={pane === 'todos'} onClick={() => onPane('todos')}>
        Todos
      </button>
      <button type="button" aria-current={pane === 'chat'} onClick={() => onPane('chat')}>
        Assistant
        {unseenAnswer && <span className="visually-hidden"> (new answer)</span>}
        {unseenAnswer && <span className="dot" />}
      </button>
    </nav>
  );
}
