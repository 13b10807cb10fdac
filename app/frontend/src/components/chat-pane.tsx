'use client';

import { useEffect, useRef, useState } from 'react';
import type { ChatState, ChatStore } from '@/client/chat-store';
import type { Problem } from '@/client/problem';
import { useDraft } from '@/client/use-draft';
import type { VisitorClock } from '@/shared/clock';
import type { Todo } from '@/shared/todo';
import { AssistantName } from './assistant-name';
import { Composer } from './composer';
import { Conversation } from './conversation';
import { EarlierChats } from './earlier-chats';
import { HistoryIcon } from './icons';

const EXAMPLES = ['Add call Ana tomorrow at 5pm, high', 'What’s left today?'];
const EXAMPLE_TITLE_MAX = 40;
const FRIDAY = 5;

/** Examples that work as they stand: the one that moves a todo names one of the visitor's. @param todos as the page shows them */
export function examplesFor(todos: Todo[]): string[] {
  const movable = todos.find(
    ({ done, title, due_date }) =>
      !done &&
      title.length <= EXAMPLE_TITLE_MAX &&
      !title.includes('"') &&
      (due_date === null || new Date(due_date).getUTCDay() !== FRIDAY),
  );
  return movable ? [...EXAMPLES, `Move "${movable.title}" to friday`] : EXAMPLES;
}

/** The conversation with the assistant. */
export function ChatPane({
  store,
  state,
  todos,
  reachable,
  listing,
  onListing,
  now,
  locale,
}: VisitorClock & {
  store: ChatStore;
  state: ChatState;
  /** As the page shows them. */
  todos: Todo[];
  /** Whether the service can be reached, so that what was said of an outage ends with it. */
  reachable: boolean;
  /** Whether the earlier conversations are shown in the place of this one. */
  listing: boolean;
  onListing: (listing: boolean) => void;
}) {
  const [draft, setDraft] = useDraft('message');
  const [problem, setProblem] = useState<Problem | null>(null);
  const box = useRef<HTMLTextAreaElement>(null);
  const example = useRef('');
  const examples = examplesFor(todos);
  const listButton = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (reachable) setProblem((current) => (current?.isConnection ? null : current));
  }, [reachable]);

  /** @param text what comes back into the box when it was not taken */
  async function settle(sending: Promise<Problem | null>, text: string) {
    setProblem(null);
    const refusal = await sending;
    if (!refusal) return;
    setDraft((current) => current || text);
    setProblem(refusal);
  }

  function send(text: string) {
    setDraft('');
    void settle(store.send(text), text);
  }

  /** An example is there to be changed and sent, not to act on real todos by itself. */
  function suggest(text: string) {
    const own = draft.trim() !== '' && draft !== example.current && !examples.includes(draft);
    example.current = text;
    setDraft(own ? `${draft.trimEnd()}\n${text}` : text);
    box.current?.focus();
  }

  function leaveList(focusOn: HTMLElement | null) {
    onListing(false);
    requestAnimationFrame(() => focusOn?.focus());
  }

  function startNew() {
    store.startNew();
    if (listing) leaveList(box.current);
  }

  const talked = state.entries.some(({ role }) => role !== 'activity');
  return (
    <section className="pane chat" id="chat" aria-labelledby="chat-heading" tabIndex={-1}>
      <header className="pane-head">
        <h2 id="chat-heading">Assistant</h2>
        <AssistantName assistant={state.assistant} model={state.model} />
        <span className="chat-tools">
          <button
            ref={listButton}
            type="button"
            className="icon-button"
            aria-pressed={listing}
            aria-label="Earlier chats"
            title="Earlier chats"
            onClick={() => onListing(!listing)}
          >
            <HistoryIcon />
          </button>
          {(talked || listing) && (
            <button type="button" className="button button-quiet" onClick={startNew}>
              New chat
            </button>
          )}
        </span>
      </header>
      {listing ? (
        <EarlierChats
          current={state.conversationId}
          now={now}
          locale={locale}
          onOpen={(id, messages) => {
            store.continueWith(id, messages);
            leaveList(box.current);
          }}
          onRemoved={(id) => {
            if (id === state.conversationId) store.startNew();
          }}
          onClose={() => leaveList(listButton.current)}
        />
      ) : !talked ? (
        <EmptyConversation
          examples={examples}
          note={state.entries.at(-1)?.text ?? null}
          onExample={suggest}
        />
      ) : (
        <Conversation
          entries={state.entries}
          answering={state.answering}
          onChoice={({ message }) => void settle(store.send(message), message)}
          onUndo={(id) => void store.undo(id)}
          onRetry={(id, question) => void settle(store.retry(id), question)}
        />
      )}
      <p className="visually-hidden" role="status">
        {state.announcement}
      </p>
      <Composer
        hidden={listing}
        box={box}
        draft={draft}
        error={problem?.message ?? null}
        answering={state.answering}
        lastMessage={state.entries.findLast(({ role }) => role === 'user')?.text}
        onDraft={setDraft}
        onSend={send}
        onStop={() => store.stop()}
      />
    </section>
  );
}

/** @param note what the person did last by hand */
function EmptyConversation({
  examples,
  note,
  onExample,
}: {
  examples: string[];
  note: string | null;
  onExample: (text: string) => void;
}) {
  return (
    <div className="scroll state chat-empty">
      <p className="state-title">Say what is to be done</p>
      <p>The assistant adds, finds, changes and completes your todos. Begin with an example:</p>
      <ul className="suggestions">
        {examples.map((text) => (
          <li key={text}>
            <button type="button" className="button" dir="auto" onClick={() => onExample(text)}>
              {text}
            </button>
          </li>
        ))}
      </ul>
      {note && (
        <p className="entry-activity" dir="auto">
          {note}
        </p>
      )}
    </div>
  );
}
